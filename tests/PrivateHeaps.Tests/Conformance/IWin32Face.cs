using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Conformance;

/// <summary>The faces that have all sixteen functions and a last error.</summary>
public unsafe interface IWin32Face : IHeapFace
{
    /// <summary>The calling thread's.</summary>
    uint LastError { get; set; }

    nint GetProcessHeap();

    uint GetProcessHeaps(uint capacity, nint* heaps);

    bool HeapLock(nint heap);

    bool HeapUnlock(nint heap);

    bool HeapWalk(nint heap, PROCESS_HEAP_ENTRY* entry);

    nuint HeapCompact(nint heap, uint flags);

    bool HeapSummary(nint heap, uint flags, HEAP_SUMMARY* summary);

    bool HeapQueryInformation(nint heap, HEAP_INFORMATION_CLASS kind, void* buffer, nuint length, nuint* returnLength);

    bool HeapSetInformation(nint heap, HEAP_INFORMATION_CLASS kind, void* buffer, nuint length);

    List<Entry> IHeapFace.Contents(nint heap)
    {
        List<Entry> entries = [];
        HashSet<byte> regions = [];
        PROCESS_HEAP_ENTRY entry = default;
        while (HeapWalk(heap, &entry))
        {
            HeapEntryKind kind = entry.wFlags switch
            {
                HeapApi.PROCESS_HEAP_REGION => HeapEntryKind.Region,
                HeapApi.PROCESS_HEAP_UNCOMMITTED_RANGE => HeapEntryKind.Uncommitted,
                HeapApi.PROCESS_HEAP_ENTRY_BUSY => HeapEntryKind.Block,
                0 => HeapEntryKind.Free,
                _ => throw new InvalidOperationException($"A walk showed the unknown flags 0x{entry.wFlags:X}."),
            };
            if (kind == HeapEntryKind.Region)
            {
                regions.Add(entry.iRegionIndex);
            }

            // A block of no region has a mapping of its own.
            int region = regions.Contains(entry.iRegionIndex) ? entry.iRegionIndex : -1;
            entries.Add(new Entry(kind, entry.lpData, entry.cbData, entry.cbOverhead, region));
        }

        return entries;
    }

    Sizes IHeapFace.Measure(nint heap)
    {
        HEAP_SUMMARY summary = default;
        summary.cb = (uint)sizeof(HEAP_SUMMARY);
        Assert.True(HeapSummary(heap, 0, &summary));
        return new Sizes(summary.cbAllocated, summary.cbCommitted, summary.cbReserved, summary.cbMaxReserve);
    }
}
