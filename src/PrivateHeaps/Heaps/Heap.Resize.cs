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

    /// <summary>
    /// The block with its new size, perhaps elsewhere; null with NoMemory, WouldMove, BadBlock or BadHandle, and then nothing has changed.
    /// Flags: ZeroMemory clears what is added, ReallocInPlaceOnly forbids moving.
    /// </summary>
    public static void* Reallocate(ThreadState* thread, nint handle, uint flags, void* block, nuint bytes)
    {
        const uint ordinary = HeapFlags.MapsEarly | HeapFlags.OfLibrary | HeapFlags.NoSerialize | HeapFlags.ZeroMemory | HeapFlags.ReallocInPlaceOnly;
        bool inPlaceOnly = (flags & HeapFlags.ReallocInPlaceOnly) != 0;
        ThreadCache* cache = null;
        byte* state = null;
        uint bias = Bias.None;
        Magazine* magazine = (flags & ~ordinary) == 0 ? EnterAtBlock(thread, handle, block, out cache, out state, out bias) : null;
        if (magazine == null)
        {
            return ReallocateAligned(thread, handle, flags, block, bytes, 0);
        }

        nuint blockBytes = magazine->BlockBytesPlusOne - 1;
        nuint old = blockBytes - BlockState.Slack(state);
        bool stays = bytes <= blockBytes && (inPlaceOnly || !IsWasteful(blockBytes, bytes));
        bool isResized = stays && bias == PageEntry.BiasOf(cache->TagBase);
        if (isResized)
        {
            BlockState.SetLive(state, blockBytes - bytes);
        }
        else if (stays && bias == Bias.None)
        {
            isResized = BlockState.TrySetLive(state, blockBytes - bytes);
        }

        if (isResized && bytes > old && (flags & HeapFlags.ZeroMemory) != 0)
        {
            Os.Clear((byte*)block + old, bytes - old);
        }

        Shared.Write(&cache->Busy, 0);
        if (stays && !isResized)
        {
            return ReallocateAligned(thread, handle, flags, block, bytes, 0);
        }

        if (!stays)
        {
            return inPlaceOnly ? (void*)Refuse(thread, HeapFailure.WouldMove) : Move(thread, handle, flags, block, old, bytes, 0);
        }

        return block;
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
            bool mayWait = !self->IsInterrupted || entry->Kind < SizeClass.Count || MayWait(heap);
            if (bytes <= LargestHeapBytes && (aligned || inPlaceOnly) && mayWait)
            {
                // A block with something attached moves below, where that moves along.
                found = ResizeAny(heap, (byte*)block, entry, state, tag, bytes, inPlaceOnly || attached.IsSettable, alignment, flags, out resized);
            }

            if (resized != null && bytes > old && (flags & HeapFlags.ZeroMemory) != 0)
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
        void* moved = Move(thread, handle, (flags & ~HeapFlags.SettableUserValue) | settable, block, old, bytes, alignment);
        if (moved != null && attached.IsSettable)
        {
            AccessUserInfo(thread, handle, flags, moved, &attached, write: true);
        }

        return moved;
    }

    // The block is the caller's, so nobody else touches it between these calls.
    private static void* Move(ThreadState* thread, nint handle, uint flags, void* block, nuint old, nuint bytes, nuint alignment)
    {
        uint allocation = flags & ~HeapFlags.ZeroMemory;
        byte* moved = (byte*)((allocation & HeapFlags.SettableUserValue) == 0 && alignment == 0
            ? Allocate(thread, handle, allocation, bytes)
            : AllocateSlow(thread, handle, allocation, bytes, alignment));
        if (moved != null)
        {
            if (Fill(thread, handle, flags, (byte*)block, Bits.Min(old, bytes), moved, bytes) == null)
            {
                return null;
            }

            if (!Free(thread, handle, flags, block))
            {
                // Another thread has freed it meanwhile.
                Free(thread, handle, flags, moved);
                return (void*)Refuse(thread, HeapFailure.BadBlock);
            }

            HeapState* heap = HeapRegistry.Find(handle);
            if (heap != null && heap->IsCounted)
            {
                Counting.Moved();
            }
        }

        return moved;
    }

    // Fills a block of the caller's, inside the heap: else that could be destroyed meanwhile, and its memory be another's. The block, or null with BadHandle.
    private static void* Fill(ThreadState* thread, nint handle, uint flags, byte* from, nuint copied, byte* block, nuint bytes)
    {
        if (TryEnter(thread, handle, out ThreadCache* cache))
        {
            FillInside(flags, from, copied, block, bytes);
            Shared.Write(&cache->Busy, 0);
            return block;
        }

        ThreadState* self = Threads.Attach(thread);
        HeapState* heap = HeapRegistry.Find(handle);
        if (heap == null || !Gate.Enter(self, heap, handle, flags, ThreadCache.Nowhere, out cache))
        {
            return (void*)Refuse(thread, HeapFailure.BadHandle);
        }

        FillInside(flags, from, copied, block, bytes);
        Gate.Leave(heap, cache);
        return block;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
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

    // Goes into the heap through the thread's cache if that is open; the caller clears Busy in the end.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryEnter(ThreadState* thread, nint handle, out ThreadCache* cache)
    {
        cache = SlotOf(handle) < thread->TableCount ? thread->Table[SlotOf(handle)] : null;
        if (cache == null || cache->Busy != 0)
        {
            return false;
        }

        // Partner: Gate.CloseLocked.
        Shared.Write(&cache->Busy, ThreadCache.Nowhere);
        if (Shared.Read(&cache->OpenHandle) == handle)
        {
            return true;
        }

        Shared.Write(&cache->Busy, 0);
        return false;
    }

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
        resized = null;
        switch (PageEntry.KindOf(tag))
        {
            case PageEntry.FittedKind:
                resized = FittedHeap.Resize(&heap->Fitted, regions, block, bytes) ? block : null;
                return true;
            case PageEntry.LargeKind:
                return (!inPlaceOnly && bytes < WorthMovingBytes) || ResizeLarge(regions, block, entry, state, bytes, out resized);
            case PageEntry.SoloKind:
                bool mayMove = !inPlaceOnly && alignment <= Units.PageBytes;
                return (!inPlaceOnly && bytes < SoloBytes(flags) / 2) || ResizeSolo(regions, block, entry, state, bytes, mayMove, out resized);
            case PageEntry.GuardedKind:
                return true;
            default:
                nuint blockBytes = SizeClass.BlockBytes(PageEntry.KindOf(tag));
                if (bytes > blockBytes || (IsWasteful(blockBytes, bytes) && !inPlaceOnly))
                {
                    return true;
                }

                resized = block;
                return BlockState.TrySetLive(state, blockBytes - bytes);
        }
    }
}
