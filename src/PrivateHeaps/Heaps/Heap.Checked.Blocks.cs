using PrivateHeaps.Checks;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>
/// The end of a block of a heap with checks: verified, filled, kept in quarantine, verified again, freed. A block in quarantine is dead like any other;
/// its pages or granules stay taken, and only its record knows of it. Under the lock of the heap's checks.
/// </summary>
internal static unsafe partial class Heap
{
    private static bool GiveChecked(ThreadState* self, HeapState* heap, ThreadCache* cache, uint flags, byte* block, uint stack, nuint* bytes, bool isHeld)
    {
        if (Gate.IsInterrupted(self, cache))
        {
            return GiveUnrecorded(heap, cache, block, bytes, isHeld);
        }

        CheckState* checks = heap->Checks;
        OsLock.Enter(&checks->Lock);
        bool live = LocateGiven(heap, block, isHeld, out PageEntry* entry, out byte* state, out uint tag);
        bool freed = live;
        if (!live)
        {
            ReportAddress(heap, block, HeapCall.Free, flags);
        }
        else
        {
            *bytes = RequestedBytes(heap, block, entry, state);
            BlockRecord* record = BlockTable.Find(&checks->Table, block);
            UserValues.Remove(&heap->UserValues, block);

            if (record == null || record->State != RecordState.Live)
            {
                freed = FreeInside(heap, cache, block, entry, state, tag);
            }
            else
            {
                VerifyBorders(heap, record, entry, state, NameOf(HeapCall.Free, flags));
                Retire(heap, cache, record, entry, state, tag, stack, flags);
            }
        }

        OsLock.Leave(&checks->Lock);
        return freed;
    }

    private static bool LocateGiven(HeapState* heap, byte* block, bool isHeld, out PageEntry* entry, out byte* state, out uint tag)
    {
        if (!isHeld)
        {
            return Locate(heap, block, out entry, out state, out tag);
        }

        LocateHeld(block, out entry, out state, out tag);
        return true;
    }

    private static bool GiveUnrecorded(HeapState* heap, ThreadCache* cache, byte* block, nuint* bytes, bool isHeld)
    {
        if (!LocateGiven(heap, block, isHeld, out PageEntry* entry, out byte* state, out uint tag))
        {
            return false;
        }

        *bytes = RequestedBytes(heap, block, entry, state);
        if (PageEntry.KindOf(tag) < SizeClass.Count)
        {
            bool freed = TryEnd(state, tag);
            if (freed)
            {
                FreeInterrupted(heap, block, state);
            }

            return freed;
        }

        return FreeInside(heap, cache, block, entry, state, tag);
    }

    // A verified live block into the quarantine; and what has no more room there, out of it.
    private static void Retire(HeapState* heap, ThreadCache* cache, BlockRecord* record, PageEntry* entry, byte* state, uint tag, uint stack, uint flags)
    {
        CheckState* checks = heap->Checks;
        byte* block = (byte*)record->Address;
        record->FreedBy = stack;
        if (!Quarantine.Add(&checks->Quarantine, block, record->Bytes))
        {
            record->State = RecordState.Freed;
            record->Owner = null;
            FreeInside(heap, cache, block, entry, state, tag);
            return;
        }

        record->State = RecordState.Quarantined;
        switch (entry->Kind)
        {
            case PageEntry.GuardedKind:
                DetachGuarded(heap, block, entry, state);
                break;
            case PageEntry.SoloKind:
                record->Owner = DetachSolo(&heap->Regions, entry, state);
                FillFreed(checks, record);
                break;
            default:
                BlockState.Kill(state);
                FillFreed(checks, record);
                break;
        }

        while (checks->Quarantine.IsFull)
        {
            ReleaseAny(heap, cache, NameOf(HeapCall.Free, flags));
        }
    }

    private static void FillFreed(CheckState* checks, BlockRecord* record)
    {
        if (checks->Has(HeapChecks.FreeChecking))
        {
            Pattern.Write((byte*)record->Address, record->Bytes, Pattern.Freed);
        }
    }

    private static void ReleaseAny(HeapState* heap, ThreadCache* cache, byte* function)
    {
        CheckState* checks = heap->Checks;
        byte* block = Quarantine.TakeAny(&checks->Quarantine);
        BlockRecord* record = BlockTable.Find(&checks->Table, block);
        Quarantine.Forget(&checks->Quarantine, record->Bytes);
        VerifyFreed(heap, record, function);
        Region* owner = (Region*)record->Owner;
        record->State = RecordState.Freed;
        record->Owner = null;
        if (owner != null)
        {
            ReleaseOwner(heap, owner);
            return;
        }

        PageEntry* entry = AddressMap.EntryOf(block);
        byte* state = AddressMap.StateOf(block);
        switch (entry->Kind)
        {
            case PageEntry.FittedKind:
                Round round = new() { Block = block, State = state };
                FittedHeap.Give(&heap->Fitted, &heap->Regions, &round, 1);
                break;
            case PageEntry.LargeKind:
                FreeLarge(&heap->Regions, block, entry, state, entry->Tag);
                break;
            default:
                GiveSmall(heap, cache, entry->Kind, block, state);
                break;
        }
    }

    // The mapping of a block that is in no list any more.
    private static void ReleaseOwner(HeapState* heap, Region* owner)
    {
        if (owner->Kind == RegionKind.Guarded)
        {
            GuardedBlock.Release((GuardedBlock*)owner);
        }
        else
        {
            ReleaseSolo(&heap->Regions, owner);
        }
    }

    /// <summary>Frees all blocks that wait for it. The caller has the heap stand still.</summary>
    private static void EmptyQuarantine(HeapState* heap, HeapCall call)
    {
        CheckState* checks = heap->Checks;
        OsLock.Enter(&checks->Lock);
        while (checks->Quarantine.Count != 0)
        {
            ReleaseAny(heap, null, NameOf(call, 0));
        }

        OsLock.Leave(&checks->Lock);
    }

    /// <summary>Verifies what lies around a live block, reports what was overwritten, and writes it anew, so that it is reported once. True when nothing was.</summary>
    private static bool VerifyBorders(HeapState* heap, BlockRecord* record, PageEntry* entry, byte* state, byte* function)
    {
        bool isGuarded = entry->Kind == PageEntry.GuardedKind;
        if (!isGuarded && !heap->Checks->Has(HeapChecks.TailChecking))
        {
            return true;
        }

        byte* block = (byte*)record->Address;
        nuint slack = BlockState.Slack(state);
        byte* end = block + record->Bytes;
        nuint tail = isGuarded ? slack : Bits.Min(slack, CheckState.LargestTailBytes);
        bool sound = VerifyBehind(heap, record, end, tail, function);
        if (isGuarded)
        {
            Region* pages = (Region*)entry->Owner;
            return VerifyFront(heap, record, pages->Base, pages->HeaderBytes, function) && sound;
        }

        bool hasFront = record->HasFront && !heap->Checks->HasUnrecorded;
        return (!hasFront || IsEmptied(block) || VerifyFront(heap, record, block - CheckState.SmallestTailBytes, CheckState.SmallestTailBytes, function)) && sound;
    }

    private static bool VerifyBehind(HeapState* heap, BlockRecord* record, byte* end, nuint tail, byte* function)
    {
        if (!Pattern.IsDamaged(end, tail, Pattern.Border, out nuint first, out nuint last))
        {
            return true;
        }

        // Damage that begins far behind this block and close in front of the next one was done by the owner of that.
        bool isNear = first < CheckState.SmallestTailBytes || first + CheckState.SmallestTailBytes < tail;
        byte* next = isNear ? null : NeighborOf((byte*)record->Address, 1);
        BlockRecord* behind = next == null ? null : BlockTable.Find(&heap->Checks->Table, next);
        if (behind != null && behind->State == RecordState.Live && next == end + tail)
        {
            return VerifyFront(heap, behind, next - CheckState.SmallestTailBytes, CheckState.SmallestTailBytes, function);
        }

        Finding* finding = BeginFinding(heap, FindingKind.Overflow, function);
        Damage.SetBlock(finding, record);
        Damage.DescribeOverrun(finding, first, last, (nuint)(end + tail));
        Report(heap, finding);
        Pattern.Write(end, tail, Pattern.Border);
        return false;
    }

    private static bool VerifyFront(HeapState* heap, BlockRecord* record, byte* front, nuint bytes, byte* function)
    {
        if (!Pattern.IsDamaged(front, bytes, Pattern.Border, out nuint first, out nuint last))
        {
            return true;
        }

        Finding* finding = BeginFinding(heap, FindingKind.Underflow, function);
        Damage.SetBlock(finding, record);
        Damage.DescribeUnderrun(finding, bytes - last, bytes - first, front);
        Report(heap, finding);
        Pattern.Write(front, bytes, Pattern.Border);
        return false;
    }

    // The page in front of a block may have been given back to the system while the slot there was free.
    private static bool IsEmptied(byte* block) => ((ulong*)block)[-1] == 0 && ((ulong*)block)[-2] == 0;

    /// <summary>The same for a block in quarantine.</summary>
    private static bool VerifyFreed(HeapState* heap, BlockRecord* record, byte* function)
    {
        CheckState* checks = heap->Checks;
        Region* owner = (Region*)record->Owner;
        nuint bytes = record->Bytes;
        byte* block = (byte*)record->Address;
        if (owner != null && owner->Kind == RegionKind.Guarded)
        {
            return true;
        }

        bool isDamaged = false;
        nuint first = 0;
        nuint last = 0;
        if (checks->Has(HeapChecks.FreeChecking))
        {
            isDamaged = Pattern.IsDamaged(block, bytes, Pattern.Freed, out first, out last);
        }

        // The tail is as it was when the block was freed.
        if (!isDamaged && Pattern.IsDamaged(block + bytes, checks->TailBytes, Pattern.Border, out first, out last))
        {
            isDamaged = true;
            first += bytes;
            last += bytes;
        }

        if (!isDamaged)
        {
            return true;
        }

        Finding* finding = BeginFinding(heap, FindingKind.UseAfterFree, function);
        Damage.SetBlock(finding, record);
        Damage.DescribeWriteAfterFree(finding, first, last, (nuint)(block + bytes + checks->TailBytes));
        Report(heap, finding);
        FillFreed(checks, record);
        Pattern.Write(block + bytes, checks->TailBytes, Pattern.Border);
        return false;
    }
}
