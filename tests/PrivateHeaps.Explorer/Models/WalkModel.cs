using PrivateHeaps.Heaps;

namespace PrivateHeaps.Explorer.Models;

/// <summary>A thread walks a heap that another uses: it comes to the end, and finds the block that lives all the time once.</summary>
internal sealed unsafe class WalkModel() : Model("walk")
{
    private nint _heap;

    public override void Prepare()
    {
        base.Prepare();
        _heap = MakeHeap();
        Notes[0] = (nint)Allocate(0, _heap, 1000);
        Notes[1] = (nint)Allocate(0, _heap, 1000);
    }

    public override void Run(int thread)
    {
        if (thread == 0)
        {
            Finding.Unless(Free(0, _heap, (void*)Notes[0]), "the block is freed");
            Allocate(0, _heap, 1000);
            return;
        }

        int found = 0;
        WalkEntry entry = default;
        while (Heap.Walk(State(1), _heap, &entry))
        {
            found += entry.Address == (byte*)Notes[1] && entry.Kind == WalkKind.BusyBlock ? 1 : 0;
        }

        Finding.Unless(State(1)->Failure == HeapFailure.NoMoreEntries, "the walk comes to the end");
        Finding.Unless(found == 1, "a block that lives is found once");
    }

    public override void Check() => Conservation.Check(State(-1), _heap, 2);
}
