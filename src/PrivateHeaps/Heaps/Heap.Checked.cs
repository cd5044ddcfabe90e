using PrivateHeaps.Checks;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>
/// Allocation and freeing in a heap with checks.
/// <code>
/// AllocateChecked
///   BeforeCall                         parameters and, if asked for, the whole heap
///   TakeChecked                        a block with room for its tail, or on guard pages; filled, and recorded
/// FreeChecked
///   BeforeCall
///   GiveChecked                        refuse and report, or verify what lies around the block
///     Retire                           fill it, into the quarantine; what that pushes out is verified and freed
/// Findings.Stop                        outside of the heap: the process ends, or an exception is thrown
/// </code>
/// A heap that only samples has records of its blocks on guard pages alone; all others go the usual way.
/// </summary>
internal static unsafe partial class Heap
{
    // Flags that mean something to each call of the Win32 face, beside tags and what a heap is created with.
    private const uint CommonFlags = HeapFlags.NoSerialize | HeapFlags.GenerateExceptions;
    private const uint FlagsOfAllocation = CommonFlags | HeapFlags.ZeroMemory | HeapFlags.SettableUserValue | HeapFlags.UserFlags;

    private static void* AllocateChecked(ThreadState* thread, ThreadState* self, nint handle, uint flags, nuint bytes, nuint alignment)
    {
        HeapState* heap = HeapRegistry.Find(handle);
        BeforeCall(self, handle, HeapCall.Allocate, flags, bytes);
        uint stack = heap == null || !heap->IsChecked ? 0 : CheckState.Capture(heap->Checks);
        for (bool lastTry = false; ; lastTry = true)
        {
            if (heap == null || !Gate.Enter(self, heap, handle, flags, ThreadCache.Anywhere, out ThreadCache* cache))
            {
                return (void*)Refuse(thread, HeapFailure.BadHandle);
            }

            bool isInterrupted = Gate.IsInterrupted(self, cache);
            byte* block = isInterrupted
                ? AllocateUnrecorded(heap, cache, flags, bytes, alignment)
                : TakeChecked(heap, cache, flags, bytes, alignment, lastTry, stack);
            Gate.Leave(heap, cache);
            if (block != null || lastTry || isInterrupted || !Reclaim(self, heap, handle, bytes))
            {
                return AnswerAllocation(thread, heap, block, bytes);
            }
        }
    }

    private static bool FreeChecked(ThreadState* thread, ThreadState* self, nint handle, uint flags, void* block)
    {
        if (block == null)
        {
            return Refuse(thread, HeapFailure.BadBlock) != 0;
        }

        HeapState* heap = HeapRegistry.Find(handle);
        BeforeCall(self, handle, HeapCall.Free, flags, 0);
        uint stack = heap == null ? 0 : CheckState.Capture(heap->Checks);
        if (heap == null || !EnterToChange(self, heap, handle, flags, block, out ThreadCache* cache, out _, out _, out _))
        {
            return Refuse(thread, HeapFailure.BadHandle) != 0;
        }

        nuint bytes = 0;
        bool freed = GiveChecked(self, heap, cache, flags, (byte*)block, stack, &bytes, isHeld: false);
        ReturnSurplus(heap, cache);
        Gate.Leave(heap, cache);
        Findings.Stop();
        if (!freed)
        {
            return Refuse(thread, HeapFailure.BadBlock) != 0;
        }

        if (heap->IsCounted)
        {
            Counting.Freed(heap, bytes);
        }

        return true;
    }

    // In a signal handler that interrupted its own thread inside the heap, perhaps with the records half changed.
    private static byte* AllocateUnrecorded(HeapState* heap, ThreadCache* cache, uint flags, nuint bytes, nuint alignment)
    {
        heap->Checks->HasUnrecorded = true;
        bool isSettable = (flags & HeapFlags.SettableUserValue) != 0;
        byte* block = AllocateInterrupted(heap, flags, bytes, alignment);
        return isSettable ? MakeSettable(heap, cache, block, flags) : block;
    }

    private static byte* TakeChecked(HeapState* heap, ThreadCache* cache, uint flags, nuint bytes, nuint alignment, bool lastTry, uint stack)
    {
        CheckState* checks = heap->Checks;
        bool isSettable = (flags & HeapFlags.SettableUserValue) != 0;
        byte* block = null;
        OsLock.Enter(&checks->Lock);
        bool isGuarded = (CheckState.IsDue(checks, 1) || checks->Has(HeapChecks.PageHeap)) && !heap->IsBounded;
        if ((isGuarded || checks->ClosesCaches) && BlockTable.Reserve(&checks->Table))
        {
            block = isGuarded ? AllocateGuarded(heap, bytes, alignment) : null;
            bool isTailed = block == null && checks->ClosesCaches;
            block = isTailed ? AllocateTailed(heap, cache, flags, bytes, alignment, lastTry) : block;
            if (isSettable)
            {
                block = MakeSettable(heap, cache, block, flags);
            }

            if (block != null)
            {
                Record(heap, block, bytes, checks->ClosesCaches ? stack : CheckState.Capture(checks));
                FillFresh(checks, block, 0, bytes, flags);
            }
        }

        OsLock.Leave(&checks->Lock);
        if (block != null || checks->ClosesCaches)
        {
            return block;
        }

        block = AllocateInside(heap, cache, flags, bytes, alignment, lastTry);
        return isSettable ? MakeSettable(heap, cache, block, flags) : block;
    }

    /// <summary>
    /// For a thread whose magazine was just refilled: the block on guard pages that is to be given out in place of the round, which goes back into the
    /// magazine; null when it is not the time for that.
    /// </summary>
    private static byte* TakeSampled(HeapState* heap, Magazine* magazine, Round* round, nuint bytes)
    {
        CheckState* checks = heap->Checks;
        if (!CheckState.IsDue(checks, (int)Magazine.Count(magazine) + 1) || heap->IsBounded || magazine->Top + 1 == magazine->Limit)
        {
            return null;
        }

        OsLock.Enter(&checks->Lock);
        byte* block = BlockTable.Reserve(&checks->Table) ? AllocateGuarded(heap, bytes, 0) : null;
        if (block != null)
        {
            Record(heap, block, bytes, CheckState.Capture(checks));
            *magazine->Top++ = *round;
        }

        OsLock.Leave(&checks->Lock);
        return block;
    }

    // The block is larger than asked for by its tail, which the slack in its state says; so every question for its size is answered as ever.
    private static byte* AllocateTailed(HeapState* heap, ThreadCache* cache, uint flags, nuint bytes, nuint alignment, bool lastTry)
    {
        nuint tail = heap->Checks->TailBytes;
        byte* block = bytes > LargestHeapBytes ? null : AllocateInside(heap, cache, flags, bytes + tail, alignment, lastTry);
        if (block != null)
        {
            byte* state = AddressMap.StateOf(block);
            nuint slack = BlockState.Slack(state) + tail;
            BlockState.SetLive(state, slack);
            WriteTail(heap->Checks, block, bytes, slack);
        }

        return block;
    }

    private static void Record(HeapState* heap, byte* block, nuint bytes, uint stack)
    {
        BlockRecord* record = BlockTable.Add(&heap->Checks->Table, block);
        PageEntry* entry = AddressMap.EntryOf(block);
        record->Bytes = bytes;
        record->AllocatedBy = stack;
        record->Owner = entry->Kind == PageEntry.GuardedKind ? entry->Owner : null;
        record->State = RecordState.Live;
        record->HasFront = WriteFront(heap, block);
    }

    /// <summary>
    /// Resizes where the block lies, or by moving its pages; resized is null when it must move by copying. The tail was verified. False when another thread has
    /// freed the block meanwhile.
    /// </summary>
    private static bool ResizeChecked(
        HeapState* heap, byte* block, PageEntry* entry, byte* state, uint tag, nuint bytes, bool inPlaceOnly, nuint alignment, uint flags, out byte* resized)
    {
        CheckState* checks = heap->Checks;
        OsLock.Enter(&checks->Lock);
        BlockRecord* record = BlockTable.Find(&checks->Table, block);
        bool live = PageEntry.BiasOf(tag) == Bias.Held || Locate(heap, block, out _, out _);
        resized = null;
        if (record == null || record->State != RecordState.Live)
        {
            // A checked block of the new size takes its place, unless it must not move.
            if (live && (inPlaceOnly || !checks->ClosesCaches))
            {
                live = ResizeInside(heap, block, entry, state, tag, bytes, inPlaceOnly, alignment, flags, out resized);
            }
        }
        else if (entry->Kind == PageEntry.GuardedKind)
        {
            resized = ResizeGuarded(checks, record, entry, state, bytes, inPlaceOnly);
        }
        else if (BlockTable.Reserve(&checks->Table))
        {
            record = BlockTable.Find(&checks->Table, block);
            nuint old = record->Bytes;
            uint stack = record->AllocatedBy;
            nuint tail = checks->TailBytes;
            live = ResizeInside(heap, block, entry, state, tag, bytes + tail, inPlaceOnly, alignment, flags, out resized);
            if (resized != null)
            {
                nuint slack = BlockState.Slack(AddressMap.StateOf(resized)) + tail;
                SetSlack(AddressMap.StateOf(resized), slack);
                WriteTail(checks, resized, bytes, slack);
                FillFresh(checks, resized, old, bytes, flags);
                record->State = RecordState.Freed;
                Record(heap, resized, bytes, stack);
            }
        }

        OsLock.Leave(&checks->Lock);
        return live;
    }

    // Of a block that is live, or held and stays so. Under the lock, as is all that changes a recorded block.
    private static void SetSlack(byte* state, nuint slack)
    {
        if (BlockState.IsHeld(*state))
        {
            BlockState.SetHeld(state, slack);
        }
        else
        {
            BlockState.SetLive(state, slack);
        }
    }

    private static void WriteTail(CheckState* checks, byte* block, nuint bytes, nuint slack)
    {
        if (checks->Has(HeapChecks.TailChecking))
        {
            Pattern.Write(block + bytes, Bits.Min(slack, CheckState.LargestTailBytes), Pattern.Border);
        }
    }

    // What lies in front of a block in its slab is the end of the slot before, which is a border already if that block is recorded, and nobody's if it
    // is free. True when it is a border now.
    private static bool WriteFront(HeapState* heap, byte* block)
    {
        CheckState* checks = heap->Checks;
        byte* before = checks->Has(HeapChecks.TailChecking) ? NeighborOf(block, -1) : null;
        if (before == null)
        {
            return false;
        }

        BlockRecord* record = BlockTable.Find(&checks->Table, before);
        bool isRecorded = record != null && record->State is RecordState.Live or RecordState.Quarantined;
        if (!isRecorded && BlockState.IsBlock(*AddressMap.StateOf(before)))
        {
            return false;
        }

        if (!isRecorded)
        {
            Pattern.Write(block - CheckState.SmallestTailBytes, CheckState.SmallestTailBytes, Pattern.Border);
        }

        return true;
    }

    // The slot before or behind a block of a slab; null when there is none.
    private static byte* NeighborOf(byte* block, int step)
    {
        PageEntry* entry = AddressMap.EntryOf(block);
        if (entry->Kind >= SizeClass.Count)
        {
            return null;
        }

        Slab* slab = (Slab*)entry->Owner;
        uint slot = Slab.SlotOf(slab, (nuint)block) + (uint)step;
        return slot < slab->SlotCount ? slab->Base + (nuint)slot * slab->BlockBytes : null;
    }

    // What the block has gained and nobody has asked to be zero.
    private static void FillFresh(CheckState* checks, byte* block, nuint old, nuint bytes, uint flags)
    {
        if (bytes > old && checks->Has(HeapChecks.FreeChecking) && (flags & HeapFlags.ZeroMemory) == 0)
        {
            Pattern.Write(block + old, bytes - old, Pattern.Fresh);
        }
    }

    /// <summary>
    /// What a call names before it looks at any block: flags and sizes that mean nothing (hpc), and whatever is wrong in the heap (hvc). Outside of the heap.
    /// </summary>
    private static void BeforeCall(ThreadState* self, nint handle, HeapCall call, uint flags, nuint bytes)
    {
        HeapState* heap = HeapRegistry.Find(handle);
        CheckState* checks = heap == null ? null : heap->Checks;
        if (checks == null)
        {
            return;
        }

        if (checks->Has(HeapChecks.ParameterChecking))
        {
            uint allowed = call switch
            {
                HeapCall.Allocate => FlagsOfAllocation,
                HeapCall.Resize => FlagsOfAllocation | HeapFlags.ReallocInPlaceOnly,
                _ => CommonFlags,
            };
            bool isWin32 = (flags & (HeapFlags.MapsEarly | HeapFlags.OfLibrary)) == 0;
            uint strange = isWin32 ? flags & ~allowed & 0xFFFF : 0;
            if (strange != 0 || bytes > (nuint)nint.MaxValue)
            {
                ReportParameter(heap, call, flags, strange, bytes);
            }
        }

        if (checks->Has(HeapChecks.ValidateOnCall) && call != HeapCall.Validate && Gate.BeginExclusive(self, heap, handle))
        {
            VerifyChecked(heap, NameOf(call, flags));
            if (!Verification.IsSound(heap))
            {
                ReportCorrupt(heap, NameOf(call, flags));
            }

            Gate.EndExclusive(heap);
        }

        Findings.Stop();
    }
}
