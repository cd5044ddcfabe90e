using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>
/// Blocks that are known by a handle: what needs the heap and <see cref="HandleTable"/> at once, so that a block is neither freed nor moved by
/// its handle meanwhile. The gate of the process heap first, as in every call on a heap, then the table's lock.
/// </summary>
internal static unsafe partial class Heap
{
    /// <summary>
    /// The requested size of the handle's block, 0 when it is discarded; nuint.MaxValue when the handle is not in use or what it names is no
    /// live block any more (a program may have freed it by its address).
    /// </summary>
    public static nuint SizeOfMoveable(ThreadState* thread, nint handle)
    {
        MoveableBlock* found = EnterMoveable(thread, handle, out HeapState* heap, out ThreadCache* cache);
        if (found == null)
        {
            return nuint.MaxValue;
        }

        nuint bytes = 0;
        if (found->Block != null)
        {
            bool live = Locate(heap, found->Block, out PageEntry* entry, out byte* state);
            bytes = live ? RequestedBytes(heap, found->Block, entry, state) : nuint.MaxValue;
        }

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
        void* spare = Allocate(thread, ProcessHandle, flags & HeapFlags.ZeroMemory, bytes);
        if (spare != null)
        {
            failure = MoveTo(thread, handle, &spare, mayMoveLocked, bytes);
        }

        if (spare != null)
        {
            Free(thread, ProcessHandle, 0, spare);
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
        if (!Locate(heap, block, out PageEntry* entry, out byte* state, out uint tag))
        {
            return HeapFailure.BadHandle;
        }

        *old = RequestedBytes(heap, block, entry, state);
        bool live = ResizeAny(heap, block, entry, state, tag, bytes, found->IsLocked, 0, 0, out byte* resized);
        if (live && resized == null && found->IsLocked)
        {
            if (!mayMoveLocked)
            {
                return HeapFailure.WouldMove;
            }

            live = ResizeAny(heap, block, entry, state, tag, bytes, false, 0, 0, out resized);
        }

        if (!live)
        {
            return HeapFailure.BadHandle;
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
        if (failure == HeapFailure.None && block != null)
        {
            if (Locate(heap, block, out PageEntry* entry, out byte* state))
            {
                Os.Copy(*spare, block, Bits.Min(RequestedBytes(heap, block, entry, state), bytes));
            }
            else
            {
                failure = HeapFailure.BadHandle;
            }
        }

        if (failure == HeapFailure.None)
        {
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
