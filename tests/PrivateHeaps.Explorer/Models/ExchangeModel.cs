using PrivateHeaps.Slabs;

namespace PrivateHeaps.Explorer.Models;

/// <summary>
/// Threads free more than their magazines hold and allocate again, so that full and empty arrays go to and from the depot of the bin, or first that of the
/// processor. The blocks are so large that a magazine has room for two.
/// </summary>
internal sealed unsafe class ExchangeModel(string name, bool isEager) : Model(name)
{
    private const int Blocks = 4;
    private const nuint BlockBytes = 40 * 1024;

    private nint _heap;

    // The depots' stores and loads are under locks; what is looked at without one is only a hint.
    public override bool KeepsStores => false;

    public override void Prepare()
    {
        base.Prepare();
        Depots.IsEager = isEager;
        _heap = MakeHeap(initialBytes: 1024 * 1024);
        for (int index = 0; index < 2 * Blocks; index++)
        {
            Notes[index] = (nint)Allocate(index % 2, _heap, BlockBytes);
        }
    }

    public override void Run(int thread)
    {
        for (int index = thread; index < 2 * Blocks; index += 2)
        {
            Finding.Unless(Free(thread, _heap, (void*)Notes[index]), "the block is freed");
        }

        Notes[2 * Blocks + thread] = (nint)Allocate(thread, _heap, BlockBytes);
        Notes[2 * Blocks + 2 + thread] = (nint)Allocate(thread, _heap, BlockBytes);
    }

    public override void Check()
    {
        HashSet<nint> blocks = [Notes[2 * Blocks], Notes[2 * Blocks + 1], Notes[2 * Blocks + 2], Notes[2 * Blocks + 3]];
        Finding.Unless(blocks.Count == 4, "no block is handed out twice");
        Conservation.Check(State(-1), _heap, 4);
    }
}
