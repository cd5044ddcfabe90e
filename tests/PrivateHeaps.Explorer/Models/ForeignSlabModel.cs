using PrivateHeaps.Heaps;
using PrivateHeaps.Slabs;

namespace PrivateHeaps.Explorer.Models;

/// <summary>
/// A thread gives the last block back that was missing in a slab with another's bias, and allocates and frees one of that size, while the other frees the block, which is
/// free already. That slab is not the first one's to take over: one free succeeds.
/// </summary>
internal sealed unsafe class ForeignSlabModel() : Model("vacant-not")
{
    private const nuint Bytes = 1000;

    private nint _heap;

    private HeapState* HeapNow => HeapRegistry.Find(_heap);

    public override void Prepare()
    {
        base.Prepare();
        _heap = MakeHeap(1024 * 1024);
        byte* block = Allocate(1, _heap, Bytes);
        ThreadCache.Flush(CacheOf(1), HeapNow);
        ThreadCache.MagazineOf(CacheOf(1), SizeClass.Of(Bytes))->HasReturned = true;
        Finding.Unless(Free(1, _heap, block), "the block is freed");
        Slab.SetBias(HeapState.BinOf(HeapNow, SizeClass.Of(Bytes))->Partial, ThreadCache.BiasOf(CacheOf(0)));
        Notes[0] = (nint)block;
    }

    public override void Run(int thread)
    {
        byte* block = (byte*)Notes[0];
        if (thread == 1)
        {
            // As when a thread ends.
            Finding.Unless(Gate.TryEnter(CacheOf(1), HeapNow), "the heap is open");
            ThreadCache.Flush(CacheOf(1), HeapNow);
            Gate.Leave(HeapNow, CacheOf(1));
            block = Allocate(1, _heap, Bytes);
        }

        Notes[1 + thread] = Free(thread, _heap, block) ? 1 : 0;
    }

    public override void Check()
    {
        Finding.Unless(Notes[1] == 0 && Notes[2] == 1, "a block is freed by who has it");
        Conservation.Check(State(-1), _heap, 0);
    }

    private ThreadCache* CacheOf(int thread) => State(thread)->Table[HeapNow->Slot];
}
