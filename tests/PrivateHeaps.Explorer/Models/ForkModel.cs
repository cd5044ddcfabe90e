using PrivateHeaps.Heaps;

namespace PrivateHeaps.Explorer.Models;

/// <summary>A thread forks while another is inside a heap, and a third locks it: at the moment of the fork nothing is half done.</summary>
internal sealed unsafe class ForkModel() : Model("fork", 3)
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
        switch (thread)
        {
            case 0:
                Finding.Unless(Free(0, _heap, (void*)Notes[0]), "the block is freed");
                break;
            case 1:
                Fork.Prepare(State(1));
                Finding.Unless(Verification.IsSound(HeapRegistry.Find(_heap)), "a heap is sound at the moment of the fork");
                Fork.Parent(State(1));
                break;
            default:
                nuint largest;
                Finding.Unless(Heap.Compact(State(2), _heap, 0, &largest), "the heap is compacted");
                break;
        }
    }

    public override void Check() => Conservation.Check(State(-1), _heap, 0);
}
