using System.Runtime.CompilerServices;
using PrivateHeaps.Checks;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>Changing the size of a block: where it lies if it can be, else by moving its pages, else by copying.</summary>
internal static unsafe partial class Heap
{
    // A slab block that shrinks stays where it is unless it would waste more than three quarters of itself.
    private const uint ShrinkFactor = 4;
    private const uint SmallestMovedBytes = 256;

    // A block that the thread has just moved because it had grown, and that grows on to this size or more, gets a page run with as much room behind it: there it grows in place.
    // By half each time, up to 256 KiB, a step takes 200 ns in place of 360, nearly all of which was copying. One that grows but once would pay 130 ns for its run, and of
    // several that grow in turn each would take the other's room; those are copied.
    private const nuint GrowingBytes = 16 * Units.KiB;

    /// <summary>
    /// The block with its new size, perhaps elsewhere; null with NoMemory, WouldMove, BadBlock or BadHandle, and then nothing has changed.
    /// Flags: ZeroMemory clears what is added, ReallocInPlaceOnly forbids moving.
    /// </summary>
    public static void* Reallocate(ThreadState* thread, nint handle, uint flags, void* block, nuint bytes)
    {
        const uint ordinary = HeapFlags.MapsEarly | HeapFlags.OfLibrary | HeapFlags.NoSerialize | HeapFlags.ZeroMemory | HeapFlags.ReallocInPlaceOnly;
        ThreadCache* cache = null;
        byte* state = null;
        uint bias = Bias.None;
        Magazine* magazine = (flags & ~ordinary) == 0 ? EnterAtBlock(thread, handle, block, out cache, out state, out bias) : null;
        if (magazine == null)
        {
            return ReallocateAligned(thread, handle, flags, block, bytes, 0);
        }

        nuint blockBytes = magazine->BlockBytesPlusOne - 1;
        bool inPlaceOnly = (flags & HeapFlags.ReallocInPlaceOnly) != 0;
        if (bytes > blockBytes || (IsWasteful(blockBytes, bytes) && !inPlaceOnly))
        {
            flags |= bytes >= Bits.Max(GrowingBytes, blockBytes) && (nint)block == Shared.Read(&cache->Thread->LastMoved) ? HeapFlags.Grows : 0;
            return inPlaceOnly || bytes > SizeClass.LargestBytes || (flags & HeapFlags.Grows) != 0 || !IsTaken(cache, bias, state)
                ? ReallocateOutside(thread, handle, flags, block, bytes, cache)
                : MoveAtOnce(thread, handle, flags, (byte*)block, bytes, cache, magazine, state);
        }

        if (!IsTaken(cache, bias, state))
        {
            return ReallocateOutside(thread, handle, flags, block, bytes, cache);
        }

        if ((flags & HeapFlags.ZeroMemory) != 0)
        {
            ClearAdded((byte*)block, blockBytes - BlockState.Slack(state), bytes, zero: true);
        }

        BlockState.SetLive(state, blockBytes - bytes);
        ThreadCache.Leave(cache);
        return block;
    }

    // Whether a live block of this bias is this call's alone from now on, and no other thread's.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsTaken(ThreadCache* cache, uint bias, byte* state) =>
        bias == PageEntry.BiasOf(cache->TagBase) || (bias == Bias.None && BlockState.TryHold(state));

    // What is not served at once.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void* ReallocateOutside(ThreadState* thread, nint handle, uint flags, void* block, nuint bytes, ThreadCache* cache)
    {
        ThreadCache.Leave(cache);
        return ReallocateAligned(thread, handle, flags, block, bytes, 0);
    }

    // Into another block of a slab, without leaving the heap in between, if there is one.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void* MoveAtOnce(
        ThreadState* thread, nint handle, uint flags, byte* block, nuint bytes, ThreadCache* cache, Magazine* magazine, byte* state)
    {
        nuint slack = BlockState.Slack(state);
        byte* moved = TakeInside(cache, SizeClass.Of(bytes), bytes, mayBorrow: true);
        if (moved == null)
        {
            BlockState.SetLive(state, slack);
            return ReallocateOutside(thread, handle, flags, block, bytes, cache);
        }

        Shared.Write(&cache->Thread->LastMoved, (nint)moved);
        FillInside(flags, block, Bits.Min(magazine->BlockBytesPlusOne - 1 - slack, bytes), moved, bytes);
        BlockState.Kill(state);
        PushDead(cache, handle, magazine, block, state);
        return moved;
    }

    /// <summary>As <see cref="Reallocate"/>; if the block moves it moves to a multiple of the alignment (0: none; else a power of two).</summary>
    public static void* ReallocateAligned(ThreadState* thread, nint handle, uint flags, void* block, nuint bytes, nuint alignment)
    {
        if (alignment != 0 && !Bits.IsPowerOfTwo(alignment))
        {
            return (void*)Refuse(thread, HeapFailure.BadParameter);
        }

        ThreadState* self = Threads.Attach(thread);
        HeapState* heap = HeapRegistry.Find(handle);
        bool isChecked = heap != null && heap->Checks != null;
        if (isChecked)
        {
            BeforeCall(self, handle, HeapCall.Resize, flags, bytes);
        }

        if (heap == null || !EnterToChange(self, heap, handle, flags, block, out ThreadCache* cache, out PageEntry* entry, out byte* state, out uint tag))
        {
            return (void*)RefuseHandle(thread, handle, HeapCall.Resize, flags, alignment != 0);
        }

        flags |= heap->Options & HeapFlags.Forced;
        bool inPlaceOnly = (flags & HeapFlags.ReallocInPlaceOnly) != 0;
        nuint old = 0;
        nuint clearCount = Shared.Read(&heap->ClearCount);
        byte* resized = null;
        UserInfo attached = default;
        bool found = entry != null;
        if (isChecked)
        {
            VerifyGiven(heap, block, found, HeapCall.Resize, flags);
        }

        if (found)
        {
            old = RequestedBytes(heap, block, entry, state);
            attached = UserValues.Get(&heap->UserValues, block);
            bool aligned = ((nuint)block & (alignment - 1)) == 0 || alignment == 0;
            bool mayWait = !Gate.IsInterrupted(self, cache) || entry->Kind < SizeClass.Count || MayWait(heap);
            if (bytes <= LargestHeapBytes && (aligned || inPlaceOnly) && mayWait)
            {
                // A block with something attached moves below, where that moves along.
                found = ResizeAny(heap, (byte*)block, entry, state, tag, bytes, inPlaceOnly || attached.IsSettable, alignment, flags, out resized);
            }

            // Of a checked heap, after what was filled with patterns.
            if (isChecked && resized != null && bytes > old && (flags & HeapFlags.ZeroMemory) != 0)
            {
                Os.Clear(resized + old, bytes - old);
            }
        }

        Gate.Leave(heap, cache);
        if (isChecked)
        {
            Findings.Stop();
        }

        if (!found)
        {
            return (void*)Refuse(thread, HeapFailure.BadBlock);
        }

        if (resized != null)
        {
            if (heap->IsCounted)
            {
                Counting.Resized(heap, old, bytes);
            }

            return resized;
        }

        if (inPlaceOnly)
        {
            return (void*)Refuse(thread, HeapFailure.WouldMove);
        }

        // What is attached to a block moves with it.
        uint settable = attached.IsSettable ? HeapFlags.SettableUserValue : 0;
        return Move(thread, handle, (flags & ~HeapFlags.SettableUserValue) | settable, block, bytes, alignment, clearCount, grows: bytes > old);
    }

    // Into another block. That is to be had first; then the old one is held, so that it is not freed, and its memory not another's, while it is copied. The count is
    // that of the visit in which the block was found: if all blocks are dropped meanwhile, this one went with them.
    private static void* Move(ThreadState* thread, nint handle, uint flags, void* block, nuint bytes, nuint alignment, nuint clearCount, bool grows)
    {
        HeapState* heap = HeapRegistry.Find(handle);
        if (heap != null && Shared.Read(&heap->ClearCount) != clearCount)
        {
            return (void*)Refuse(thread, HeapFailure.BadBlock);
        }

        uint allocation = (flags & ~HeapFlags.ZeroMemory) | (grows && bytes > SizeClass.LargestBytes ? HeapFlags.Grows : 0);
        byte* moved = (byte*)((allocation & (HeapFlags.SettableUserValue | HeapFlags.Grows)) == 0 && alignment == 0
            ? Allocate(thread, handle, allocation, bytes)
            : AllocateSlow(thread, handle, allocation, bytes, alignment));
        if (moved == null)
        {
            return null;
        }

        HeapFailure failure = MoveInto(thread, heap, handle, flags, (byte*)block, &moved, bytes, clearCount);
        if (failure == HeapFailure.None)
        {
            return moved;
        }

        if (moved != null)
        {
            Free(thread, handle, flags, moved);
        }

        return (void*)Refuse(thread, failure);
    }

    // BadHandle or BadBlock when the block does not move; then *moved is to be freed, or null when it went with all other blocks.
    private static HeapFailure MoveInto(
        ThreadState* thread, HeapState* heap, nint handle, uint flags, byte* block, byte** moved, nuint bytes, nuint clearCount)
    {
        ThreadState* self = Threads.Attach(thread);
        uint stack = heap->Checks == null ? 0 : CheckState.Capture(heap->Checks);
        if (!EnterToChange(self, heap, handle, flags, block, out ThreadCache* cache, out PageEntry* entry, out byte* state, out uint tag))
        {
            *moved = null;
            return HeapFailure.BadHandle;
        }

        if (Shared.Read(&heap->ClearCount) != clearCount)
        {
            // Should it have been allocated in the moment after that, it stays until all are dropped again.
            *moved = null;
            entry = null;
        }

        nuint old = 0;
        bool held = entry != null && TryHold(heap, block, entry, state, ref tag);
        if (held)
        {
            UserInfo attached = UserValues.Get(&heap->UserValues, block);
            if (attached.IsSettable)
            {
                // It was listed when it was allocated, so this needs no memory.
                UserValues.Set(&heap->UserValues, *moved, attached.Flags, attached.Value);
            }

            FillInside(flags, block, Bits.Min(RequestedBytes(heap, block, entry, state), bytes), *moved, bytes);
            old = FreeHeld(self, heap, cache, flags, block, stack);
        }

        Gate.Leave(heap, cache);
        Findings.Stop();
        if (!held)
        {
            return HeapFailure.BadBlock;
        }

        if (heap->IsCounted)
        {
            Counting.Freed(heap, old);
            Counting.Moved();
        }

        return HeapFailure.None;
    }

    private static void FillInside(uint flags, byte* from, nuint copied, byte* block, nuint bytes)
    {
        if (copied != 0)
        {
            Os.Copy(block, from, copied);
        }

        if (bytes > copied && (flags & HeapFlags.ZeroMemory) != 0)
        {
            Os.Clear(block + copied, bytes - copied);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsWasteful(nuint blockBytes, nuint bytes) => blockBytes > SmallestMovedBytes && bytes < blockBytes / ShrinkFactor;

    // False when another thread has freed the block, which was found by the tag, meanwhile; resized is null when it stays as it was.
    private static bool ResizeAny(
        HeapState* heap, byte* block, PageEntry* entry, byte* state, uint tag, nuint bytes, bool inPlaceOnly, nuint alignment, uint flags, out byte* resized) =>
        heap->Checks == null
            ? ResizeInside(heap, block, entry, state, tag, bytes, inPlaceOnly, alignment, flags, out resized)
            : ResizeChecked(heap, block, entry, state, tag, bytes, inPlaceOnly, alignment, flags, out resized);

    private static bool ResizeInside(
        HeapState* heap, byte* block, PageEntry* entry, byte* state, uint tag, nuint bytes, bool inPlaceOnly, nuint alignment, uint flags, out byte* resized)
    {
        RegionSet* regions = &heap->Regions;
        bool zero = (flags & HeapFlags.ZeroMemory) != 0;
        resized = null;
        switch (PageEntry.KindOf(tag))
        {
            case PageEntry.FittedKind:
                resized = FittedHeap.Resize(&heap->Fitted, regions, block, bytes, zero) ? block : null;
                return true;
            case PageEntry.LargeKind:
                bool mayExtend = inPlaceOnly || !HasOwnMapping(regions, bytes, flags);
                return (!inPlaceOnly && bytes < WorthMovingBytes) || ResizeLarge(regions, block, entry, state, tag, bytes, zero, mayExtend, out resized);
            case PageEntry.SoloKind:
                bool mayMove = !inPlaceOnly && alignment <= Units.PageBytes;
                return (!inPlaceOnly && bytes < SoloBytes(flags) / 2) || ResizeSolo(regions, block, entry, state, tag, bytes, zero, mayMove, out resized);
            case PageEntry.GuardedKind:
                return true;
            default:
                nuint blockBytes = SizeClass.BlockBytes(PageEntry.KindOf(tag));
                if (bytes > blockBytes || (IsWasteful(blockBytes, bytes) && !inPlaceOnly))
                {
                    return true;
                }

                bool isHeld = PageEntry.BiasOf(tag) == Bias.Held;
                if (!isHeld && !BlockState.TryHold(state))
                {
                    return false;
                }

                resized = block;
                ClearAdded(block, blockBytes - BlockState.Slack(state), bytes, zero);
                if (isHeld)
                {
                    BlockState.SetHeld(state, blockBytes - bytes);
                }
                else
                {
                    BlockState.SetLive(state, blockBytes - bytes);
                }

                return true;
        }
    }
}
