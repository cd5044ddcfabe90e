using PrivateHeaps.Heaps;

namespace PrivateHeaps.Explorer.Models;

/// <summary>The first call of several threads at once starts the engine once.</summary>
internal sealed unsafe class StartModel() : Model("start", 3)
{
    private const int StateBytes = 256;

    // What a thread makes for itself it also reads without Shared, and in another schedule that memory is another thread's.
    public override bool KeepsStores => false;

    public override void Prepare()
    {
    }

    public override void Run(int thread)
    {
        // The state of a thread that has none, and behind it, as in the C shim, its table and the head of a cache that is always busy.
        ThreadState* none = (ThreadState*)((byte*)(Notes + 64) + thread * StateBytes);
        ThreadCache** table = (ThreadCache**)(none + 1);
        *table = (ThreadCache*)(table + 1);
        (*table)->Busy = ThreadCache.Anywhere;
        none->Table = table;
        void* block = Heap.Allocate(none, Heap.ProcessHandle, 0, 40);
        Finding.Unless(block != null, "the first call is served");
        Notes[thread] = (nint)block;
        Finding.Unless(State(thread) != null && State(thread)->IsAttached, "the thread has a state");
    }

    public override void Check()
    {
        Finding.Unless(Notes[0] != Notes[1] && Notes[1] != Notes[2] && Notes[0] != Notes[2], "no block is handed out twice");
        Finding.Unless(HeapRegistry.Count == 1 && Threads.Count == 3, "there is one heap, and every thread has one state");
        Conservation.Check(State(0), Heap.ProcessHandle, 3);
    }
}
