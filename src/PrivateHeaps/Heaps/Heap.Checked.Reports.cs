using System.Runtime.CompilerServices;
using PrivateHeaps.Checks;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>What checks say about calls and about whole heaps. A report may be made inside the heap; Findings.Stop comes outside of it.</summary>
internal static unsafe partial class Heap
{
    /// <summary>The most findings of one kind that one look at a whole heap reports.</summary>
    private const uint MostReports = 50;

    /// <summary>BadHandle; a finding when the environment asks for parameters to be checked.</summary>
    private static nint RefuseHandle(ThreadState* thread, nint handle, HeapCall call, uint flags, bool isAligned)
    {
        if ((CheckSettings.Checks & HeapChecks.ParameterChecking) != 0 && Findings.Initialize())
        {
            byte* function = CallNames.Of(call, FaceOf(flags), (flags & HeapFlags.ZeroMemory) != 0, isAligned);
            Finding* finding = Findings.Begin(FindingKind.BadHandle, function);
            finding->Address = (nuint)handle;
            TextBuffer text = Finding.BeginMessage(finding);
            text.Add(function);
            text.Add(" was given the heap "u8);
            text.AddHex((nuint)handle);
            text.Add(", which is none or was destroyed."u8);
            Findings.Report(finding, (CheckSettings.Checks & HeapChecks.Continue) == 0);
            Findings.Stop();
        }

        return Refuse(thread, HeapFailure.BadHandle);
    }

    private static void ReportParameter(HeapState* heap, HeapCall call, uint flags, uint strange, nuint bytes)
    {
        byte* function = NameOf(call, flags);
        Finding* finding = BeginFinding(heap, FindingKind.BadParameter, function);
        TextBuffer text = Finding.BeginMessage(finding);
        text.Add(function);
        if (strange != 0)
        {
            text.Add(" was given the flags "u8);
            text.AddHex(flags);
            text.Add(", of which "u8);
            text.AddHex(strange);
            text.Add(" mean nothing to it"u8);
        }
        else
        {
            finding->Bytes = bytes;
            text.Add(" was asked for "u8);
            text.AddDecimal(bytes);
            text.Add(" bytes, which is more than any address space has"u8);
        }

        text.Add("."u8);
        Report(heap, finding);
    }

    private static void ReportCorrupt(HeapState* heap, byte* function)
    {
        Finding* finding = BeginFinding(heap, FindingKind.Corrupt, function);
        TextBuffer text = Finding.BeginMessage(finding);
        text.Add("the structures of "u8);
        Damage.AddHeap(ref text, finding);
        text.Add(" disagree (found by "u8);
        text.Add(function);
        text.Add(")."u8);
        Report(heap, finding);
    }

    // An address that is no live block: what the record knows, if there is one, and what the address map says. A heap that only samples leaves to its
    // face what it has no record of.
    private static void ReportAddress(HeapState* heap, byte* address, HeapCall call, uint flags)
    {
        CheckState* checks = heap->Checks;
        BlockRecord* record = BlockTable.Find(&checks->Table, address);
        bool isKnown = record != null && record->State is RecordState.Quarantined or RecordState.Freed;
        if (!isKnown && !checks->ClosesCaches)
        {
            return;
        }

        byte* function = NameOf(call, flags);
        Finding* finding = BeginFinding(heap, FindingKind.BadAddress, function);
        TextBuffer text = Finding.BeginMessage(finding);
        text.Add(function);
        text.Add(" was given "u8);
        text.AddHex((nuint)address);
        text.Add(", which "u8);
        bool isFreed = isKnown;
        if (isKnown)
        {
            Damage.SetBlock(finding, record);
            text.Add("was already freed"u8);
        }
        else
        {
            isFreed = Diagnosis.AddWhat(ref text, heap, address);
        }

        finding->Kind = !isFreed ? FindingKind.BadAddress : call == HeapCall.Free ? FindingKind.DoubleFree : FindingKind.UseAfterFree;
        finding->Address = (nuint)address;
        text.Add("."u8);
        Report(heap, finding);
    }

    /// <summary>Looks at an address that was given to a call which does not free it; true when it is a live block whose borders are whole.</summary>
    private static bool VerifyGiven(HeapState* heap, void* block, bool isLive, HeapCall call, uint flags)
    {
        CheckState* checks = heap->Checks;
        bool sound = isLive;
        OsLock.Enter(&checks->Lock);
        if (!isLive)
        {
            // To ask whether an address is a block is no misuse.
            if (call != HeapCall.Validate && block != null)
            {
                ReportAddress(heap, (byte*)block, call, flags);
            }
        }
        else
        {
            BlockRecord* record = BlockTable.Find(&checks->Table, block);
            if (record != null && record->State == RecordState.Live && call != HeapCall.Size)
            {
                sound = VerifyBorders(heap, record, AddressMap.EntryOf(block), AddressMap.StateOf(block), NameOf(call, flags));
            }
        }

        OsLock.Leave(&checks->Lock);
        return sound;
    }

    /// <summary>Verifies the borders of all live blocks and the fill of all that wait in quarantine. True when all are whole.</summary>
    private static bool VerifyChecked(HeapState* heap, byte* function)
    {
        CheckState* checks = heap->Checks;
        uint damaged = 0;
        OsLock.Enter(&checks->Lock);
        for (uint i = 0; i < checks->Table.Count && damaged < MostReports; i++)
        {
            BlockRecord* record = &checks->Table.Records[i];
            bool sound = true;
            if (record->State == RecordState.Quarantined)
            {
                sound = VerifyFreed(heap, record, function);
            }
            else if (record->State == RecordState.Live && LocateAny(heap, (void*)record->Address, out PageEntry* entry, out byte* state))
            {
                sound = VerifyBorders(heap, record, entry, state, function);
            }

            damaged += sound ? 0u : 1;
        }

        OsLock.Leave(&checks->Lock);
        return damaged == 0;
    }

    /// <summary>As <see cref="VerifyChecked"/>, and the leaks if they are asked for: the blocks are about to go. Nobody else is inside.</summary>
    private static void VerifyLast(HeapState* heap, HeapCall call, bool withLeaks)
    {
        VerifyChecked(heap, NameOf(call, 0));
        if (withLeaks && heap->Checks->Has(HeapChecks.Leaks))
        {
            Leaks.Report(heap, call);
        }
    }

    /// <summary>
    /// As <see cref="VerifyLast"/> for a heap that stays until the process is gone; a handle of no heap is nothing to look at. Nor is a heap that another thread
    /// has locked, since that may never end.
    /// </summary>
    public static void VerifyAtEnd(ThreadState* self, nint handle, bool withLeaks)
    {
        HeapState* heap = HeapRegistry.Find(handle);
        if (heap != null && heap->Checks != null && !Gate.IsLockedByOther(self, heap) && Gate.BeginExclusive(self, heap, handle))
        {
            VerifyLast(heap, HeapCall.Exit, withLeaks);
            Gate.EndExclusive(heap);
        }
    }

    // Gives back what only records know of, and forgets them; all blocks are going.
    private static void ForgetChecked(HeapState* heap)
    {
        BlockTable* table = &heap->Checks->Table;
        for (uint i = 0; i < table->Count; i++)
        {
            BlockRecord* record = &table->Records[i];
            if (record->Owner == null)
            {
                continue;
            }

            if (record->State == RecordState.Quarantined)
            {
                ReleaseOwner(heap, (Region*)record->Owner);
            }
            else if (record->State == RecordState.Live)
            {
                byte* block = (byte*)record->Address;
                FreeGuarded(heap, block, AddressMap.EntryOf(block), AddressMap.StateOf(block));
            }
        }

        CheckState.Forget(heap->Checks);
    }

    // Adds what the heap and the environment ask for; false when there is no memory for it.
    private static bool AddChecks(HeapState* heap, HeapLimits* limits)
    {
        nuint asked = (uint)limits->Checks | limits->SampleRate | (limits->Options & (HeapFlags.TailChecking | HeapFlags.FreeChecking)) | limits->QuarantineBytes;
        return (asked == 0 && !CheckSettings.AreSet) || CreateChecks(heap, limits);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool CreateChecks(HeapState* heap, HeapLimits* limits)
    {
        HeapChecks checks = limits->Checks | CheckSettings.Checks;
        checks |= (limits->Options & HeapFlags.TailChecking) != 0 ? HeapChecks.TailChecking : 0;
        checks |= (limits->Options & HeapFlags.FreeChecking) != 0 ? HeapChecks.FreeChecking : 0;
        heap->Checks = CheckState.Create(
            HeapRegistry.NextHandle(heap),
            checks,
            limits->QuarantineBytes != 0 ? limits->QuarantineBytes : CheckSettings.QuarantineBytes,
            limits->SampleRate != 0 ? limits->SampleRate : CheckSettings.SampleRate,
            out bool isRefused);
        if (heap->Checks != null)
        {
            Checking.ExpectEnd();
        }

        return !isRefused;
    }

    /// <summary>The structure of a finding about a heap.</summary>
    public static Finding* BeginFinding(HeapState* heap, FindingKind kind, byte* function)
    {
        Finding* finding = Findings.Begin(kind, function);
        Damage.SetHeap(finding, heap->Checks->Handle, (byte*)&heap->Name, heap->Slot == 0);
        return finding;
    }

    private static void Report(HeapState* heap, Finding* finding) => Findings.Report(finding, !heap->Checks->Has(HeapChecks.Continue));

    private static byte* NameOf(HeapCall call, uint flags) => CallNames.Of(call, FaceOf(flags), (flags & HeapFlags.ZeroMemory) != 0, false);

    private static CallFace FaceOf(uint flags) =>
        (flags & HeapFlags.MapsEarly) != 0 ? CallFace.Malloc : (flags & HeapFlags.OfLibrary) != 0 ? CallFace.Library : CallFace.Win32;
}
