using PrivateHeaps.Heaps;

namespace PrivateHeaps.Explorer.Models;

/// <summary>
/// A thread frees a block, and makes a moveable one where it lay, of which it changes the size, while a second one frees the address: that hits what is there
/// before the new block is known by its handle, or nothing.
/// </summary>
internal sealed unsafe class MoveableModel(string name, nuint bytes) : Model(name)
{
    private const nuint Less = 8;

    public override void Prepare()
    {
        base.Prepare();
        Notes[0] = (nint)Allocate(0, Heap.ProcessHandle, bytes);
        Finding.Unless(Free(1, Heap.ProcessHandle, Allocate(1, Heap.ProcessHandle, 16)), "the cache is made");
        Finding.Unless(HandleTable.Add(null, 0) != 0, "the table is made");
    }

    public override void Run(int thread)
    {
        Notes[1 + thread] = Free(thread, Heap.ProcessHandle, (void*)Notes[0]) ? 1 : 0;
        if (thread == 0)
        {
            Notes[3] = HandleTable.Add(Heap.AllocateMoveable(State(0), 0, bytes), 0);
            Finding.Unless(Heap.ReallocateMoveable(State(0), Notes[3], 0, false, bytes - Less) == HeapFailure.None, "the block has its new size");
        }
    }

    public override void Check()
    {
        Finding.Unless(Notes[1] + Notes[2] >= 1, "one of two frees succeeds");
        Finding.Unless(Heap.SizeOfMoveable(State(-1), Notes[3]) == bytes - Less, "the handle leads to its block");
        MoveableBlock* moveable = HandleTable.Enter(Notes[3]);
        void* block = moveable->Block;
        HandleTable.LeaveLock();
        Finding.Unless(!Free(0, Heap.ProcessHandle, block) && !Free(1, Heap.ProcessHandle, block), "nobody frees the block by its address");
        Finding.Unless(Heap.Size(State(1), Heap.ProcessHandle, 0, block) == bytes - Less, "the address tells the size");
        Conservation.Check(State(-1), Heap.ProcessHandle, 1);
        Finding.Unless(HandleTable.Enter(Notes[3]) == moveable, "the handle is in use");
        HandleTable.Remove(moveable);
        HandleTable.LeaveLock();
        Heap.FreeMoveable(State(1), block);
        Finding.Unless(Heap.Size(State(1), Heap.ProcessHandle, 0, block) == nuint.MaxValue, "the block is free");
        Conservation.Check(State(-1), Heap.ProcessHandle, 0);
    }
}
