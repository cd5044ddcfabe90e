using PrivateHeaps.Checks;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>
/// Finds the block that a faulting access missed. Called by a signal handler of a process that is about to end, perhaps with other threads inside the
/// heap: records are read without their lock, metadata is never unmapped, and the answer is as good as that allows.
/// </summary>
internal static unsafe class Faults
{
    private static ReadOnlySpan<byte> Program => "the program\0"u8;

    /// <summary>Reports an access to a guard page or to a freed block on guard pages; false when the address is none of these.</summary>
    public static bool Report(nuint address, bool isWrite)
    {
        for (uint slot = 0; HeapRegistry.IsStarted && slot < HeapRegistry.SlotCount; slot++)
        {
            HeapState* heap = HeapRegistry.AtSlot(slot);
            BlockRecord* record = heap->Checks == null ? null : Find(&heap->Checks->Table, address);
            if (record != null)
            {
                Report(heap, record, address, isWrite);
                return true;
            }
        }

        return false;
    }

    private static BlockRecord* Find(BlockTable* table, nuint address)
    {
        BlockRecord* records = table->Records;
        uint count = table->Count;
        for (uint i = 0; records != null && i < count; i++)
        {
            Region* owner = (Region*)records[i].Owner;
            bool isGuarded = owner != null && owner->Kind == RegionKind.Guarded && records[i].State is RecordState.Live or RecordState.Quarantined;
            if (isGuarded && GuardedBlock.Contains((GuardedBlock*)owner, address))
            {
                return &records[i];
            }
        }

        return null;
    }

    private static void Report(HeapState* heap, BlockRecord* record, nuint address, bool isWrite)
    {
        FindingKind kind = record->State == RecordState.Quarantined ? FindingKind.UseAfterFree
            : address < record->Address ? FindingKind.Underflow : FindingKind.Overflow;
        Finding* finding = Heap.BeginFinding(heap, kind, Findings.AddressOf(Program));
        Damage.SetBlock(finding, record);
        Damage.DescribeAccess(finding, address, isWrite);
        Findings.Report(finding, ends: true);
    }
}
