using PrivateHeaps.Heaps;

namespace PrivateHeaps.Explorer.Models;

/// <summary>
/// A thread frees a block, and allocates another size where it lay, while a second one frees it too. The second is refused or has freed the new block,
/// which nobody can tell from the old one; but as much memory becomes free as that one has. If the new block is of another heap, it is refused.
/// </summary>
internal sealed unsafe class StaleFreeModel(string name, nuint bytes, nuint laterBytes, bool isOfOtherHeap = false) : Model(name)
{
    private nint _heap;
    private nint _laterHeap;

    public override void Prepare()
    {
        base.Prepare();
        _heap = MakeHeap(1024 * 1024);
        _laterHeap = isOfOtherHeap ? MakeHeap(1024 * 1024) : _heap;
        Notes[0] = (nint)Allocate(0, _heap, bytes);
    }

    public override void Run(int thread)
    {
        Notes[1 + thread] = Free(thread, _heap, (void*)Notes[0]) ? 1 : 0;
        if (thread == 0)
        {
            Notes[3] = (nint)Allocate(0, _laterHeap, laterBytes);
        }
    }

    public override void Check()
    {
        bool isLive = Heap.Size(State(-1), _laterHeap, 0, (void*)Notes[3]) == laterBytes;
        Finding.Unless(Notes[1] + Notes[2] == (isLive ? 1 : 2), "as many frees succeed as there were blocks");
        Finding.Unless(isLive || (Notes[3] == Notes[0] && !isOfOtherHeap), "no other block is touched");
        int live = isLive ? 1 : 0;
        Conservation.Check(State(-1), _heap, isOfOtherHeap ? 0 : live);
        Conservation.Check(State(-1), _laterHeap, live);
    }
}
