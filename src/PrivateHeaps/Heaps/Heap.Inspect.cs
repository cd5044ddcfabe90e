using System.Runtime.CompilerServices;
using PrivateHeaps.Checks;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>Questions about blocks and heaps, the lock, and giving memory back.</summary>
internal static unsafe partial class Heap
{
    /// <summary>The requested size of a live block; nuint.MaxValue with BadBlock or BadHandle.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nuint Size(ThreadState* thread, nint handle, uint flags, void* block)
    {
        Magazine* magazine = EnterAtBlock(thread, handle, block, out ThreadCache* cache, out byte* state, out _);
        if (magazine == null)
        {
            return MeasureSlow(thread, handle, flags, block, HeapCall.Size);
        }

        byte seen = Shared.Read(state);
        if (!BlockState.IsShort(seen))
        {
            return SizeSlow(thread, handle, flags, block, cache, magazine->BlockBytesPlusOne - 1, state);
        }

        Shared.Write(&cache->Busy, (nuint)handle);
        return magazine->BlockBytesPlusOne - seen;
    }

    /// <summary>As <see cref="Size"/> for the process heap and most small blocks, by the way of a free; 0 for all others, for empty ones, and for what is no block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nuint SizeAtOnce(ThreadCache* cache, void* block)
    {
        if (cache->Busy != (nuint)ProcessHandle || !AddressMap.TryFind(block, out PageEntry* entry, out byte* state))
        {
            return 0;
        }

        // Partners: those of Push.
        Shared.Write(&cache->Busy, (nuint)block);
        nuint below = BelowOpen(cache, entry);
        nuint bytes = 0;
        if (below < PageEntry.FirstStateKind)
        {
            byte seen = Shared.Read(state);
            bytes = BlockState.IsShort(seen) ? ThreadCache.MagazineBelow(cache, below)->BlockBytesPlusOne - seen : 0u;
        }

        Shared.Write(&cache->Busy, (nuint)ProcessHandle);
        return bytes;
    }

    // Of a block with a slack in several bytes, or that another thread has freed or resizes just now; still inside the heap.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static nuint SizeSlow(ThreadState* thread, nint handle, uint flags, void* block, ThreadCache* cache, nuint blockBytes, byte* state)
    {
        nuint bytes = blockBytes - BlockState.Slack(state);
        bool isLive = BlockState.IsLive(Shared.Read(state)) && bytes <= blockBytes;
        ThreadCache.Leave(cache);
        return isLive ? bytes : MeasureSlow(thread, handle, flags, block, HeapCall.Size);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static nuint MeasureSlow(ThreadState* thread, nint handle, uint flags, void* block, HeapCall call)
    {
        ThreadState* self = Threads.Attach(thread);
        HeapState* heap = HeapRegistry.Find(handle);
        bool isChecked = heap != null && heap->Checks != null;
        if (isChecked)
        {
            BeforeCall(self, handle, call, flags, 0);
        }

        if (heap == null || !Gate.Enter(self, heap, handle, flags, Gate.At(block), out ThreadCache* cache))
        {
            RefuseHandle(thread, handle, call, flags, false);
            return nuint.MaxValue;
        }

        nuint bytes = MeasureInside(heap, block);
        bool live = bytes != nuint.MaxValue;
        if (isChecked)
        {
            // What is only asked about may be damaged or no block at all; the answer to HeapValidate is then no.
            live &= VerifyGiven(heap, block, live, call, flags) || call != HeapCall.Validate;
            bytes = live ? bytes : nuint.MaxValue;
        }

        Gate.Leave(heap, cache);
        if (isChecked)
        {
            Findings.Stop();
        }

        if (!live)
        {
            Refuse(thread, HeapFailure.BadBlock);
        }

        return bytes;
    }

    // What was measured while another thread freed or resized the block is measured again.
    private static nuint MeasureInside(HeapState* heap, void* block)
    {
        for (; ; )
        {
            if (!Locate(heap, block, out PageEntry* entry, out byte* state, out uint tag))
            {
                return BytesOfMoveableAt(heap, block);
            }

            nuint bytes = RequestedBytes(heap, block, entry, state);
            if (Locate(heap, block, out _, out _, out uint tagNow) && tagNow == tag && RequestedBytes(heap, block, entry, state) == bytes)
            {
                return bytes;
            }
        }
    }

    /// <summary>Whether a live block of this heap starts at the address; BadBlock or BadHandle if not.</summary>
    public static bool ValidateBlock(ThreadState* thread, nint handle, uint flags, void* block)
    {
        if (EnterAtBlock(thread, handle, block, out ThreadCache* cache, out _, out _) == null)
        {
            return MeasureSlow(thread, handle, flags, block, HeapCall.Validate) != nuint.MaxValue;
        }

        ThreadCache.Leave(cache);
        return true;
    }

    /// <summary>
    /// Whether everything the heap knows about itself agrees; the heap stands still meanwhile. With NoSerialize it does not wait for another
    /// thread's lock, and the caller answers for that thread's silence.
    /// </summary>
    public static bool Validate(ThreadState* thread, nint handle, uint flags)
    {
        HeapState* heap = EnterLocked(thread, handle, flags, out ThreadCache* cache);
        if (heap != null)
        {
            bool seemsSound = IsSound(heap, flags);
            Gate.Leave(heap, cache);
            Threads.Attach(thread)->Failure = HeapFailure.None;
            Findings.Stop();
            return seemsSound;
        }

        heap = BeginExclusive(thread, handle);
        if (heap == null)
        {
            return false;
        }

        bool sound = IsSound(heap, flags);
        Gate.EndExclusive(heap);
        Threads.Attach(thread)->Failure = HeapFailure.None;
        Findings.Stop();
        return sound;
    }

    private static bool IsSound(HeapState* heap, uint flags)
    {
        bool sound = Verification.IsSound(heap);
        if (heap->Checks == null)
        {
            return sound;
        }

        if (!sound)
        {
            ReportCorrupt(heap, NameOf(HeapCall.Validate, flags));
        }

        return VerifyChecked(heap, NameOf(HeapCall.Validate, flags)) && sound;
    }

    /// <summary>The heap stands still for this thread until as many calls of Unlock; without effect on a heap without serialization.</summary>
    public static bool Lock(ThreadState* thread, nint handle)
    {
        ThreadState* self = Threads.Attach(thread);
        HeapState* heap = HeapRegistry.Find(handle);
        if (heap == null)
        {
            return Refuse(thread, HeapFailure.BadHandle) != 0;
        }

        if (!heap->IsSerialized)
        {
            return true;
        }

        if (!Gate.Lock(self, heap, handle))
        {
            return Refuse(thread, HeapFailure.BadHandle) != 0;
        }

        heap->LockDepth++;
        return true;
    }

    /// <summary>Undoes one Lock of this thread; true and without effect when it holds none.</summary>
    public static bool Unlock(ThreadState* thread, nint handle)
    {
        HeapState* heap = Engine.Start() ? HeapRegistry.Find(handle) : null;
        if (heap == null)
        {
            return Refuse(thread, HeapFailure.BadHandle) != 0;
        }

        if (Gate.IsOwner(thread, heap) && heap->LockDepth != 0)
        {
            heap->LockDepth--;
            Gate.Unlock(heap);
        }

        return true;
    }

    /// <summary>The heap at this moment; it stands still meanwhile.</summary>
    public static bool Summarize(ThreadState* thread, nint handle, HeapTotals* totals)
    {
        HeapState* heap = BeginExclusive(thread, handle);
        if (heap == null)
        {
            return false;
        }

        Walker.Total(heap, totals);
        Gate.EndExclusive(heap);
        return true;
    }

    /// <summary>
    /// The next entry after the given one; false with NoMoreEntries, BadHandle or BadParameter. What the step reads stands still meanwhile:
    /// <code>
    /// Walk              the thread has locked the heap, or nobody else may be in it: nothing to do for that, 9 ns
    ///   WalkAsVisitor   within a slab, inside the heap like an allocation and with the bin locked, 28 ns
    ///   WalkSlow        all other steps, with everybody else kept out: 90 ns, and 1 us when other threads have caches
    /// </code>
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Walk(ThreadState* thread, nint handle, WalkEntry* entry)
    {
        HeapState* heap = HeapRegistry.Find(handle);
        return (heap != null && (StandsStillFor(thread, heap) ? Walker.NextStill(heap, entry) : WalkAsVisitor(heap, handle, entry)))
            || WalkSlow(thread, handle, entry);
    }

    // But for calls with HEAP_NO_SERIALIZE, which pass the lock: they answer for not coming beside a call of its owner.
    private static bool StandsStillFor(ThreadState* thread, HeapState* heap) => !heap->IsSerialized || Gate.IsOwner(thread, heap);

    // Without a cache: a thread that only walks needs none. False also while the heap stands still for somebody else; WalkSlow waits for that.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool WalkAsVisitor(HeapState* heap, nint handle, WalkEntry* entry)
    {
        // Partner: Gate.Close.
        Shared.Increment(&heap->Visitors);
        bool walked = Shared.Read(&heap->Gate) == 0 && Shared.Read(&heap->Handle) == handle && Walker.NextInBin(heap, entry);
        Shared.Decrement(&heap->Visitors);
        return walked;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool WalkSlow(ThreadState* thread, nint handle, WalkEntry* entry)
    {
        HeapState* heap = BeginExclusive(thread, handle);
        if (heap == null)
        {
            return false;
        }

        HeapFailure failure = Walker.Next(heap, entry);
        Gate.EndExclusive(heap);
        return failure == HeapFailure.None || Refuse(thread, failure) != 0;
    }

    /// <summary>
    /// Collects what the magazines hold and tells the largest committed free range; nothing is decommitted. With NoSerialize it does not wait
    /// for another thread's lock, and then only measures.
    /// </summary>
    public static bool Compact(ThreadState* thread, nint handle, uint flags, nuint* largestFreeBytes)
    {
        HeapState* heap = EnterLocked(thread, handle, flags, out ThreadCache* cache);
        if (heap != null)
        {
            *largestFreeBytes = Walker.LargestFree(heap);
            Gate.Leave(heap, cache);
            return true;
        }

        heap = BeginExclusive(thread, handle);
        if (heap == null)
        {
            return false;
        }

        FlushAll(heap);
        *largestFreeBytes = Walker.LargestFree(heap);
        Gate.EndExclusive(heap);
        Findings.Stop();
        return true;
    }

    /// <summary>Overwrites all free memory of the heap with zeros.</summary>
    public static bool ClearFree(ThreadState* thread, nint handle)
    {
        HeapState* heap = BeginExclusive(thread, handle);
        if (heap == null)
        {
            return false;
        }

        FlushAll(heap);
        Walker.ClearFree(heap);
        Gate.EndExclusive(heap);
        Findings.Stop();
        return true;
    }

    /// <summary>As <see cref="Compact"/>, and gives all free memory back to the system; handle 0 means every heap.</summary>
    public static bool Trim(ThreadState* thread, nint handle, nuint* returnedBytes)
    {
        *returnedBytes = 0;
        if (handle != 0)
        {
            return TrimOne(thread, handle, returnedBytes);
        }

        for (uint slot = 0; Engine.Start() && slot < HeapRegistry.SlotCount; slot++)
        {
            nint each = Shared.Read(&HeapRegistry.AtSlot(slot)->Handle);
            if (each != 0)
            {
                TrimOne(thread, each, returnedBytes);
            }
        }

        return true;
    }

    private static bool TrimOne(ThreadState* thread, nint handle, nuint* returnedBytes)
    {
        HeapState* heap = BeginExclusive(thread, handle);
        if (heap == null)
        {
            return false;
        }

        FlushAll(heap);
        for (uint index = 0; index < HeapState.BinCount(heap); index++)
        {
            Bin.ReturnFree(HeapState.BinOf(heap, index), &heap->Regions);
        }

        *returnedBytes += heap->IsFitted
            ? FittedHeap.DecommitFree(&heap->Fitted, &heap->Regions)
            : RegionSet.DecommitFree(&heap->Regions, 0) + SpareMappings.ReleaseAll(&heap->Regions.Spares);
        Gate.EndExclusive(heap);
        Findings.Stop();
        return true;
    }

    // Goes into a heap that another thread has locked, if the call says that it need not wait for that. Null in every other case.
    private static HeapState* EnterLocked(ThreadState* thread, nint handle, uint flags, out ThreadCache* cache)
    {
        ThreadState* self = Threads.Attach(thread);
        HeapState* heap = (flags & HeapFlags.NoSerialize) != 0 ? HeapRegistry.Find(handle) : null;
        cache = null;
        return heap != null && Gate.IsLockedByOther(self, heap) && Gate.Enter(self, heap, handle, flags, ThreadCache.Anywhere, out cache) ? heap : null;
    }

    /// <summary>The heap, which stands still for the calling thread until Gate.EndExclusive; null with BadHandle.</summary>
    private static HeapState* BeginExclusive(ThreadState* thread, nint handle)
    {
        ThreadState* self = Threads.Attach(thread);
        HeapState* heap = HeapRegistry.Find(handle);
        return heap != null && Gate.BeginExclusive(self, heap, handle) ? heap : (HeapState*)Refuse(thread, HeapFailure.BadHandle);
    }
}
