/* HeapFree: blocks of every size from every heap, and all that is no block. */
#include "cases.h"

static void observe_live(void)
{
    static const SIZE_T sizes[] = { 0, 1, 100, 5000, 40000, 400000, 2 * MiB };
    for (int i = 0; i < HEAP_KINDS; i++) {
        HANDLE heap = create_kind(&heap_kinds[i]);
        for (size_t j = 0; j < sizeof sizes / sizeof sizes[0]; j++) {
            void *block = HeapAlloc(heap, 0, sizes[j]);
            if (block == NULL)
                continue;
            OBSERVE_BOOL(named("%s, %s", heap_kinds[i].name, bytes(sizes[j])), HeapFree(heap, 0, block));
            observe(named("%s, %s, then valid", heap_kinds[i].name, bytes(sizes[j])), "%s", yes(HeapValidate(heap, 0, block)));
            if (sizes[j] <= 400000)
                OBSERVE_BOOL(named("%s, %s, again", heap_kinds[i].name, bytes(sizes[j])), HeapFree(heap, 0, block));
        }
        OBSERVE_BOOL(named("%s, NULL", heap_kinds[i].name), HeapFree(heap, 0, NULL));
        observe(named("%s, sound", heap_kinds[i].name), "%s", yes(HeapValidate(heap, 0, NULL)));
        HeapDestroy(heap);
    }
    HANDLE heap = HeapCreate(0, 0, 0);
    for (int i = 0; i < edge_size_count; i++) {
        void *block = HeapAlloc(heap, 0, edge_size(i));
        observe(named("%s, freed", bytes(edge_size(i))), "%s", yes(HeapFree(heap, 0, block)));
    }
    observe("sound after the edges", "%s", yes(HeapValidate(heap, 0, NULL)));
    HeapDestroy(heap);
}

static void observe_flags(void)
{
    HANDLE heap = HeapCreate(0, 0, 0);
    for (int bit = 0; bit < 32; bit++) {
        void *block = HeapAlloc(heap, 0, 100);
        OBSERVE_BOOL(named("flag 0x%X", 1u << bit), HeapFree(heap, 1u << bit, block));
    }
    void *block = HeapAlloc(heap, 0, 100);
    OBSERVE_BOOL("all flags", HeapFree(heap, 0xFFFFFFFF, block));
    OBSERVE_BOOL("all flags, NULL", HeapFree(heap, 0xFFFFFFFF, NULL));
    HeapDestroy(heap);
}

static void observe_bad_addresses(void)
{
    for (int i = 0; i < BAD_ADDRESSES; i++) {
        HANDLE heap = HeapCreate(0, 0, 0);
        char *bystander = HeapAlloc(heap, 0, 100);
        fill_pattern(bystander, 100);
        void *address = bad_address(i, heap);
        OBSERVE_BOOL(bad_address_name(i), HeapFree(heap, 0, address));
        observe(named("%s, heap is sound after it", bad_address_name(i)), "%s", yes(HeapValidate(heap, 0, NULL)));
        observe(named("%s, bystander after it", bad_address_name(i)), "%s", yes(HeapSize(heap, 0, bystander) == 100 && has_pattern(bystander, 100)));
        address = bad_address(i, heap = HeapCreate(0, 0, 0));
        OBSERVE_BOOL(named("%s, raising", bad_address_name(i)), HeapFree(heap, HEAP_GENERATE_EXCEPTIONS, address));
    }
    HANDLE heap = HeapCreate(0, 0, 0), other = HeapCreate(0, 0, 0);
    void *block = HeapAlloc(other, 0, 100);
    OBSERVE_BOOL("by the wrong heap", HeapFree(heap, 0, block));
    observe("by the wrong heap, still valid in its own", "%s", yes(HeapValidate(other, 0, block)));
    OBSERVE_BOOL("by the right heap after that", HeapFree(other, 0, block));
    HeapDestroy(heap), HeapDestroy(other);
}

static void observe_bad_handles(void)
{
    for (int i = 0; i < BAD_HANDLES; i++) {
        HANDLE bad = bad_handle(i);
        OBSERVE_BOOL(named("%s, NULL", bad_handle_name(i)), HeapFree(bad, 0, NULL));
        void *block = HeapAlloc(GetProcessHeap(), 0, 100);
        bad = bad_handle(i);
        OBSERVE_BOOL(named("%s, a block", bad_handle_name(i)), HeapFree(bad, 0, block));
    }
}

void heap_free(void)
{
    observe_live();
    observe_flags();
    observe_bad_addresses();
    observe_bad_handles();
}
