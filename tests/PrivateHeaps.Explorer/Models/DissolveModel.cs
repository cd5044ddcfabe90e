using PrivateHeaps.Heaps;

namespace PrivateHeaps.Explorer.Models;

/// <summary>
/// A thread frees the block with which slabs go, and allocates another size where they lay, while a second one frees all their blocks again: each time it is
/// refused, or has freed the new block whole, should that begin there.
/// </summary>
internal sealed unsafe class DissolveModel() : Model("dissolve")
{
    // Of so many blocks a magazine, its spare and the depot take some; with the last one a slab of three goes, where the later block fits.
    private const int Blocks = 11;
    private const nuint BlockBytes = 40 * 1024;
    private const nuint LaterBytes = 96 * 1024;

    private nint _heap;

    private static nint* Freed => Notes + Blocks;

    private static nint* Later => Notes + Blocks + 2;

    public override void Prepare()
    {
        base.Prepare();
        _heap = MakeHeap(1024 * 1024);
        for (int index = 0; index < Blocks; index++)
        {
            Notes[index] = (nint)Allocate(1, _heap, BlockBytes);
        }

        for (int index = 0; index < Blocks - 1; index++)
        {
            Finding.Unless(Free(0, _heap, (void*)Notes[index]), "the block is freed");
        }
    }

    public override void Run(int thread)
    {
        if (thread == 0)
        {
            Finding.Unless(Free(0, _heap, (void*)Notes[Blocks - 1]), "the block is freed");
            *Later = (nint)Allocate(0, _heap, LaterBytes);
            return;
        }

        for (int index = 0; index < Blocks - 1; index++)
        {
            *Freed += Free(1, _heap, (void*)Notes[index]) ? 1 : 0;
        }
    }

    public override void Check()
    {
        bool isLive = Heap.Size(State(-1), _heap, 0, (void*)*Later) == LaterBytes;
        Finding.Unless(*Freed == (isLive ? 0 : 1), "a block is freed once");
        Conservation.Check(State(-1), _heap, isLive ? 1 : 0);
    }
}
