using PrivateHeaps.Checks;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>
/// Blocks that are known by a handle, which holds them: nobody frees or moves one behind its back, and who has just taken a block out of <see cref="HandleTable"/>, or has not
/// yet put it in, has it to himself. What needs the heap and the table at once goes through the gate of the process heap first, as every call on a heap does, and then
/// takes the table's lock.
/// <code>
/// AllocateMoveable                     a block as ever, then held
/// ReallocateMoveable
///   ResizeWhereItIs                    under the table's lock
///   AllocateMoveable, MoveTo           or another block, which changes places with it under that lock
/// FreeMoveable                         of a block that no handle names any more
/// </code>
/// </summary>
internal static unsafe partial class Heap
{
    /// <summary>A block of the process heap that only a handle is to lead to; null when there is no memory. Flags: ZeroMemory.</summary>
    public static void* AllocateMoveable(ThreadState* thread, uint flags, nuint bytes)
    {
        for (; ; )
        {
            void* block = Allocate(thread, ProcessHandle, flags, bytes);

            // A program that frees an address twice may hit the block before it is held. Then that one is gone.
            if (block == null || HoldByHandle(thread, block))
            {
                return block;
            }
        }
    }

    /// <summary>Frees a moveable block that no handle names.</summary>
    public static void FreeMoveable(ThreadState* thread, void* block)
    {
        ThreadState* self = Threads.Attach(thread);
        HeapState* heap = HeapRegistry.Find(ProcessHandle);
        uint stack = heap->Checks == null ? 0 : CheckState.Capture(heap->Checks);
        Gate.Enter(self, heap, ProcessHandle, 0, (nuint)block, out ThreadCache* cache);
        nuint bytes = FreeHeld(self, heap, cache, 0, (byte*)block, stack);
        Gate.Leave(heap, cache);
        Findings.Stop();
        if (heap->IsCounted)
        {
            Counting.Freed(heap, bytes);
        }
    }

    /// <summary>The requested size of the handle's block, 0 when it is discarded; nuint.MaxValue when the handle is not in use.</summary>
    public static nuint SizeOfMoveable(ThreadState* thread, nint handle)
    {
        MoveableBlock* found = EnterMoveable(thread, handle, out HeapState* heap, out ThreadCache* cache);
        if (found == null)
        {
            return nuint.MaxValue;
        }

        nuint bytes = found->Block == null ? 0 : BytesOf(heap, found->Block);
        LeaveMoveable(heap, cache);
        return bytes;
    }

    /// <summary>
    /// Gives the handle's block another size, or a discarded handle a block. A locked block stays where it is if it can, and otherwise moves
    /// only if it may. None, or the reason why nothing has changed: BadHandle, WouldMove, NoMemory. Flags: ZeroMemory clears what is added.
    /// </summary>
    public static HeapFailure ReallocateMoveable(ThreadState* thread, nint handle, uint flags, bool mayMoveLocked, nuint bytes)
    {
        HeapFailure failure = ResizeWhereItIs(thread, handle, flags, mayMoveLocked, bytes);
        if (failure != HeapFailure.NoMemory)
        {
            return failure;
        }

        // Outside of gate and lock, because an allocation may have the heap stand still to collect it. The handle may change meanwhile.
        void* spare = AllocateMoveable(thread, flags & HeapFlags.ZeroMemory, bytes);
        if (spare != null)
        {
            failure = MoveTo(thread, handle, &spare, mayMoveLocked, bytes);
        }

        if (spare != null)
        {
            FreeMoveable(thread, spare);
        }

        return failure;
    }

    /// <summary>As <see cref="ReallocateMoveable"/>, but NoMemory when it takes another block.</summary>
    private static HeapFailure ResizeWhereItIs(ThreadState* thread, nint handle, uint flags, bool mayMoveLocked, nuint bytes)
    {
        MoveableBlock* found = EnterMoveable(thread, handle, out HeapState* heap, out ThreadCache* cache);
        if (found == null)
        {
            return HeapFailure.BadHandle;
        }

        nuint old = 0;
        HeapFailure failure = found->Block == null || bytes > LargestHeapBytes
            ? HeapFailure.NoMemory
            : ResizeFound(heap, found, flags, mayMoveLocked, bytes, &old);
        LeaveMoveable(heap, cache);
        if (failure == HeapFailure.None && heap->IsCounted)
        {
            Counting.Resized(heap, old, bytes);
        }

        return failure;
    }

    private static HeapFailure ResizeFound(
        HeapState* heap, MoveableBlock* found, uint flags, bool mayMoveLocked, nuint bytes, nuint* old)
    {
        byte* block = (byte*)found->Block;
        LocateHeld(block, out PageEntry* entry, out byte* state, out uint tag);
        *old = RequestedBytes(heap, block, entry, state);
        ResizeAny(heap, block, entry, state, tag, bytes, found->IsLocked, 0, 0, out byte* resized);
        if (resized == null && found->IsLocked)
        {
            if (!mayMoveLocked)
            {
                return HeapFailure.WouldMove;
            }

            ResizeAny(heap, block, entry, state, tag, bytes, false, 0, 0, out resized);
        }

        if (resized == null)
        {
            return HeapFailure.NoMemory;
        }

        if (bytes > *old && (flags & HeapFlags.ZeroMemory) != 0)
        {
            Os.Clear(resized + *old, bytes - *old);
        }

        if (resized != block)
        {
            HandleTable.SetBlock(found, resized);
        }

        return HeapFailure.None;
    }

    /// <summary>Puts *spare, a block of the new size, in the place of the handle's block, which becomes *spare (null if it was discarded).</summary>
    private static HeapFailure MoveTo(ThreadState* thread, nint handle, void** spare, bool mayMoveLocked, nuint bytes)
    {
        MoveableBlock* found = EnterMoveable(thread, handle, out HeapState* heap, out ThreadCache* cache);
        if (found == null)
        {
            return HeapFailure.BadHandle;
        }

        void* block = found->Block;
        HeapFailure failure = found->IsLocked && !mayMoveLocked ? HeapFailure.WouldMove : HeapFailure.None;
        if (failure == HeapFailure.None)
        {
            if (block != null)
            {
                Os.Copy(*spare, block, Bits.Min(BytesOf(heap, block), bytes));
            }

            HandleTable.SetBlock(found, *spare);
            *spare = block;
        }

        LeaveMoveable(heap, cache);
        if (failure == HeapFailure.None && block != null && heap->IsCounted)
        {
            Counting.Moved();
        }

        return failure;
    }

    // False when another thread has freed the block meanwhile.
    private static bool HoldByHandle(ThreadState* thread, void* block)
    {
        ThreadState* self = Threads.Attach(thread);
        HeapState* heap = HeapRegistry.Find(ProcessHandle);
        bool held = EnterToChange(self, heap, ProcessHandle, 0, block, out ThreadCache* cache, out PageEntry* entry, out byte* state, out uint tag)
            && entry != null
            && TryHold(heap, (byte*)block, entry, state, ref tag);
        Gate.Leave(heap, cache);
        return held;
    }

    private static nuint BytesOf(HeapState* heap, void* block) => RequestedBytes(heap, block, AddressMap.EntryOf(block), AddressMap.StateOf(block));

    /// <summary>The requested size of the moveable block that starts at an address, which may be anything; nuint.MaxValue when none does. Inside the heap.</summary>
    private static nuint BytesOfMoveableAt(HeapState* heap, void* block)
    {
        MoveableBlock* found = heap->Slot == 0 ? HandleTable.EnterOwner(block) : null;
        if (found == null)
        {
            return nuint.MaxValue;
        }

        nuint bytes = BytesOf(heap, block);
        HandleTable.LeaveLock();
        return bytes;
    }

    private static MoveableBlock* EnterMoveable(ThreadState* thread, nint handle, out HeapState* heap, out ThreadCache* cache)
    {
        ThreadState* self = Threads.Attach(thread);
        heap = HeapRegistry.Find(ProcessHandle);
        cache = null;
        if (heap == null || !Gate.Enter(self, heap, ProcessHandle, 0, ThreadCache.Anywhere, out cache))
        {
            return null;
        }

        MoveableBlock* found = HandleTable.Enter(handle);
        if (found == null)
        {
            Gate.Leave(heap, cache);
        }

        return found;
    }

    private static void LeaveMoveable(HeapState* heap, ThreadCache* cache)
    {
        HandleTable.LeaveLock();
        Gate.Leave(heap, cache);
    }
}
