using PrivateHeaps.Heaps;

namespace PrivateHeaps.Explorer.Models;

/// <summary>A thread frees and allocates while another empties everybody's magazines into the slabs.</summary>
internal sealed unsafe class ExclusiveModel() : Model("exclusive")
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
            Notes[2] = (nint)Allocate(0, _heap, 40);
            Notes[3] = (nint)Allocate(0, _heap, 40);
        }
        else
        {
            nuint largest;
            Finding.Unless(Free(1, _heap, (void*)Notes[1]), "the block is freed");
            Finding.Unless(Heap.Compact(State(1), _heap, 0, &largest), "the heap is compacted");
        }
    }

    public override void Check()
    {
        Finding.Unless(Notes[2] != Notes[3], "no block is handed out twice");
        Conservation.Check(State(-1), _heap, 2);
    }
}
