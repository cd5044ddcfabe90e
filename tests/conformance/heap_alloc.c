/* HeapAlloc: flags, limits, failures and what they leave behind, raising. */
#include "cases.h"

/* What an allocation gives, and frees it: "not NULL" and the last error, its exact size and alignment. */
static void observe_block(const char *name, HANDLE heap, DWORD flags, SIZE_T count)
{
    void *block = NULL;
    OBSERVE_NULL(name, block = HeapAlloc(heap, flags, count));
    observe(named("%s, exact and aligned", name), "%s", block == NULL ? "none" : yes(HeapSize(heap, 0, block) == count && is_aligned(block)));
    HeapFree(heap, 0, block);
}

static void observe_flags(void)
{
    for (int i = 0; i < HEAP_KINDS; i++) {
        HANDLE heap = create_kind(&heap_kinds[i]);
        observe_block(named("%s, no flags", heap_kinds[i].name), heap, 0, 100);
        observe_block(named("%s, all flags", heap_kinds[i].name), heap, 0xFFFFFFFF, 100);
        HeapDestroy(heap);
    }
    HANDLE heap = HeapCreate(0, 0, 0);
    for (int bit = 0; bit < 32; bit++)
        observe_block(named("flag 0x%X", 1u << bit), heap, 1u << bit, 100);
    for (int bit = 0; bit < 32; bit++)
        observe_block(named("flag 0x%X, 2 MiB", 1u << bit), heap, 1u << bit, 2 * MiB);
    HeapDestroy(heap);
}

static void observe_zero_bytes(void)
{
    for (int i = 0; i < HEAP_KINDS; i++) {
        HANDLE heap = create_kind(&heap_kinds[i]);
        const char *kind = heap_kinds[i].name;
        void *block = NULL;
        OBSERVE_NULL(named("%s, 0 bytes", kind), block = HeapAlloc(heap, 0, 0));
        void *other = HeapAlloc(heap, 0, 0);
        observe(named("%s, 0 bytes, size", kind), "%s", size(HeapSize(heap, 0, block)));
        observe(named("%s, 0 bytes, aligned", kind), "%s", yes(is_aligned(block)));
        observe(named("%s, 0 bytes, a block of its own", kind), "%s", yes(block != other));
        observe(named("%s, 0 bytes, valid", kind), "%s", yes(HeapValidate(heap, 0, block)));
        observe(named("%s, 0 bytes, freed", kind), "%s", yes(HeapFree(heap, 0, block) && HeapFree(heap, 0, other)));
        HeapDestroy(heap);
    }
}

static const struct { const char *name; SIZE_T bytes; } impossible[] = {
    { "-1 bytes", (SIZE_T)-1 }, { "-8 bytes", (SIZE_T)-8 }, { "-16 bytes", (SIZE_T)-16 }, { "-17 bytes", (SIZE_T)-17 }, { "-4096 bytes", (SIZE_T)-4096 },
    { "-0x10000 bytes", (SIZE_T)-0x10000 }, { "-2 MiB", (SIZE_T)-2 * MiB }, { "2 to the 63 bytes", (SIZE_T)1 << 63 }, { "2 to the 62 bytes", (SIZE_T)1 << 62 },
    { "2 to the 48 bytes", (SIZE_T)1 << 48 }, { "2 to the 47 bytes", (SIZE_T)1 << 47 },
};

static void observe_impossible(void)
{
    static const struct { const char *name; DWORD flags; } ways[] = { { "", 0 }, { ", zeroed", HEAP_ZERO_MEMORY }, { ", raising", HEAP_GENERATE_EXCEPTIONS } };
    for (int i = 0; i < HEAP_KINDS; i++) {
        HANDLE heap = create_kind(&heap_kinds[i]);
        char *block = HeapAlloc(heap, 0, 100);
        fill_pattern(block, 100);
        for (size_t j = 0; j < sizeof impossible / sizeof impossible[0]; j++)
            for (int way = 0; way < (i == 0 ? 3 : 1); way++)
                OBSERVE_NULL(named("%s, %s%s", heap_kinds[i].name, impossible[j].name, ways[way].name), HeapAlloc(heap, ways[way].flags, impossible[j].bytes));
        observe(named("%s, sound after what cannot be", heap_kinds[i].name), "%s", yes(HeapValidate(heap, 0, NULL) && has_pattern(block, 100)));
        observe(named("%s, serves after what cannot be", heap_kinds[i].name), "%s", yes(HeapAlloc(heap, 0, 100) != NULL));
        HeapDestroy(heap);
    }
}

/* Single blocks in heaps with a maximum: the limit of one block, and what the heap keeps for itself. */
static void observe_limit(void)
{
    static const SIZE_T around[] = { 0x7EFE8, 0x7EFE9, 0x7F000, 0x7FFF7, 0x7FFF8, 0x7FFF9, 0x80000, 0xFEFD8, 0xFEFD9, 0xFF000, 0x100000, 0x200000, 0xF00000 };
    HANDLE heap = HeapCreate(0, 0, 16 * MiB), full = HeapCreate(0, 16 * MiB, 16 * MiB);
    for (size_t i = 0; i < sizeof around / sizeof around[0]; i++) {
        observe_block(named("heap of 16 MiB, 0x%llX bytes", (unsigned long long)around[i]), heap, 0, around[i]);
        OBSERVE_NULL(named("heap of 16 MiB committed, 0x%llX bytes", (unsigned long long)around[i]), HeapAlloc(full, 0, around[i]));
        OBSERVE_NULL(named("heap of 16 MiB, 0x%llX bytes, raising", (unsigned long long)around[i]), HeapAlloc(heap, HEAP_GENERATE_EXCEPTIONS, around[i]));
    }
    HeapDestroy(heap), HeapDestroy(full);
    static const SIZE_T maxima[] = { 0x10000, 0x20000, 0x40000, 0x60000 };
    static const SIZE_T kept[] = { 0, 1, 0x600, 0x800, 0xC00, 0x1000, 0x2000 };
    for (size_t i = 0; i < sizeof maxima / sizeof maxima[0]; i++) {
        for (size_t j = 0; j < sizeof kept / sizeof kept[0]; j++) {
            heap = HeapCreate(0, maxima[i], maxima[i]);
            observe_block(named("heap of 0x%llX bytes, all but 0x%llX", (unsigned long long)maxima[i], (unsigned long long)kept[j]), heap, 0, maxima[i] - kept[j]);
            HeapDestroy(heap);
        }
        heap = HeapCreate(0, 0, maxima[i]);
        OBSERVE_NULL(named("heap of 0x%llX bytes, one more", (unsigned long long)maxima[i]), HeapAlloc(heap, 0, maxima[i] + 1));
        OBSERVE_NULL(named("heap of 0x%llX bytes, half", (unsigned long long)maxima[i]), HeapAlloc(heap, 0, maxima[i] / 2));
        OBSERVE_NULL(named("heap of 0x%llX bytes, half again and a bit", (unsigned long long)maxima[i]), HeapAlloc(heap, 0, maxima[i] / 2 + 1));
        HeapDestroy(heap);
    }
}

/* A heap whose maximum is used up. */
static void observe_full(const char *name, DWORD options, SIZE_T maximum)
{
    HANDLE heap = HeapCreate(options, 0, maximum);
    void *last = NULL, *block;
    while ((block = HeapAlloc(heap, HEAP_NO_SERIALIZE, 2000)) != NULL)
        last = block;
    OBSERVE_NULL(named("full %s", name), HeapAlloc(heap, 0, 2000));
    OBSERVE_NULL(named("full %s, raising", name), HeapAlloc(heap, HEAP_GENERATE_EXCEPTIONS, 2000));
    OBSERVE_NULL(named("full %s, zeroed", name), HeapAlloc(heap, HEAP_ZERO_MEMORY, 2000));
    OBSERVE_NULL(named("full %s, 60000 bytes", name), HeapAlloc(heap, 0, 60000));
    observe(named("full %s, sound", name), "%s", yes(HeapValidate(heap, 0, NULL)));
    HeapFree(heap, 0, last);
    OBSERVE_NULL(named("full %s, after one was freed", name), HeapAlloc(heap, HEAP_GENERATE_EXCEPTIONS, 2000));
    HeapDestroy(heap);
}

static void observe_heap_raising(void)
{
    HANDLE heap = HeapCreate(HEAP_GENERATE_EXCEPTIONS, 0, 64 * KiB);
    OBSERVE_NULL("raising heap with a maximum, a block that fits", HeapAlloc(heap, 0, 1000));
    OBSERVE_NULL("raising heap with a maximum, a block that does not", HeapAlloc(heap, 0, 100000));
    OBSERVE_NULL("raising heap with a maximum, a block that does not, unserialized", HeapAlloc(heap, HEAP_NO_SERIALIZE, 100000));
    OBSERVE_NULL("raising heap with a maximum, a block that does not, raising", HeapAlloc(heap, HEAP_GENERATE_EXCEPTIONS, 100000));
    OBSERVE_NULL("raising heap with a maximum, a block that fits after it", HeapAlloc(heap, 0, 1000));
    HeapDestroy(heap);
}

/* What a handler is told. */
static EXCEPTION_RECORD record_of(HANDLE heap, DWORD flags, SIZE_T count)
{
#if defined(_WIN32)
    memset(&raised_record, 0, sizeof raised_record);
    (void)RAISED_OR(yes(HeapAlloc(heap, flags, count) != NULL));
    return raised_record;
#else
    EXCEPTION_RECORD record = { 0 };
    __try {
        HeapAlloc(heap, flags, count);
    }
    __except ((record = *GetExceptionInformation()->ExceptionRecord, EXCEPTION_EXECUTE_HANDLER)) {
    }
    return record;
#endif
}

static void observe_record(const char *name, HANDLE heap, SIZE_T count)
{
    EXCEPTION_RECORD record = record_of(heap, HEAP_GENERATE_EXCEPTIONS, count);
    observe(named("%s, exception code", name), "0x%X", (unsigned)record.ExceptionCode);
    observe(named("%s, exception flags", name), "%u", (unsigned)record.ExceptionFlags);
    observe(named("%s, exception parameters", name), "%u", (unsigned)record.NumberParameters);
    observe(named("%s, nested exception", name), "%s", yes(record.ExceptionRecord != NULL));
    observe(named("%s, exception address", name), "%s", yes(record.ExceptionAddress != NULL));
}

static void observe_bad_handles(void)
{
    static const struct { const char *name; DWORD flags; } ways[] = { { "", 0 }, { ", raising", HEAP_GENERATE_EXCEPTIONS }, { ", unserialized", HEAP_NO_SERIALIZE } };
    for (int i = 0; i < BAD_HANDLES; i++)
        for (int way = 0; way < 3; way++) {
            HANDLE bad = bad_handle(i);
            OBSERVE_NULL(named("%s%s", bad_handle_name(i), ways[way].name), HeapAlloc(bad, ways[way].flags, 100));
        }
    OBSERVE_NULL("handle NULL, 2 MiB", HeapAlloc(NULL, 0, 2 * MiB));
    OBSERVE_NULL("handle NULL, -1 bytes", HeapAlloc(NULL, 0, NO_SIZE));
}

struct shared { HANDLE heap; void *block; SIZE_T bytes; int freed; };
static void allocate_there(void *shared_)
{
    struct shared *shared = shared_;
    fill_pattern(shared->block = HeapAlloc(shared->heap, 0, shared->bytes), shared->bytes);
}
static void free_there(void *shared_)
{
    struct shared *shared = shared_;
    shared->freed = HeapFree(shared->heap, 0, shared->block);
}

static void observe_threads(void)
{
    static const SIZE_T sizes[] = { 16, 1000, 5000, 40000, 400000, 2 * MiB };
    for (int i = 0; i < HEAP_KINDS; i++) {
        HANDLE heap = create_kind(&heap_kinds[i]);
        for (size_t j = 0; j < sizeof sizes / sizeof sizes[0]; j++) {
            if (heap_kinds[i].maximum != 0 && sizes[j] > 400000)
                continue;
            struct shared shared = { heap, NULL, sizes[j], 0 };
            const char *name = named("%s, %s of another thread", heap_kinds[i].name, bytes(sizes[j]));
            on_thread(allocate_there, &shared);
            observe(named("%s, seen here", name), "%s", yes(HeapSize(heap, 0, shared.block) == sizes[j] && has_pattern(shared.block, sizes[j])));
            observe(named("%s, freed here", name), "%s", yes(HeapFree(heap, 0, shared.block)));
            allocate_there(&shared);
            on_thread(free_there, &shared);
            observe(named("%s, freed there", name), "%s", yes(shared.freed && !HeapValidate(heap, 0, shared.block)));
        }
        HeapDestroy(heap);
    }
}

void heap_alloc(void)
{
    observe_flags();
    observe_zero_bytes();
    observe_impossible();
    observe_limit();
    observe_full("heap of 64 KiB", 0, 64 * KiB);
    observe_full("heap of 1 MiB", 0, MiB);
    observe_full("heap of 16 MiB", 0, 16 * MiB);
    observe_full("unserialized heap of 1 MiB", HEAP_NO_SERIALIZE, MiB);
    observe_heap_raising();
    HANDLE growable = HeapCreate(0, 0, 0), fixed = HeapCreate(0, 0, 64 * KiB);
    observe_record("-1 bytes", growable, NO_SIZE);
    observe_record("100000 bytes in a heap of 64 KiB", fixed, 100000);
    HeapDestroy(growable), HeapDestroy(fixed);
    observe_bad_handles();
    observe_threads();
}
