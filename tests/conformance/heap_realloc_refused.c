/* HeapReAlloc: what cannot be done, and what is left behind by trying. */
#include "cases.h"

static void observe_no_block(void)
{
    static const DWORD flags[] = { 0, HEAP_NO_SERIALIZE, HEAP_GENERATE_EXCEPTIONS, HEAP_ZERO_MEMORY, HEAP_REALLOC_IN_PLACE_ONLY };
    static const SIZE_T sizes[] = { 0, 100, 2 * MiB, NO_SIZE };
    HANDLE heap = HeapCreate(0, 0, 0);
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 4; j++)
            OBSERVE_NULL(named("NULL to %s bytes, flags 0x%X", size(sizes[j]), (unsigned)flags[i]), HeapReAlloc(heap, flags[i], NULL, sizes[j]));
    for (int i = 1; i < HEAP_KINDS; i++) {
        HANDLE other = create_kind(&heap_kinds[i]);
        OBSERVE_NULL(named("%s, NULL to 100 bytes", heap_kinds[i].name), HeapReAlloc(other, 0, NULL, 100));
        HeapDestroy(other);
    }
    OBSERVE_NULL("handle NULL, NULL to 100 bytes", HeapReAlloc(NULL, 0, NULL, 100));
    OBSERVE_NULL("handle NULL, NULL to 100 bytes, raising", HeapReAlloc(NULL, HEAP_GENERATE_EXCEPTIONS, NULL, 100));
    HeapDestroy(heap);
}

static void observe_bad_addresses(void)
{
    static const struct { const char *name; DWORD flags; } ways[] = {
        { "", 0 }, { ", raising", HEAP_GENERATE_EXCEPTIONS }, { ", in place", HEAP_REALLOC_IN_PLACE_ONLY }, { ", unserialized", HEAP_NO_SERIALIZE },
    };
    for (int i = 0; i < BAD_ADDRESSES; i++)
        for (int way = 0; way < 4; way++) {
            HANDLE heap = HeapCreate(0, 0, 0);
            void *address = bad_address(i, heap);
            OBSERVE_NULL(named("%s%s", bad_address_name(i), ways[way].name), HeapReAlloc(heap, ways[way].flags, address, 200));
        }
    HANDLE heap = HeapCreate(HEAP_GENERATE_EXCEPTIONS, 0, 0);
    void *freed = bad_address(0, heap);
    OBSERVE_NULL("raising heap, freed block", HeapReAlloc(heap, 0, freed, 200));
    for (int i = 0; i < BAD_HANDLES; i++) {
        void *block = HeapAlloc(GetProcessHeap(), 0, 100);
        HANDLE bad = bad_handle(i);
        OBSERVE_NULL(bad_handle_name(i), HeapReAlloc(bad, 0, block, 200));
    }
    for (int i = 0; i < BAD_HANDLES; i++) {
        void *block = HeapAlloc(GetProcessHeap(), 0, 100);
        HANDLE bad = bad_handle(i);
        OBSERVE_NULL(named("%s, raising", bad_handle_name(i)), HeapReAlloc(bad, HEAP_GENERATE_EXCEPTIONS, block, 200));
    }
}

static void observe_impossible(void)
{
    static const struct { const char *name; DWORD flags; } ways[] = { { "", 0 }, { ", zeroed", HEAP_ZERO_MEMORY }, { ", raising", HEAP_GENERATE_EXCEPTIONS } };
    static const struct { const char *name; SIZE_T bytes; } impossible[] = {
        { "-1 bytes", (SIZE_T)-1 }, { "-8 bytes", (SIZE_T)-8 }, { "-16 bytes", (SIZE_T)-16 }, { "-0x10000 bytes", (SIZE_T)-0x10000 },
        { "2 to the 63 bytes", (SIZE_T)1 << 63 }, { "2 to the 47 bytes", (SIZE_T)1 << 47 },
    };
    static const SIZE_T sizes[] = { 0, 100, 40000, 400000, 2 * MiB };
    for (int i = 0; i < HEAP_KINDS; i++) {
        HANDLE heap = create_kind(&heap_kinds[i]);
        for (size_t from = 0; from < sizeof sizes / sizeof sizes[0]; from++) {
            if (heap_kinds[i].maximum != 0 && sizes[from] > 400000)
                continue;
            char *block = HeapAlloc(heap, 0, sizes[from]);
            fill_pattern(block, sizes[from]);
            for (size_t j = 0; j < sizeof impossible / sizeof impossible[0]; j++) {
                int way = (int)(j + from) % 3;
                OBSERVE_NULL(named("%s, %s to %s%s", heap_kinds[i].name, bytes(sizes[from]), impossible[j].name, ways[way].name),
                    HeapReAlloc(heap, ways[way].flags, block, impossible[j].bytes));
            }
            observe(named("%s, %s as they were", heap_kinds[i].name, bytes(sizes[from])), "%s",
                yes(HeapSize(heap, 0, block) == sizes[from] && HeapValidate(heap, 0, block) && has_pattern(block, sizes[from])));
        }
        observe(named("%s, sound after it all", heap_kinds[i].name), "%s", yes(HeapValidate(heap, 0, NULL)));
        HeapDestroy(heap);
    }
}

static void observe_limit(void)
{
    static const SIZE_T sizes[] = { 0x40000, 0x7FFF7, 0x7FFF8, 0x80000, 0xFEFD8, 0xFEFD9, 0xFF000, 0x100000, 0xF00000, 0x1000001 };
    HANDLE heap = HeapCreate(0, 0, 16 * MiB);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char *block = HeapAlloc(heap, 0, 0x3F400), *resized = NULL;
        fill_pattern(block, 0x3F400);
        OBSERVE_NULL(named("heap of 16 MiB, 0x3F400 to 0x%llX bytes", (unsigned long long)sizes[i]), resized = HeapReAlloc(heap, 0, block, sizes[i]));
        char *now = resized != NULL ? resized : block;
        observe(named("heap of 16 MiB, 0x3F400 to 0x%llX bytes, content", (unsigned long long)sizes[i]), "%s", yes(has_pattern(now, 0x3F400)));
        HeapFree(heap, 0, now);
    }
    HeapDestroy(heap);
    heap = HeapCreate(HEAP_GENERATE_EXCEPTIONS, 0, MiB);
    void *block = HeapAlloc(heap, 0, 1000);
    OBSERVE_NULL("raising heap of 1 MiB, too much", HeapReAlloc(heap, 0, block, 2 * MiB));
    OBSERVE_NULL("raising heap of 1 MiB, too much, in place", HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, block, 2 * MiB));
    OBSERVE_NULL("raising heap of 1 MiB, what fits", HeapReAlloc(heap, 0, block, 2000));
    HeapDestroy(heap);
}

void heap_realloc_refused(void)
{
    observe_no_block();
    observe_bad_addresses();
    observe_impossible();
    observe_limit();
}
