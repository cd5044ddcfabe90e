using PrivateHeaps.Heaps;

namespace PrivateHeaps.Explorer.Models;

/// <summary>A thread ends while another locks the heap that it has blocks of: they all come back, and nobody waits.</summary>
internal sealed unsafe class ExitModel() : Model("exit")
{
    private nint _heap;

    public override void Prepare()
    {
        base.Prepare();
        _heap = MakeHeap();
        Notes[0] = (nint)Allocate(0, _heap, 40);
        Notes[1] = (nint)Allocate(1, _heap, 40);
    }

    public override void Run(int thread)
    {
        if (thread == 0)
        {
            Finding.Unless(Free(0, _heap, (void*)Notes[0]), "the block is freed");
            Threads.Detach(State(0));
            return;
        }

        Finding.Unless(Heap.Lock(State(1), _heap), "the heap is locked");
        Finding.Unless(Free(1, _heap, (void*)Notes[1]), "who has locked the heap may use it");
        Heap.Unlock(State(1), _heap);
    }

    public override void Check()
    {
        HeapState* heap = HeapRegistry.Find(_heap);
        Finding.Unless(heap->Caches != null && heap->Caches->Next == null && heap->Caches->Thread == State(1), "the cache of the ended thread is gone");
        Finding.Unless(Threads.Count == 2, "the ended thread is gone");
        Conservation.Check(State(-1), _heap, 0);
    }
}
