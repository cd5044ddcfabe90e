/* HeapWalk: what a walk shows of heaps in many states. Facts about addresses are relations. */
#include "cases.h"

enum { MOST_ENTRIES = 8192, MOST_BLOCKS = 2048 };

struct walk { PROCESS_HEAP_ENTRY entries[MOST_ENTRIES]; int count; DWORD end; };

/* A heap and the blocks in it that are live. */
struct state { HANDLE heap; void *blocks[MOST_BLOCKS]; SIZE_T sizes[MOST_BLOCKS]; int count; };

static struct walk walk, again;
static struct state state;

static void go(HANDLE heap, struct walk *into)
{
    PROCESS_HEAP_ENTRY entry;
    memset(&entry, 0xCD, sizeof entry);
    entry.lpData = NULL;
    into->count = 0;
    forget_error();
    while (into->count < MOST_ENTRIES && HeapWalk(heap, &entry))
        into->entries[into->count++] = entry;
    into->end = GetLastError();
}

static int is_region(const PROCESS_HEAP_ENTRY *entry) { return (entry->wFlags & PROCESS_HEAP_REGION) != 0; }
static int is_uncommitted(const PROCESS_HEAP_ENTRY *entry) { return (entry->wFlags & PROCESS_HEAP_UNCOMMITTED_RANGE) != 0; }
static int is_busy(const PROCESS_HEAP_ENTRY *entry) { return (entry->wFlags & PROCESS_HEAP_ENTRY_BUSY) != 0; }
static int is_free(const PROCESS_HEAP_ENTRY *entry) { return entry->wFlags == 0; }
/* A block with a mapping of its own; none of the states has another one of this size. */
static int is_large(const PROCESS_HEAP_ENTRY *entry) { return is_busy(entry) && entry->cbData >= MiB; }

static void begin(DWORD options, SIZE_T initial, SIZE_T maximum)
{
    state.heap = HeapCreate(options, initial, maximum);
    state.count = 0;
}

static void add(SIZE_T count)
{
    void *block = HeapAlloc(state.heap, 0, count);
    if (block == NULL)
        return;
    state.blocks[state.count] = block;
    state.sizes[state.count++] = count;
}

static void drop(int index)
{
    HeapFree(state.heap, 0, state.blocks[index]);
    state.count--;
    state.blocks[index] = state.blocks[state.count];
    state.sizes[index] = state.sizes[state.count];
}

static int place_of(const void *address)
{
    for (int i = 0; i < state.count; i++)
        if (state.blocks[i] == address)
            return i;
    return -1;
}

/* Blocks that a walk shows exactly once and with their size. */
static int shown_once(void)
{
    int once = 0;
    for (int i = 0; i < state.count; i++) {
        int times = 0;
        for (int j = 0; j < walk.count; j++)
            times += is_busy(&walk.entries[j]) && walk.entries[j].lpData == state.blocks[i] && walk.entries[j].cbData == state.sizes[i];
        once += times == 1;
    }
    return once;
}

static void observe_entries(const char *name)
{
    int strangers = 0, valid_free = 0, odd_flags = 0, descents = 0, outside = 0, behind_uncommitted = 0, behind_large = 0, overlaps = 0, invalid_busy = 0;
    const PROCESS_HEAP_ENTRY *region = NULL;
    for (int i = 0; i < walk.count; i++) {
        const PROCESS_HEAP_ENTRY *entry = &walk.entries[i], *before = i > 0 ? &walk.entries[i - 1] : NULL;
        odd_flags += (is_region(entry) + is_uncommitted(entry) + is_busy(entry) + is_free(entry)) != 1 || (entry->wFlags & ~(1u | 2u | 4u)) != 0;
        strangers += is_busy(entry) && place_of(entry->lpData) < 0;
        invalid_busy += is_busy(entry) && !HeapValidate(state.heap, 0, entry->lpData);
        valid_free += (is_free(entry) || is_uncommitted(entry)) && HeapValidate(state.heap, 0, entry->lpData);
        behind_large += before != NULL && is_large(before) && !is_large(entry);
        if (is_region(entry))
            region = entry;
        else if (!is_large(entry)) {
            descents += !is_region(before) && (char *)entry->lpData <= (char *)before->lpData;
            overlaps += !is_region(before) && (char *)before->lpData + before->cbData > (char *)entry->lpData;
            behind_uncommitted += is_uncommitted(before) && !is_free(entry) && !is_busy(entry);
            outside += region == NULL || (char *)entry->lpData < (char *)region->lpData || (char *)entry->lpData + entry->cbData > (char *)region->Region.lpLastBlock;
        }
    }
    observe(named("%s, entries of odd kinds", name), "%d", odd_flags);
    observe(named("%s, busy entries that are no blocks", name), "%d", strangers);
    observe(named("%s, busy entries that do not validate", name), "%d", invalid_busy);
    observe(named("%s, free entries that validate", name), "%d", valid_free);
    observe(named("%s, entries that do not ascend", name), "%d", descents);
    observe(named("%s, entries that overlap", name), "%d", overlaps);
    observe(named("%s, entries outside their region", name), "%d", outside);
    observe(named("%s, ranges behind an uncommitted one", name), "%d", behind_uncommitted);
    observe(named("%s, entries behind large blocks", name), "%d", behind_large);
}

/* Ends the state. */
static void observe_state(const char *name)
{
    go(state.heap, &walk);
    observe(named("%s, first is a region", name), "%s", yes(walk.count > 0 && is_region(&walk.entries[0])));
    observe(named("%s, live blocks", name), "%d", state.count);
    observe(named("%s, blocks shown once with their size", name), "%d", shown_once());
    observe_entries(name);
    observe(named("%s, at the end", name), "%u", (unsigned)walk.end);
    go(state.heap, &again);
    observe(named("%s, second walk shows the same", name), "%s", yes(again.count == walk.count && memcmp(again.entries, walk.entries, (size_t)walk.count * sizeof walk.entries[0]) == 0));
    observe(named("%s, sound", name), "%s", yes(HeapValidate(state.heap, 0, NULL)));
    HeapDestroy(state.heap);
}

static void observe_states_of(const struct heap_kind *kind)
{
    static const SIZE_T mixed[] = { 0, 1, 16, 100, 500, 1000, 3000, 10000, 40000, 100000 };
    enum { MIXED = sizeof mixed / sizeof mixed[0] };
    begin(kind->options, kind->initial, kind->maximum);
    observe_state(named("%s, new", kind->name));
    begin(kind->options, kind->initial, kind->maximum);
    add(123);
    observe_state(named("%s, one block", kind->name));
    begin(kind->options, kind->initial, kind->maximum);
    add(0);
    observe_state(named("%s, one block of 0 bytes", kind->name));
    begin(kind->options, kind->initial, kind->maximum);
    for (int i = 0; i < MIXED; i++)
        add(mixed[i]);
    observe_state(named("%s, mixed sizes", kind->name));
    begin(kind->options, kind->initial, kind->maximum);
    for (int i = 0; i < MIXED; i++)
        add(mixed[i]);
    while (state.count > 0)
        drop(state.count - 1);
    observe_state(named("%s, all freed", kind->name));
    begin(kind->options, kind->initial, kind->maximum);
    for (int i = 0; i < 5 * MIXED; i++)
        add(mixed[i % MIXED] / 2);
    for (int i = 0; i < state.count; i++)
        drop(i);
    observe_state(named("%s, every other one freed", kind->name));
    begin(kind->options, kind->initial, kind->maximum);
    for (int i = 0; i < 10; i++)
        add(200 * (SIZE_T)i);
    for (int i = 0; i < state.count; i++)
        state.blocks[i] = HeapReAlloc(state.heap, 0, state.blocks[i], state.sizes[i] = 5000 - 300 * (SIZE_T)i);
    observe_state(named("%s, all resized", kind->name));
    begin(kind->options, kind->initial, kind->maximum);
    for (int i = 0; i < 150; i++)
        add(5000);
    observe_state(named("%s, 150 blocks of 5000 bytes", kind->name));
    begin(kind->options, kind->initial, kind->maximum);
    for (int i = 0; i < 8; i++)
        add(12);
    observe_state(named("%s, 8 blocks of 12 bytes", kind->name));
}

static void observe_special_states(void)
{
    begin(0, 0, 0);
    add(2 * MiB);
    observe_state("one large block");
    begin(0, 0, 0);
    add(2 * MiB), add(100), add(3 * MiB), add(1000), add(4 * MiB);
    observe_state("three large blocks and two others");
    begin(0, 0, 0);
    add(2 * MiB), add(100), add(3 * MiB), add(1000), add(4 * MiB);
    drop(2), drop(0);
    observe_state("large blocks, two of them freed");
    begin(0, 0, 0);
    for (int i = 0; i < 100; i++)
        add(30000);
    observe_state("3 MB in blocks of 30000 bytes");
    begin(0, 0, 0);
    for (int i = 0; i < 100; i++)
        add(30000);
    for (int i = 0; i < 90; i++)
        drop(0);
    observe_state("3 MB in blocks of 30000 bytes, most freed");
    begin(0, 4 * MiB, 0);
    add(100);
    observe_state("heap with 4 MiB at first");
    begin(0, 0, 64 * KiB);
    for (int i = 0; i < 60; i++)
        add(900);
    observe_state("heap of 64 KiB, almost full");
    begin(0, 64 * KiB, 64 * KiB);
    add(1000);
    observe_state("heap of 64 KiB, all committed");
    begin(HEAP_NO_SERIALIZE, 0, MiB);
    add(1000), add(10000);
    observe_state("unserialized heap of 1 MiB");
    begin(0, 0, 0);
    add(100);
    HeapLock(state.heap);
    observe_state("locked by the caller");
    begin(0, 0, 0);
    for (int i = 0; i < 500; i++)
        add(64);
    observe_state("500 blocks of 64 bytes");
}

void heap_walk(void)
{
    for (int i = 0; i < HEAP_KINDS; i++)
        if ((heap_kinds[i].options & ~(DWORD)HEAP_NO_SERIALIZE) == 0)
            observe_states_of(&heap_kinds[i]);
    observe_special_states();
}
