using PrivateHeaps.Heaps;
using PrivateHeaps.Platform;
using ThreadState = PrivateHeaps.Heaps.ThreadState;

namespace PrivateHeaps.Win32;

/// <summary>
/// The Global and Local functions of Windows over the process heap: their return values and last errors. Called by <c>WinBase</c> in a
/// .NET process and by the exports of the C library; freestanding, so that both can.
/// <para>
/// A fixed block is known by its address, a multiple of two words. A moveable one is known by a handle of <see cref="HandleTable"/>, the
/// address of the second of two words. So the low bits say which of the two a number claims to be; whether it is right is looked up.
/// </para>
/// <para>Between HandleTable.Enter and LeaveLock nothing of <see cref="Heap"/> is called.</para>
/// </summary>
internal static unsafe partial class Win32Global
{
    /// <summary>BOOL values.</summary>
    private const int False = 0, True = 1;

    /// <summary>A new fixed block's address, or a moveable one's handle. 0 with last error 87 for wrong flags, 8 without room.</summary>
    public static nint Alloc(ThreadState* thread, MemoryFamily family, uint flags, nuint bytes)
    {
        if ((flags & ~MemoryDifferences.AllocationFlags(family)) != 0)
        {
            return Refuse(Win32Error.InvalidParameter);
        }

        ThreadState* self = Threads.Attach(thread);
        if ((flags & MemoryFlags.Moveable) != 0)
        {
            return AllocMoveable(self, AttributesOf(family, flags), HeapFlagsOf(flags), bytes);
        }

        nuint fixedBytes = bytes == 0 ? MemoryDifferences.FixedBytesForZero(family) : bytes;
        void* block = Heap.Allocate(self, Heap.ProcessHandle, HeapFlagsOf(flags), fixedBytes);
        return block != null ? (nint)block : Refuse(Win32Error.NotEnoughMemory);
    }

    /// <summary>
    /// Frees a block and ends its handle, locked or not; 0 on success and for 0. Anything else is returned again, with last error 6, or 998 for
    /// an address where no memory is. The address of a moveable block stands for its handle, which would otherwise name no block any more.
    /// </summary>
    public static nint Free(ThreadState* thread, nint memory)
    {
        if (memory == 0)
        {
            return 0;
        }

        void* block = (void*)memory;
        MoveableBlock* found = IsAddress(memory) ? HandleTable.EnterOwner(block) : HandleTable.Enter(memory);
        if (found != null)
        {
            block = found->Block;
            HandleTable.Remove(found);
            HandleTable.LeaveLock();
            bool isDiscarded = block == null;
            if (!isDiscarded)
            {
                Heap.FreeMoveable(thread, block);
            }

            return 0;
        }

        if (Heap.Free(thread, Heap.ProcessHandle, 0, block))
        {
            return 0;
        }

        Host.SetLastError(IsSomething(memory) ? Win32Error.InvalidHandle : Win32Error.NoAccess);
        return memory;
    }

    /// <summary>The requested bytes; 0 for a discarded block, and with last error 6 for what is none.</summary>
    public static nuint Size(ThreadState* thread, nint memory)
    {
        nuint bytes = IsAddress(memory)
            ? Heap.Size(thread, Heap.ProcessHandle, 0, (void*)memory)
            : Heap.SizeOfMoveable(thread, memory);
        return bytes != nuint.MaxValue ? bytes : (nuint)Refuse(Win32Error.InvalidHandle);
    }

    /// <summary>The handle of the block at an address: for a fixed block the address. 0 with last error 87 for null, 6 or 998 for no block.</summary>
    public static nint Handle(ThreadState* thread, MemoryFamily family, void* block)
    {
        if (block == null)
        {
            return Refuse(Win32Error.InvalidParameter);
        }

        if (!Heap.ValidateBlock(thread, Heap.ProcessHandle, 0, block))
        {
            return Refuse(IsSomething((nint)block) ? Win32Error.InvalidHandle : MemoryDifferences.NoMemoryThereError(family));
        }

        nint owner = HandleTable.OwnerOf(block);
        return owner != 0 ? owner : (nint)block;
    }

    private static nint AllocMoveable(ThreadState* self, uint attributes, uint heapFlags, nuint bytes)
    {
        // Without bytes there is no block: the handle is born discarded.
        void* block = bytes == 0 ? null : Heap.AllocateMoveable(self, heapFlags, bytes);
        nint handle = block != null || bytes == 0 ? HandleTable.Add(block, attributes) : 0;
        if (handle != 0)
        {
            return handle;
        }

        if (block != null)
        {
            Heap.FreeMoveable(self, block);
        }

        return Refuse(Win32Error.NotEnoughMemory);
    }

    private static uint AttributesOf(MemoryFamily family, uint flags) =>
        ((flags & MemoryDifferences.Discardable(family)) != 0 ? MoveableBlock.Discardable : 0)
        | ((flags & MemoryFlags.DdeShare) != 0 ? MoveableBlock.DdeShare : 0);

    private static uint HeapFlagsOf(uint flags) => (flags & MemoryFlags.ZeroInit) != 0 ? HeapFlags.ZeroMemory : 0;

    /// <summary>Whether a number can be the address of a block; else it can only be a handle.</summary>
    private static bool IsAddress(nint memory) => (memory & ((2 * sizeof(nint)) - 1)) == 0;

    /// <summary>False for an address where no memory is: some functions tell it from other wrong ones. Handles are not read at.</summary>
    private static bool IsSomething(nint memory)
    {
        byte value;
        return !IsAddress(memory) || Os.TryRead((void*)memory, &value, 1);
    }

    private static int Refuse(uint error)
    {
        Host.SetLastError(error);
        return False;
    }
}
