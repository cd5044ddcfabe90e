/* HeapWalk: the protocol, the order of entries and the fields of each kind. */
#include "cases.h"

static const char *kind_of(const PROCESS_HEAP_ENTRY *entry)
{
    switch (entry->wFlags) {
    case 0: return "free";
    case PROCESS_HEAP_REGION: return "region";
    case PROCESS_HEAP_UNCOMMITTED_RANGE: return "uncommitted";
    case PROCESS_HEAP_ENTRY_BUSY: return entry->cbData >= MiB ? "large" : "busy";
    default: return "odd";
    }
}

/* Free blocks one behind the other, of which there may be any number, are said once. */
static void observe_order(const char *name, HANDLE heap)
{
    char kinds[2000] = "";
    const char *before = "";
    PROCESS_HEAP_ENTRY entry = { .lpData = NULL };
    while (HeapWalk(heap, &entry) && strlen(kinds) < sizeof kinds - 20) {
        const char *kind = kind_of(&entry);
        if (entry.wFlags != 0 || strcmp(before, kind) != 0)
            strcat(strcat(kinds, kinds[0] ? " " : ""), kind);
        before = kind;
    }
    observe(named("order, %s", name), "%s", kinds);
}

static void observe_orders(void)
{
    HANDLE heap = HeapCreate(0, 0, 0);
    observe_order("new heap", heap);
    void *block = HeapAlloc(heap, 0, 123);
    observe_order("one block", heap);
    HeapFree(heap, 0, block);
    observe_order("its block freed", heap);
    void *large = HeapAlloc(heap, 0, 2 * MiB);
    observe_order("one large block", heap);
    void *other = HeapAlloc(heap, 0, 2 * MiB);
    observe_order("two large blocks", heap);
    HeapFree(heap, 0, large), HeapFree(heap, 0, other);
    observe_order("large blocks freed", heap);
    HeapDestroy(heap);
    heap = HeapCreate(0, 0, 64 * KiB);
    observe_order("new heap of 64 KiB", heap);
    HeapDestroy(heap);
    heap = HeapCreate(0, 64 * KiB, 64 * KiB);
    observe_order("new heap of 64 KiB, all committed", heap);
    HeapDestroy(heap);
    heap = HeapCreate(0, 0, 16 * MiB);
    observe_order("new heap of 16 MiB", heap);
    HeapDestroy(heap);
}

/* The first region of a new heap. */
static void observe_region(const char *name, SIZE_T initial, SIZE_T maximum)
{
    HANDLE heap = HeapCreate(0, initial, maximum);
    PROCESS_HEAP_ENTRY region = { .lpData = NULL }, entry;
    HeapWalk(heap, &region);
    entry = region;
    const char *start = region.lpData, *end = region.Region.lpLastBlock;
    SIZE_T whole = (SIZE_T)region.Region.dwCommittedSize + region.Region.dwUnCommittedSize;
    observe(named("region, %s, lpData is the handle", name), "%s", yes(region.lpData == heap));
    observe(named("region, %s, cbData is all of it", name), "%s", yes(region.cbData == whole));
    observe(named("region, %s, cbData is the header in front of the first block", name), "%s", yes(region.cbData < 0x1000));
    observe(named("region, %s, cbOverhead is 0", name), "%s", yes(region.cbOverhead == 0));
    observe(named("region, %s, iRegionIndex", name), "%d", region.iRegionIndex);
    observe(named("region, %s, wFlags", name), "%d", region.wFlags);
    observe(named("region, %s, dwCommittedSize", name), "0x%X", (unsigned)region.Region.dwCommittedSize);
    observe(named("region, %s, dwUnCommittedSize", name), "0x%X", (unsigned)region.Region.dwUnCommittedSize);
    observe(named("region, %s, as much committed as asked for", name), "%s", yes(region.Region.dwCommittedSize >= initial));
    observe(named("region, %s, ends where it says", name), "%s", yes(end == start + whole));
    observe(named("region, %s, first block is inside", name), "%s", yes((char *)region.Region.lpFirstBlock >= start && (char *)region.Region.lpFirstBlock < end));
    SIZE_T in_front = (SIZE_T)((char *)region.Region.lpFirstBlock - start) - region.cbData;
    observe(named("region, %s, first block is two or four words behind cbData", name), "%s",
        yes(in_front == 2 * sizeof(void *) || in_front == 4 * sizeof(void *)));
    int first_entry = HeapWalk(heap, &entry);
    observe(named("region, %s, free block, cbOverhead", name), "%d", first_entry && entry.wFlags == 0 ? entry.cbOverhead : -1);
    observe(named("region, %s, next entry is the first block", name), "%s", yes(first_entry && entry.lpData == region.Region.lpFirstBlock));
    while (first_entry && entry.wFlags != PROCESS_HEAP_UNCOMMITTED_RANGE && HeapWalk(heap, &entry)) {
    }
    int is_there = entry.wFlags == PROCESS_HEAP_UNCOMMITTED_RANGE;
    observe(named("region, %s, uncommitted range", name), "%s", yes(is_there));
    observe(named("region, %s, uncommitted range is the uncommitted part", name), "%s",
        !is_there ? "none" : yes((char *)entry.lpData == start + region.Region.dwCommittedSize && entry.cbData == region.Region.dwUnCommittedSize));
    observe(named("region, %s, uncommitted range, cbOverhead", name), "%d", is_there ? entry.cbOverhead : 0);
    observe(named("region, %s, uncommitted range, iRegionIndex", name), "%d", is_there ? entry.iRegionIndex : 0);
    HeapDestroy(heap);
}

/* What a maximum is rounded up to. */
static void observe_rounding(void)
{
    static const SIZE_T maxima[] = { 0x100, 0x1000, 0x1001, 0x2000, 0x3000, 0xFF00, 0x12345, 0x100001 };
    for (size_t i = 0; i < sizeof maxima / sizeof maxima[0]; i++) {
        HANDLE heap = HeapCreate(0, maxima[i], maxima[i]);
        PROCESS_HEAP_ENTRY region = { .lpData = NULL };
        HeapWalk(heap, &region);
        SIZE_T whole = (SIZE_T)region.Region.dwCommittedSize + region.Region.dwUnCommittedSize;
        observe(named("initial and maximum 0x%X, size of the region", (unsigned)maxima[i]), "0x%X", (unsigned)whole);
        HeapDestroy(heap);
    }
}

/* The first region has room for every block that lies in a region. */
static void observe_busy(void)
{
    static const SIZE_T sizes[] = { 0, 1, 16, 64, 100, 123, 1000, 5000, 20000, 100000, 400000, 0xFEFFF, 0xFF000, 0x100000, 2 * MiB };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        HANDLE heap = HeapCreate(0, 4 * MiB, 0);
        void *block = HeapAlloc(heap, 0, sizes[i]);
        PROCESS_HEAP_ENTRY entry = { .lpData = NULL };
        while (HeapWalk(heap, &entry) && entry.wFlags != PROCESS_HEAP_ENTRY_BUSY) {
        }
        observe(named("busy, %s, lpData is the block", bytes(sizes[i])), "%s", yes(entry.lpData == block));
        observe(named("busy, %s, cbData", bytes(sizes[i])), "%u", (unsigned)entry.cbData);
        observe(named("busy, %s, iRegionIndex", bytes(sizes[i])), "%d", entry.iRegionIndex);
        observe(named("busy, %s, cbOverhead is not 0", bytes(sizes[i])), "%s", yes(entry.cbOverhead != 0));
        observe(named("busy, %s, then HeapValidate", bytes(sizes[i])), "%s", yes(HeapValidate(heap, 0, entry.lpData)));
        PROCESS_HEAP_ENTRY next = entry;
        if (sizes[i] < 0xFEFFF && HeapWalk(heap, &next)) {
            const char *end = (char *)entry.lpData + entry.cbData + entry.cbOverhead;
            observe(named("busy, %s, next entry is behind cbData and cbOverhead", bytes(sizes[i])), "%s", yes((char *)next.lpData == end));
            observe(named("busy, %s, next entry is two words behind those", bytes(sizes[i])), "%s", yes((char *)next.lpData == end + 2 * sizeof(void *)));
        }
        entry.lpData = NULL;
        observe(named("busy, %s, its region, then HeapValidate", bytes(sizes[i])), "%s", yes(HeapWalk(heap, &entry) && HeapValidate(heap, 0, entry.lpData)));
        HeapDestroy(heap);
    }
}

/* Blocks with mappings of their own and the regions around them. */
static void observe_region_indexes(void)
{
    HANDLE heap = HeapCreate(0, 0, 0);
    HeapAlloc(heap, 0, 2 * MiB), HeapAlloc(heap, 0, 3 * MiB), HeapAlloc(heap, 0, 100);
    int indexes[3] = { -1, -1, -1 };
    PROCESS_HEAP_ENTRY entry = { .lpData = NULL };
    while (HeapWalk(heap, &entry))
        if (entry.wFlags == PROCESS_HEAP_ENTRY_BUSY)
            indexes[entry.cbData == 2 * MiB ? 0 : entry.cbData == 3 * MiB ? 1 : 2] = entry.iRegionIndex;
    observe("two large blocks have one region index", "%s", yes(indexes[0] == indexes[1]));
    observe("a large block has the region index of the others", "%s", yes(indexes[0] == indexes[2] || indexes[1] == indexes[2]));
    HeapDestroy(heap);
}

static void observe_protocol(void)
{
    HANDLE heap = HeapCreate(0, 0, 0), other = HeapCreate(0, 0, 0);
    void *blocks[3];
    for (int i = 0; i < 3; i++)
        blocks[i] = HeapAlloc(heap, 0, 100 * (SIZE_T)(i + 1));
    PROCESS_HEAP_ENTRY entry, last;
    memset(&entry, 0xCD, sizeof entry);
    entry.lpData = NULL;
    OBSERVE_BOOL("start, garbage in the other fields", HeapWalk(heap, &entry));
    OBSERVE_BOOL("second step", HeapWalk(heap, &entry));
    last = entry;
    while (HeapWalk(heap, &entry))
        last = entry;
    observe("end, structure as it was", "%s", yes(memcmp(&entry, &last, sizeof entry) == 0));
    OBSERVE_BOOL("end, once more", HeapWalk(heap, &entry));
    observe("end, once more, structure as it was", "%s", yes(memcmp(&entry, &last, sizeof entry) == 0));
    memset(&entry, 0, sizeof entry);
    OBSERVE_BOOL("from the start again", HeapWalk(heap, &entry));
    observe("from the start again, a region", "%s", kind_of(&entry));
    memset(&entry, 0, sizeof entry);
    entry.lpData = blocks[0];
    entry.wFlags = PROCESS_HEAP_ENTRY_BUSY;
    OBSERVE_BOOL("from a block", HeapWalk(heap, &entry));
    observe("from a block, goes on behind it", "%s", yes((char *)entry.lpData > (char *)blocks[0]));
    PROCESS_HEAP_ENTRY one = { .lpData = NULL }, two = { .lpData = NULL };
    int same = 1;
    for (int i = 0; i < 3; i++) {
        same &= HeapWalk(heap, &one);
        PROCESS_HEAP_ENTRY kept = one;
        same &= HeapWalk(other, &two) || i > 0;
        same &= memcmp(&one, &kept, sizeof one) == 0;
    }
    observe("two walks at a time", "%s", yes(same));
    OBSERVE_BOOL("no structure", HeapWalk(heap, NULL));
    memset(&entry, 0, sizeof entry);
    OBSERVE_BOOL("handle NULL", HeapWalk(NULL, &entry));
    OBSERVE_BOOL("handle NULL, no structure", HeapWalk(NULL, NULL));
    for (int i = 1; i < BAD_HANDLES; i++) {
        HANDLE bad = bad_handle(i);
        memset(&entry, 0, sizeof entry);
        OBSERVE_BOOL(bad_handle_name(i), HeapWalk(bad, &entry));
    }
    HeapDestroy(heap), HeapDestroy(other);
    for (int i = 0; i < BAD_ADDRESSES; i++) {
        heap = HeapCreate(0, 0, 0);
        memset(&entry, 0, sizeof entry);
        entry.lpData = bad_address(i, heap);
        entry.wFlags = PROCESS_HEAP_ENTRY_BUSY;
        void *began = entry.lpData;
        int went_on = 0;
        const char *outcome = RAISED_OR(yes(went_on = HeapWalk(heap, &entry)));
        if (strcmp(outcome, "yes") == 0)
            outcome = entry.lpData != began ? "yes" : "yes, in the same place";
        observe(named("from %s", bad_address_name(i)), "%s", outcome);
    }
}

static void allocate_there(void *heap) { HeapAlloc(heap, 0, 777); }

static void observe_changes(void)
{
    HANDLE heap = HeapCreate(0, 0, 0);
    on_thread(allocate_there, heap);
    int found = 0;
    PROCESS_HEAP_ENTRY entry = { .lpData = NULL };
    while (HeapWalk(heap, &entry))
        found += entry.wFlags == PROCESS_HEAP_ENTRY_BUSY && entry.cbData == 777;
    observe("block of a thread that has ended", "%d", found);
    /* Each block freed as the walk comes to it. */
    for (int i = 0; i < 10; i++)
        HeapAlloc(heap, 0, 50 + (SIZE_T)i * 1000);
    HeapLock(heap);
    int freed = 0;
    entry.lpData = NULL;
    while (freed < 100 && HeapWalk(heap, &entry))
        if (entry.wFlags == PROCESS_HEAP_ENTRY_BUSY) {
            freed += HeapFree(heap, 0, entry.lpData);
            entry.lpData = NULL;
        }
    HeapUnlock(heap);
    observe("blocks freed by walking from the start each time", "%d", freed);
    HeapDestroy(heap);
}

void heap_walk_fields(void)
{
    observe_orders();
    observe_region("new heap", 0, 0);
    observe_region("1 MiB at first", MiB, 0);
    observe_region("heap of 64 KiB", 0, 64 * KiB);
    observe_region("heap of 1 MiB", 0, MiB);
    observe_region("heap of 16 MiB", 0, 16 * MiB);
    observe_region("heap of 1 MiB, half of it at first", 512 * KiB, MiB);
    observe_region("heap of 64 KiB, all at first", 64 * KiB, 64 * KiB);
    observe_rounding();
    observe_busy();
    observe_region_indexes();
    observe_protocol();
    observe_changes();
}
