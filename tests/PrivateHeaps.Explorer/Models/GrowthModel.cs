namespace PrivateHeaps.Explorer.Models;

/// <summary>Threads allocate what the heap has no room for, and make its first bins of large classes, slabs, page runs and regions at the same time.</summary>
internal sealed unsafe class GrowthModel() : Model("growth")
{
    private static readonly nuint[] s_bytes = [1100, 300 * 1024];

    private nint _heap;

    public override void Prepare()
    {
        base.Prepare();
        _heap = MakeHeap();
    }

    public override void Run(int thread)
    {
        for (int index = 0; index < s_bytes.Length; index++)
        {
            Notes[2 * index + thread] = (nint)Allocate(thread, _heap, s_bytes[index]);
        }

        Finding.Unless(Free(thread, _heap, (void*)Notes[2 + thread]), "the block is freed");
    }

    public override void Check()
    {
        Finding.Unless(nint.Abs(Notes[0] - Notes[1]) >= (nint)s_bytes[0], "no block is handed out twice");
        Conservation.Check(State(-1), _heap, 2);
    }
}
