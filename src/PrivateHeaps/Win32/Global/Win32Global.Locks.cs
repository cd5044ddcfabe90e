using PrivateHeaps.Heaps;
using PrivateHeaps.Platform;
using ThreadState = PrivateHeaps.Heaps.ThreadState;

namespace PrivateHeaps.Win32;

/// <summary>Lock counts, and the flags that show them. A fixed block has none.</summary>
internal static unsafe partial class Win32Global
{
    /// <summary>
    /// The address of a block, which then does not move: its lock count goes up by one, and stays at 255 from there. Null with last error 157
    /// for a discarded block, untouched for 0, 6 for what is no block.
    /// </summary>
    public static void* Lock(ThreadState* thread, MemoryFamily family, nint memory)
    {
        if (IsAddress(memory))
        {
            return LockFixed(thread, family, memory);
        }

        MoveableBlock* found = HandleTable.Enter(memory);
        if (found == null)
        {
            return (void*)Refuse(Win32Error.InvalidHandle);
        }

        void* block = found->Block;
        if (block != null && (found->Flags & MoveableBlock.LockMask) != MoveableBlock.LockMask)
        {
            HandleTable.SetFlags(found, found->Flags + MoveableBlock.LockUnit);
        }

        HandleTable.LeaveLock();
        return block != null ? block : (void*)Refuse(Win32Error.Discarded);
    }

    /// <summary>
    /// Undoes one Lock: true while others are left, false with last error 0 for the last one, false with 158 when there is none. A Global call
    /// is satisfied with fixed blocks and with any other address, too.
    /// </summary>
    public static int Unlock(ThreadState* thread, MemoryFamily family, nint memory)
    {
        if (memory == 0)
        {
            return Refuse(Win32Error.InvalidHandle);
        }

        if (IsAddress(memory))
        {
            return MemoryDifferences.UnlocksAnything(family) ? True : Refuse(Win32Error.NotLocked);
        }

        MoveableBlock* found = HandleTable.Enter(memory);
        if (found == null)
        {
            Host.SetLastError(Win32Error.InvalidHandle);
            return MemoryDifferences.UnlocksAnything(family) ? True : False;
        }

        bool wasLocked = found->IsLocked;
        if (wasLocked)
        {
            HandleTable.SetFlags(found, found->Flags - MoveableBlock.LockUnit);
        }

        bool isLocked = found->IsLocked;
        HandleTable.LeaveLock();
        return isLocked ? True : Refuse(wasLocked ? Win32Error.NoError : Win32Error.NotLocked);
    }

    /// <summary>Lock count and attributes; 0 for a fixed block, 0x8000 with the last error set for what is no block.</summary>
    public static uint Flags(ThreadState* thread, MemoryFamily family, nint memory)
    {
        if (IsAddress(memory))
        {
            return FlagsOfFixed(thread, family, memory);
        }

        MoveableBlock* found = HandleTable.Enter(memory);
        if (found == null)
        {
            return NoFlags(Win32Error.InvalidHandle);
        }

        uint flags = found->Flags;
        HandleTable.LeaveLock();
        return (flags & MoveableBlock.LockMask) / MoveableBlock.LockUnit
            | ((flags & MoveableBlock.Discardable) != 0 ? MemoryDifferences.Discardable(family) : 0)
            | ((flags & MoveableBlock.Discarded) != 0 ? MemoryFlags.Discarded : 0)
            | ((flags & MoveableBlock.DdeShare) != 0 ? MemoryFlags.DdeShare : 0);
    }

    private static void* LockFixed(ThreadState* thread, MemoryFamily family, nint memory)
    {
        if (memory == 0)
        {
            return null;
        }

        if (Heap.ValidateBlock(thread, Heap.ProcessHandle, 0, (void*)memory))
        {
            return (void*)memory;
        }

        return IsSomething(memory) || MemoryDifferences.LockReportsNoMemoryThere(family) ? (void*)Refuse(Win32Error.InvalidHandle) : null;
    }

    private static uint FlagsOfFixed(ThreadState* thread, MemoryFamily family, nint memory)
    {
        if (memory != 0 && Heap.ValidateBlock(thread, Heap.ProcessHandle, 0, (void*)memory))
        {
            return 0;
        }

        return NoFlags(memory == 0 || IsSomething(memory) ? Win32Error.InvalidHandle : MemoryDifferences.NoMemoryThereError(family));
    }

    private static uint NoFlags(uint error)
    {
        Host.SetLastError(error);
        return MemoryFlags.InvalidHandle;
    }
}
