/* HeapSize and HeapValidate: what is a block, and how large. */
#include "cases.h"

static void observe_live_sizes(void)
{
    HANDLE heap = HeapCreate(0, 0, 0);
    for (int i = 0; i < edge_size_count; i++) {
        void *block = HeapAlloc(heap, 0, edge_size(i));
        observe(bytes(edge_size(i)), "%s", size(HeapSize(heap, 0, block)));
    }
    HeapDestroy(heap);
    static const SIZE_T sizes[] = { 0, 1, 15, 16, 17, 100, 5000, 40000, 400000 };
    for (int i = 0; i < HEAP_KINDS; i++) {
        heap = create_kind(&heap_kinds[i]);
        for (size_t j = 0; j < sizeof sizes / sizeof sizes[0]; j++) {
            void *block = HeapAlloc(heap, 0, sizes[j]);
            OBSERVE_SIZE(named("%s, %s", heap_kinds[i].name, bytes(sizes[j])), HeapSize(heap, 0, block));
        }
        HeapDestroy(heap);
    }
}

void heap_size(void)
{
    observe_live_sizes();
    HANDLE heap = HeapCreate(0, 0, 0);
    void *block = HeapAlloc(heap, 0, 100);
    for (int bit = 0; bit < 32; bit++)
        OBSERVE_SIZE(named("flag 0x%X", 1u << bit), HeapSize(heap, 1u << bit, block));
    OBSERVE_SIZE("all flags", HeapSize(heap, 0xFFFFFFFF, block));
    OBSERVE_SIZE("NULL", HeapSize(heap, 0, NULL));
    HeapDestroy(heap);
    for (int i = 0; i < BAD_ADDRESSES; i++) {
        void *address = bad_address(i, heap = HeapCreate(0, 0, 0));
        OBSERVE_SIZE(bad_address_name(i), HeapSize(heap, 0, address));
        address = bad_address(i, heap = HeapCreate(HEAP_GENERATE_EXCEPTIONS, 0, 0));
        OBSERVE_SIZE(named("%s, raising", bad_address_name(i)), HeapSize(heap, HEAP_GENERATE_EXCEPTIONS, address));
    }
    block = HeapAlloc(GetProcessHeap(), 0, 100);
    for (int i = 0; i < BAD_HANDLES; i++) {
        HANDLE bad = bad_handle(i);
        OBSERVE_SIZE(bad_handle_name(i), HeapSize(bad, 0, block));
    }
}

static void observe_live(void)
{
    static const SIZE_T sizes[] = { 0, 1, 100, 1000, 5000, 40000, 400000, 2 * MiB };
    for (int i = 0; i < HEAP_KINDS; i++) {
        HANDLE heap = create_kind(&heap_kinds[i]);
        OBSERVE_BOOL(named("%s, new", heap_kinds[i].name), HeapValidate(heap, 0, NULL));
        for (size_t j = 0; j < sizeof sizes / sizeof sizes[0]; j++) {
            void *block = HeapAlloc(heap, 0, sizes[j]);
            if (block == NULL)
                continue;
            OBSERVE_BOOL(named("%s, %s", heap_kinds[i].name, bytes(sizes[j])), HeapValidate(heap, 0, block));
            OBSERVE_BOOL(named("%s, %s, unserialized", heap_kinds[i].name, bytes(sizes[j])), HeapValidate(heap, HEAP_NO_SERIALIZE, block));
        }
        OBSERVE_BOOL(named("%s, with blocks", heap_kinds[i].name), HeapValidate(heap, 0, NULL));
        OBSERVE_BOOL(named("%s, with blocks, unserialized", heap_kinds[i].name), HeapValidate(heap, HEAP_NO_SERIALIZE, NULL));
        HeapDestroy(heap);
    }
    HANDLE heap = HeapCreate(0, 0, 0);
    for (int i = 0; i < edge_size_count; i++) {
        void *block = HeapAlloc(heap, 0, edge_size(i));
        observe(bytes(edge_size(i)), "%s", yes(HeapValidate(heap, 0, block)));
    }
    OBSERVE_BOOL("process heap", HeapValidate(GetProcessHeap(), 0, NULL));
    HeapDestroy(heap);
}

/* A caller that writes behind its block. */
static void observe_overrun(void)
{
    HANDLE heap = HeapCreate(0, 0, 0);
    char *block = HeapAlloc(heap, 0, 100), *next = HeapAlloc(heap, 0, 100);
    memset(block, 0x41, 100 + 32);
    observe("overrun by 32 bytes, the heap", "%s", yes(HeapValidate(heap, 0, NULL)));
    observe("overrun by 32 bytes, the block", "%s", yes(HeapValidate(heap, 0, block)));
    (void)next;
}

void heap_validate(void)
{
    observe_live();
    HANDLE heap = HeapCreate(0, 0, 0);
    void *block = HeapAlloc(heap, 0, 100);
    for (int bit = 0; bit < 32; bit++)
        OBSERVE_BOOL(named("flag 0x%X", 1u << bit), HeapValidate(heap, 1u << bit, block));
    OBSERVE_BOOL("all flags", HeapValidate(heap, 0xFFFFFFFF, block));
    OBSERVE_BOOL("all flags, the heap", HeapValidate(heap, 0xFFFFFFFF, NULL));
    HeapDestroy(heap);
    for (int i = 0; i < BAD_ADDRESSES; i++) {
        void *address = bad_address(i, heap = HeapCreate(0, 0, 0));
        OBSERVE_BOOL(bad_address_name(i), HeapValidate(heap, 0, address));
    }
    block = HeapAlloc(GetProcessHeap(), 0, 100);
    for (int i = 0; i < BAD_HANDLES; i++) {
        HANDLE bad = bad_handle(i);
        OBSERVE_BOOL(bad_handle_name(i), HeapValidate(bad, 0, NULL));
        bad = bad_handle(i);
        OBSERVE_BOOL(named("%s, a block", bad_handle_name(i)), HeapValidate(bad, 0, block));
    }
    observe_overrun();
}
