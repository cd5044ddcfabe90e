using PrivateHeaps.Heaps;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Explorer.Models;

/// <summary>Threads make heaps, fill and destroy them beside each other: slots, arena, address map and metadata.</summary>
internal sealed unsafe class LifetimeModel() : Model("lifetime")
{
    public override bool KeepsStores => false;

    public override void Run(int thread)
    {
        HeapLimits limits = default;
        limits.InitialBytes = 64 * 1024;
        nint heap = Heap.Create(State(thread), &limits);
        Finding.Unless(heap != 0, "the heap is made");
        byte* block = Allocate(thread, heap, 40);
        Finding.Unless(Heap.Size(State(thread), heap, 0, block) == 40, "the block is of its heap");
        Finding.Unless(Heap.Destroy(State(thread), heap), "the heap is destroyed");
        Finding.Unless(!Heap.Free(State(thread), heap, 0, block), "the block went with its heap");
        Notes[thread] = (nint)block;
    }

    public override void Check()
    {
        Finding.Unless(HeapRegistry.Count == 1, "the process heap is left");
        for (int thread = 0; thread < 2; thread++)
        {
            Finding.Unless(AddressMap.EntryOf((void*)Notes[thread])->Tag == 0, "nothing is left of the heaps");
        }
    }
}
