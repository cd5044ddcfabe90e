using PrivateHeaps.Heaps;

namespace PrivateHeaps.Explorer.Models;

/// <summary>Two threads free one block, and one of them allocates: one is told that it did, and nothing is handed out twice.</summary>
internal sealed unsafe class DoubleFreeModel(string name, nuint bytes, nuint maximumBytes = 0) : Model(name)
{
    private nint _heap;

    public override void Prepare()
    {
        base.Prepare();
        _heap = MakeHeap(1024 * 1024, maximumBytes);
        Notes[0] = (nint)Allocate(0, _heap, bytes);
    }

    public override void Run(int thread)
    {
        Notes[1 + thread] = Free(thread, _heap, (void*)Notes[0]) ? 1 : 0;
        Finding.Unless(Notes[1 + thread] == 1 || State(thread)->Failure == HeapFailure.BadBlock, "the block is what is wrong");
    }

    public override void Check()
    {
        Finding.Unless(Notes[1] + Notes[2] == 1, "one of two frees succeeds");
        Finding.Unless(Heap.Size(State(-1), _heap, 0, (void*)Notes[0]) == nuint.MaxValue, "the block is free");
        Finding.Unless(Allocate(0, _heap, bytes) != Allocate(1, _heap, bytes), "no block is handed out twice");
        Conservation.Check(State(-1), _heap, 2);
    }
}
