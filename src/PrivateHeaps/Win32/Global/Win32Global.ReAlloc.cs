using PrivateHeaps.Heaps;
using PrivateHeaps.Platform;
using ThreadState = PrivateHeaps.Heaps.ThreadState;

namespace PrivateHeaps.Win32;

/// <summary>
/// Changing blocks.
/// <code>
/// ReAlloc                        the flags decide first
///   ReAllocMoveable              a handle: it stays the same whatever happens to the block
///     Modify                     MODIFY: attributes only
///     Discard                    size 0
///     Heap.ReallocateMoveable    another size
///   ReAllocFixed                 an address: the result is the new one
///     MakeMoveable               MODIFY | MOVEABLE: the result is a handle
/// </code>
/// </summary>
internal static unsafe partial class Win32Global
{
    /// <summary>
    /// Changes size or attributes. 0, and nothing has changed, with last error 87 for flags that do not go together, 6 or 998 for what is no
    /// block, 8 when there is no room or the block must not move.
    /// </summary>
    public static nint ReAlloc(ThreadState* thread, MemoryFamily family, nint memory, nuint bytes, uint flags)
    {
        bool modifies = (flags & MemoryFlags.Modify) != 0;
        if ((flags & ~(MemoryDifferences.AllocationFlags(family) | MemoryFlags.Modify)) != 0
            || (!modifies && (flags & MemoryDifferences.Discardable(family)) != 0))
        {
            return Refuse(Win32Error.InvalidParameter);
        }

        ThreadState* self = Threads.Attach(thread);
        return IsAddress(memory)
            ? ReAllocFixed(self, family, memory, bytes, flags)
            : ReAllocMoveable(self, family, memory, bytes, flags);
    }

    private static nint ReAllocMoveable(ThreadState* self, MemoryFamily family, nint handle, nuint bytes, uint flags)
    {
        if ((flags & MemoryFlags.Modify) != 0)
        {
            return Modify(handle, AttributesOf(family, flags) & MoveableBlock.Discardable);
        }

        bool mayMoveLocked = (flags & MemoryFlags.Moveable) != 0;
        if (bytes == 0)
        {
            return Discard(self, handle, mayMoveLocked);
        }

        return Heap.ReallocateMoveable(self, handle, HeapFlagsOf(flags), mayMoveLocked, bytes) switch
        {
            HeapFailure.None => handle,
            HeapFailure.BadHandle => Refuse(Win32Error.InvalidHandle),
            _ => Refuse(Win32Error.NotEnoughMemory),
        };
    }

    private static nint Modify(nint handle, uint attributes)
    {
        MoveableBlock* found = HandleTable.Enter(handle);
        if (found == null)
        {
            return Refuse(Win32Error.InvalidHandle);
        }

        HandleTable.SetFlags(found, found->Flags | attributes);
        HandleTable.LeaveLock();
        return handle;
    }

    /// <summary>Frees the block and keeps the handle. A locked block is refused without a last error.</summary>
    private static nint Discard(ThreadState* self, nint handle, bool isAllowed)
    {
        MoveableBlock* found = HandleTable.Enter(handle);
        if (found == null)
        {
            return Refuse(Win32Error.InvalidHandle);
        }

        void* block = found->Block;
        bool isLocked = found->IsLocked;
        if (isAllowed && !isLocked)
        {
            HandleTable.SetBlock(found, null);
        }

        HandleTable.LeaveLock();
        if (isLocked || !isAllowed)
        {
            return isLocked ? 0 : Refuse(Win32Error.InvalidParameter);
        }

        if (block != null)
        {
            Heap.FreeMoveable(self, block);
        }

        return handle;
    }

    private static nint ReAllocFixed(ThreadState* self, MemoryFamily family, nint memory, nuint bytes, uint flags)
    {
        void* block = (void*)memory;
        nuint old = Heap.Size(self, Heap.ProcessHandle, 0, block);
        if (old == nuint.MaxValue)
        {
            return Refuse(memory == 0 || IsSomething(memory) ? Win32Error.InvalidHandle : Win32Error.NoAccess);
        }

        // The block of a handle goes by the handle, which must know where it is.
        if (HandleTable.OwnerOf(block) != 0)
        {
            return Refuse(Win32Error.InvalidHandle);
        }

        bool isMoveable = (flags & MemoryFlags.Moveable) != 0;
        if ((flags & MemoryFlags.Modify) != 0)
        {
            return isMoveable && MemoryDifferences.FixedBecomesMoveable(family)
                ? MakeMoveable(self, block, old, AttributesOf(family, flags))
                : memory;
        }

        uint heapFlags = HeapFlagsOf(flags) | (isMoveable ? 0 : HeapFlags.ReallocInPlaceOnly);
        void* resized = Heap.Reallocate(self, Heap.ProcessHandle, heapFlags, block, bytes);
        return resized != null ? (nint)resized : Refuse(Win32Error.NotEnoughMemory);
    }

    /// <summary>The contents go to a new block, as on Windows: an address that was kept from before is no block any more.</summary>
    private static nint MakeMoveable(ThreadState* self, void* block, nuint bytes, uint attributes)
    {
        void* moveable = Heap.AllocateMoveable(self, 0, bytes);
        nint handle = moveable == null ? 0 : HandleTable.Add(moveable, attributes);
        if (handle == 0)
        {
            if (moveable != null)
            {
                Heap.FreeMoveable(self, moveable);
            }

            return Refuse(Win32Error.NotEnoughMemory);
        }

        Os.Copy(moveable, block, bytes);
        Heap.Free(self, Heap.ProcessHandle, 0, block);
        return handle;
    }
}
