/* HeapCreate: options, sizes, limits, executable memory. */
#include "cases.h"

static void observe_creation(const char *name, DWORD options, SIZE_T initial, SIZE_T maximum)
{
    HANDLE heap = NULL;
    OBSERVE_NULL(name, heap = HeapCreate(options, initial, maximum));
    void *block = heap == NULL ? NULL : HeapAlloc(heap, 0, 100);
    observe(named("%s, a block", name), "%s", size(block == NULL ? NO_SIZE : HeapSize(heap, 0, block)));
    observe(named("%s, its end", name), "%s", yes(heap != NULL && HeapFree(heap, 0, block) && HeapDestroy(heap)));
}

static void observe_options(void)
{
    observe_creation("no options", 0, 0, 0);
    for (int bit = 0; bit < 32; bit++)
        observe_creation(named("option 0x%X", 1u << bit), 1u << bit, 0, 0);
    for (int bit = 0; bit < 32; bit++)
        observe_creation(named("option 0x%X with a maximum", 1u << bit), 1u << bit, 0, 256 * KiB);
    observe_creation("all documented options", HEAP_NO_SERIALIZE | HEAP_GENERATE_EXCEPTIONS | HEAP_CREATE_ENABLE_EXECUTE, 0, 0);
    observe_creation("all options", 0xFFFFFFFF, 0, 0);
}

static void observe_sizes(void)
{
    static const SIZE_T sizes[] = { 1, 0x1000, 0x1001, 0x2000, 0x10000, 0x10001, 0x40000, 0x100000, 0x1000000 };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        observe_creation(named("initial 0x%llX", (unsigned long long)sizes[i]), 0, sizes[i], 0);
        if (sizes[i] >= 0x1000) {
            observe_creation(named("maximum 0x%llX", (unsigned long long)sizes[i]), 0, 0, sizes[i]);
            observe_creation(named("initial and maximum 0x%llX", (unsigned long long)sizes[i]), 0, sizes[i], sizes[i]);
        }
    }
    OBSERVE_NULL("maximum 1", HeapCreate(0, 0, 1));
    observe_creation("initial above maximum", 0, 0x100000, 0x10000);
    OBSERVE_NULL("initial -1", HeapCreate(0, NO_SIZE, 0));
    OBSERVE_NULL("initial 2 to the 62", HeapCreate(0, (SIZE_T)1 << 62, 0));
    OBSERVE_NULL("initial and maximum 2 to the 62", HeapCreate(0, (SIZE_T)1 << 62, (SIZE_T)1 << 62));
    OBSERVE_NULL("maximum 2 to the 62", HeapCreate(0, 0, (SIZE_T)1 << 62));
    OBSERVE_NULL("maximum -1", HeapCreate(0, 0, NO_SIZE));
    OBSERVE_NULL("initial -1, raising", HeapCreate(HEAP_GENERATE_EXCEPTIONS, NO_SIZE, 0));
}

/* How much of a maximum blocks of one size can use, before and after everything was freed. */
static SIZE_T fill(HANDLE heap, SIZE_T block_bytes, void **blocks, int *count)
{
    SIZE_T total = 0;
    for (*count = 0; (blocks[*count] = HeapAlloc(heap, 0, block_bytes)) != NULL; ++*count)
        total += block_bytes;
    return total;
}

static void observe_maximum(SIZE_T maximum, SIZE_T block_bytes)
{
    HANDLE heap = HeapCreate(0, 0, maximum);
    void **blocks = malloc((maximum / block_bytes + 2) * sizeof *blocks);
    int count, again;
    const char *name = named("maximum 0x%llX full of %s", (unsigned long long)maximum, bytes(block_bytes));
    SIZE_T total = fill(heap, block_bytes, blocks, &count);
    observe(named("%s, no more than the maximum", name), "%s", yes(total <= maximum));
    observe(named("%s, at least half of it", name), "%s", yes(total >= maximum / 2));
    observe(named("%s, still sound", name), "%s", yes(HeapValidate(heap, 0, NULL)));
    HeapFree(heap, 0, blocks[--count]);
    void *next = HeapAlloc(heap, 0, block_bytes);
    observe(named("%s, another after one was freed", name), "%s", yes(next != NULL));
    HeapFree(heap, 0, next);
    while (count > 0)
        HeapFree(heap, 0, blocks[--count]);
    SIZE_T total_again = fill(heap, block_bytes, blocks, &again);
    observe(named("%s, 98 of 100 parts of it again after all were freed", name), "%s", yes(total_again >= total / 100 * 98));
    HeapDestroy(heap);
    free(blocks);
}

/* A function that returns 42. */
static int runs(void *block)
{
#if defined(__x86_64__)
    static const unsigned char code[] = { 0xB8, 42, 0, 0, 0, 0xC3 };
#else
    static const unsigned char code[] = { 0x40, 0x05, 0x80, 0x52, 0xC0, 0x03, 0x5F, 0xD6 };
#endif
    memcpy(block, code, sizeof code);
    __builtin___clear_cache((char *)block, (char *)block + sizeof code);
    return ((int (*)(void))(uintptr_t)block)();
}

static void observe_executable(DWORD options, const char *kind, SIZE_T maximum)
{
    static const SIZE_T sizes[] = { 16, 1000, 40000, 400000, 2 * MiB };
    HANDLE heap = HeapCreate(options, 0, maximum);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        void *block = HeapAlloc(heap, 0, sizes[i]);
        if (block != NULL)
            observe_result(named("%s, code in %s", kind, bytes(sizes[i])), RAISED_OR(number((forget_error(), (unsigned)runs(block)))));
    }
    void *grown = HeapReAlloc(heap, 0, HeapAlloc(heap, 0, 100), 300000);
    observe_result(named("%s, code in a grown block", kind), RAISED_OR(number((forget_error(), (unsigned)runs(grown)))));
    HeapDestroy(heap);
}

static void observe_isolation(void)
{
    HANDLE one = HeapCreate(0, 0, 0), other = HeapCreate(0, 0, 0);
    char *block = HeapAlloc(one, 0, 100);
    observe("two heaps, two handles", "%s", yes(one != other));
    observe("handle is not the process heap's", "%s", yes(one != GetProcessHeap()));
    observe("block is valid in its heap", "%s", yes(HeapValidate(one, 0, block)));
    observe("block is valid in another heap", "%s", yes(HeapValidate(other, 0, block)));
    fill_pattern(block, 100);
    HeapDestroy(other);
    observe("block outlives another heap", "%s", yes(has_pattern(block, 100) && HeapValidate(one, 0, block)));
    HeapDestroy(one);
}

/* The options of single calls mean nothing at creation. */
static void observe_call_options(void)
{
    HANDLE heap = HeapCreate(HEAP_REALLOC_IN_PLACE_ONLY, 0, 0);
    void *block = HeapAlloc(heap, 0, 16);
    HeapAlloc(heap, 0, 16);
    observe("in-place option of the heap, block grows", "%s", yes(HeapReAlloc(heap, 0, block, 100000) != NULL));
    HeapDestroy(heap);
    heap = HeapCreate(HEAP_ZERO_MEMORY, 0, 0);
    block = HeapAlloc(heap, 0, 64);
    fill_pattern(block, 64);
    HeapFree(heap, 0, block);
    observe("zeroing option of the heap, recycled block is zero", "%s", yes(all_bytes(HeapAlloc(heap, 0, 64), 64, 0)));
    HeapDestroy(heap);
}

void heap_create(void)
{
    observe_options();
    observe_sizes();
    observe_isolation();
    observe_call_options();
    static const SIZE_T maxima[] = { 64 * KiB, 256 * KiB, MiB, 2 * MiB, 16 * MiB };
    for (size_t i = 0; i < sizeof maxima / sizeof maxima[0]; i++) {
        observe_maximum(maxima[i], 1000);
        observe_maximum(maxima[i], 5000);
        if (maxima[i] >= MiB)
            observe_maximum(maxima[i], 200000);
    }
    observe_executable(HEAP_CREATE_ENABLE_EXECUTE, "executable heap", 0);
    observe_executable(HEAP_CREATE_ENABLE_EXECUTE, "executable heap with a maximum", 16 * MiB);
    observe_executable(0, "plain heap", 0);
    observe_executable(0, "plain heap with a maximum", 16 * MiB);
}
