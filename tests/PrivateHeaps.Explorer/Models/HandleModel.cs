using PrivateHeaps.Heaps;

namespace PrivateHeaps.Explorer.Models;

/// <summary>A thread frees what a handle names while another gives it another size: one after the other, or the second is refused.</summary>
internal sealed unsafe class HandleModel() : Model("handles")
{
    public override void Prepare()
    {
        base.Prepare();
        Notes[0] = HandleTable.Add(Heap.AllocateMoveable(State(0), 0, 40), 0);
        Finding.Unless(Notes[0] != 0, "the handle is made");
        Finding.Unless(Free(1, Heap.ProcessHandle, Allocate(1, Heap.ProcessHandle, 40)), "the cache is made");
    }

    public override void Run(int thread)
    {
        if (thread == 1)
        {
            Notes[2] = (nint)Heap.ReallocateMoveable(State(1), Notes[0], 0, false, 4000);
            return;
        }

        // As GlobalFree does it.
        MoveableBlock* moveable = HandleTable.Enter(Notes[0]);
        Finding.Unless(moveable != null, "the handle is in use");
        void* block = moveable->Block;
        HandleTable.Remove(moveable);
        HandleTable.LeaveLock();
        Heap.FreeMoveable(State(0), block);
    }

    public override void Check()
    {
        Finding.Unless(Notes[2] is (nint)HeapFailure.None or (nint)HeapFailure.BadHandle, "the block has its new size, or the handle is what is wrong");
        Finding.Unless(Heap.SizeOfMoveable(State(0), Notes[0]) == nuint.MaxValue, "the handle is dead");
        Conservation.Check(State(-1), Heap.ProcessHandle, 0);
    }
}
