/* HeapCompact and HeapSummary: a heap in figures. */
#include "cases.h"

void heap_compact(void)
{
    for (int i = 0; i < HEAP_KINDS; i++) {
        HANDLE heap = create_kind(&heap_kinds[i]);
        char *block = HeapAlloc(heap, 0, 100);
        fill_pattern(block, 100);
        void *freed = HeapAlloc(heap, 0, 50000);
        HeapFree(heap, 0, freed);
        SIZE_T largest = NO_SIZE;
        OBSERVE_BOOL(named("%s, at least what was just freed", heap_kinds[i].name), (largest = HeapCompact(heap, 0)) >= 50000);
        observe(named("%s, not -1", heap_kinds[i].name), "%s", yes(largest != NO_SIZE));
        observe(named("%s, unserialized the same", heap_kinds[i].name), "%s", yes(HeapCompact(heap, HEAP_NO_SERIALIZE) == largest));
        observe(named("%s, all flags the same", heap_kinds[i].name), "%s", yes(HeapCompact(heap, 0xFFFFFFFF) == largest));
        observe(named("%s, blocks as they were", heap_kinds[i].name), "%s", yes(HeapSize(heap, 0, block) == 100 && has_pattern(block, 100) && HeapValidate(heap, 0, NULL)));
        HeapDestroy(heap);
    }
    HANDLE heap = HeapCreate(0, 64 * KiB, 64 * KiB);
    while (HeapAlloc(heap, 0, 1) != NULL) {
    }
    OBSERVE_SIZE("heap without room", HeapCompact(heap, 0));
    HeapDestroy(heap);
    OBSERVE_BOOL("process heap, not -1", HeapCompact(GetProcessHeap(), 0) != NO_SIZE);
    for (int i = 0; i < BAD_HANDLES; i++) {
        HANDLE bad = bad_handle(i);
        OBSERVE_SIZE(bad_handle_name(i), HeapCompact(bad, 0));
    }
}

/* NULL where there is no such function: Windows has it since 10.0.20348, so it is asked for by name there, and Wine's only raises. */
#if defined(_WIN32)
static BOOL (WINAPI *summarize)(HANDLE, DWORD, HEAP_SUMMARY *);
static void find_summary(void)
{
    HEAP_SUMMARY summary = { .cb = sizeof summary };
    void *function = (void *)GetProcAddress(GetModuleHandleA("kernel32.dll"), "HeapSummary");
    memcpy(&summarize, &function, sizeof function);
    if (summarize != NULL && strncmp(RAISED_OR(yes(summarize(GetProcessHeap(), 0, &summary))), "raised", 6) == 0)
        summarize = NULL;
}
#else
static BOOL (*summarize)(HANDLE, DWORD, HEAP_SUMMARY *);
static void find_summary(void) { summarize = HeapSummary; }
#endif

static void observe_fact(const char *name, int fact) { observe(name, "%s", summarize == NULL ? "not there" : yes(fact)); }

static void observe_call(const char *name, HANDLE heap, DWORD flags, HEAP_SUMMARY *summary)
{
    if (summarize != NULL)
        OBSERVE_BOOL(name, summarize(heap, flags, summary));
    else {
        observe(name, "not there");
        observe(named("%s, last error", name), "not there");
    }
}

static int is_ordered(const HEAP_SUMMARY *summary)
{
    return summary->cbAllocated <= summary->cbCommitted && summary->cbCommitted <= summary->cbReserved && summary->cbReserved <= summary->cbMaxReserve;
}

struct asking { HANDLE heap; HEAP_SUMMARY summary; };
static void ask_there(void *asking_)
{
    struct asking *asking = asking_;
    if (summarize != NULL)
        summarize(asking->heap, 0, &asking->summary);
}

void heap_summary(void)
{
    find_summary();
    for (int i = 0; i < HEAP_KINDS; i++) {
        HANDLE heap = create_kind(&heap_kinds[i]);
        HEAP_SUMMARY before = { .cb = sizeof before }, after = before;
        const char *kind = heap_kinds[i].name;
        observe_call(named("%s, new", kind), heap, 0, &before);
        observe_fact(named("%s, new, in order", kind), is_ordered(&before));
        observe_fact(named("%s, new, nothing allocated", kind), before.cbAllocated == 0);
        void *block = HeapAlloc(heap, 0, 1000);
        HeapAlloc(heap, 0, 40000), HeapAlloc(heap, 0, 0), HeapAlloc(heap, 0, 300000);
        observe_call(named("%s, four blocks", kind), heap, 0, &after);
        observe_fact(named("%s, four blocks, in order", kind), is_ordered(&after));
        observe_fact(named("%s, four blocks, requested sizes", kind), after.cbAllocated == 341000);
        observe_fact(named("%s, cb as it was", kind), after.cb == sizeof after);
        HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, block, 900);
        observe_call(named("%s, one resized", kind), heap, 0, &after);
        observe_fact(named("%s, one resized, requested sizes", kind), after.cbAllocated == 340900);
        HeapFree(heap, 0, block);
        observe_call(named("%s, one freed", kind), heap, 0, &after);
        observe_fact(named("%s, one freed, requested sizes", kind), after.cbAllocated == 340000);
        observe_fact(named("%s, most it may reserve is its maximum", kind), heap_kinds[i].maximum == 0 || after.cbMaxReserve == heap_kinds[i].maximum);
        HeapDestroy(heap);
    }
    HANDLE heap = HeapCreate(0, 0, 0);
    HEAP_SUMMARY summary = { .cb = sizeof summary };
    HeapAlloc(heap, 0, 2 * MiB);
    observe_call("large block", heap, 0, &summary);
    observe_fact("large block, requested size", summary.cbAllocated == 2 * MiB && is_ordered(&summary));
    for (int bit = 0; bit < 32; bit++)
        observe_call(named("flag 0x%X", 1u << bit), heap, 1u << bit, &summary);
    static const DWORD lengths[] = { 0, 4, sizeof summary - 1, sizeof summary + 1, 0xFFFFFFFF };
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        summary.cb = lengths[i];
        observe_call(named("cb 0x%X", (unsigned)lengths[i]), heap, 0, &summary);
    }
    summary.cb = sizeof summary;
    observe_call("no structure", heap, 0, NULL);
    for (int i = 0; i < BAD_HANDLES; i++) {
        HANDLE bad = bad_handle(i);
        observe_call(bad_handle_name(i), bad, 0, &summary);
    }
    observe_call("process heap", GetProcessHeap(), 0, &summary);
    struct asking asking = { heap, { .cb = sizeof summary } };
    HeapLock(heap);
    struct other *other = start(ask_there, &asking);
    observe_fact("locked heap, another thread's HeapSummary waits", is_waiting(other));
    HeapUnlock(heap);
    finish(other);
    HeapDestroy(heap);
}
