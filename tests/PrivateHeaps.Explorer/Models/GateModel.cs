using PrivateHeaps.Foundation;
using PrivateHeaps.Heaps;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Explorer.Models;

/// <summary>A thread allocates and frees by its cache while another has the heap stand still: then nothing changes in it.</summary>
internal sealed unsafe class GateModel() : Model("gate")
{
    private nint _heap;

    public override void Prepare()
    {
        base.Prepare();
        _heap = MakeHeap();
        Notes[0] = (nint)Allocate(0, _heap, 40);
    }

    public override void Run(int thread)
    {
        if (thread == 0)
        {
            Finding.Unless(Free(0, _heap, (void*)Notes[0]), "the block is freed");
            Notes[1] = (nint)Allocate(0, _heap, 40);
            return;
        }

        Finding.Unless(Heap.Lock(State(1), _heap), "the heap is locked");
        byte* state = AddressMap.StateOf((void*)Notes[0]);
        byte seen = Shared.Read(state);
        Finding.Unless(Shared.Read(state) == seen, "a heap that stands still does not change");
        Finding.Unless(Heap.Validate(State(1), _heap, 0), "a heap that stands still is sound");
        Heap.Unlock(State(1), _heap);
    }

    public override void Check() => Conservation.Check(State(-1), _heap, 1);
}
