/* HeapQueryInformation and HeapSetInformation. */
#include "cases.h"

#define QUERY(heap, class, buffer, length, returned) HeapQueryInformation(heap, (HEAP_INFORMATION_CLASS)(class), buffer, length, returned)
#define SET(heap, class, buffer, length) HeapSetInformation(heap, (HEAP_INFORMATION_CLASS)(class), buffer, length)
enum { FRONT_END = 0, TERMINATION = 1, OPTIMIZE = 3, TAG = 7, MARKED = 0x5A5A5A5A };

static ULONG front_end(HANDLE heap)
{
    ULONG mode = MARKED;
    QUERY(heap, FRONT_END, &mode, sizeof mode, NULL);
    return mode;
}

static void observe_lengths(void)
{
    HANDLE heap = HeapCreate(0, 0, 0);
    for (SIZE_T length = 0; length <= 16; length++) {
        ULONG buffer[4] = { MARKED, MARKED, MARKED, MARKED };
        SIZE_T returned = MARKED;
        OBSERVE_BOOL(named("length %d", (int)length), QUERY(heap, FRONT_END, buffer, length, &returned));
        observe(named("length %d, returned length", (int)length), "%s", number(returned));
        observe(named("length %d, value", (int)length), "%s", number(buffer[0]));
        observe(named("length %d, rest left alone", (int)length), "%s", yes(buffer[1] == MARKED && buffer[2] == MARKED));
        buffer[0] = MARKED;
        OBSERVE_BOOL(named("length %d, no returned length", (int)length), QUERY(heap, FRONT_END, buffer, length, NULL));
    }
    SIZE_T returned = MARKED;
    OBSERVE_BOOL("no buffer, length 0", QUERY(heap, FRONT_END, NULL, 0, &returned));
    observe("no buffer, length 0, returned length", "%s", number(returned));
    OBSERVE_BOOL("no buffer, length 3", QUERY(heap, FRONT_END, NULL, 3, NULL));
    OBSERVE_BOOL("no buffer, length 4", QUERY(heap, FRONT_END, NULL, 4, NULL));
    OBSERVE_BOOL("buffer 0x12340, length 4", QUERY(heap, FRONT_END, (void *)0x12340, 4, NULL));
    HeapDestroy(heap);
}

static void observe_classes(void)
{
    static const DWORD classes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 100, 0x7FFFFFFF, 0x80000000, 0x80000001, 0x80000002, 0xFFFFFFFF };
    HANDLE heap = HeapCreate(0, 0, 0);
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        ULONG buffer[16];
        memset(buffer, 0x5A, sizeof buffer);
        SIZE_T returned = MARKED;
        const char *name = named("class 0x%X", (unsigned)classes[i]);
        OBSERVE_BOOL(name, QUERY(heap, classes[i], buffer, sizeof buffer, &returned));
        observe(named("%s, nothing written", name), "%s", yes(all_bytes(buffer, sizeof buffer, 0x5A)));
    }
    HeapDestroy(heap);
}

static void observe_turning(SIZE_T block_bytes, int limit)
{
    HANDLE heap = HeapCreate(0, 0, 0);
    int count = 0;
    while (front_end(heap) == 0 && count < limit) {
        HeapAlloc(heap, 0, block_bytes);
        count++;
    }
    observe(named("%s, blocks until 2", bytes(block_bytes)), "%d", front_end(heap) == 2 ? count : -1);
    HeapDestroy(heap);
}

void heap_query_information(void)
{
    observe_lengths();
    observe_classes();
    for (int i = 0; i < HEAP_KINDS; i++) {
        HANDLE heap = create_kind(&heap_kinds[i]);
        observe(named("%s, new", heap_kinds[i].name), "%s", number(front_end(heap)));
        HeapAlloc(heap, 0, 100);
        observe(named("%s, with one block", heap_kinds[i].name), "%s", number(front_end(heap)));
        for (int j = 0; j < 16; j++)
            HeapFree(heap, 0, HeapAlloc(heap, 0, 200));
        HeapFree(heap, 0, HeapAlloc(heap, 0, 1000));
        for (int j = 0; j < 400; j++)
            HeapAlloc(heap, 0, 100);
        observe(named("%s, with 401 blocks of one size", heap_kinds[i].name), "%s", number(front_end(heap)));
        HeapDestroy(heap);
    }
    static const SIZE_T sizes[] = { 0, 1, 16, 100, 500, 1000 };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        observe_turning(sizes[i], 2000);
    for (int i = 0; i < BAD_HANDLES; i++) {
        ULONG mode = MARKED;
        SIZE_T returned = MARKED;
        HANDLE bad = bad_handle(i);
        OBSERVE_BOOL(bad_handle_name(i), QUERY(bad, FRONT_END, &mode, sizeof mode, &returned));
        observe(named("%s, returned length", bad_handle_name(i)), "%s", number(returned));
    }
    SIZE_T returned = MARKED;
    OBSERVE_BOOL("handle NULL, length 0", QUERY(NULL, FRONT_END, NULL, 0, &returned));
    observe("handle NULL, length 0, returned length", "%s", number(returned));
    OBSERVE_BOOL("handle NULL, class 2", QUERY(NULL, 2, NULL, 0, NULL));
}

static void observe_set(const char *name, HANDLE heap, ULONG value)
{
    OBSERVE_BOOL(name, SET(heap, FRONT_END, &value, sizeof value));
    observe(named("%s, then", name), "%s", number(front_end(heap)));
}

static void observe_values(void)
{
    static const ULONG values[] = { 0, 1, 2, 3, 4, 5, 0x100, 0xFFFFFFFF };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        HANDLE heap = HeapCreate(0, 0, 0);
        observe_set(named("0x%X on a new heap", (unsigned)values[i]), heap, values[i]);
        HeapDestroy(heap);
        heap = HeapCreate(0, 0, 0);
        ULONG two = 2;
        SET(heap, FRONT_END, &two, sizeof two);
        observe_set(named("0x%X on a heap that has 2", (unsigned)values[i]), heap, values[i]);
        HeapDestroy(heap);
    }
    for (int i = 1; i < HEAP_KINDS; i++) {
        HANDLE heap = create_kind(&heap_kinds[i]);
        observe_set(named("2, %s", heap_kinds[i].name), heap, 2);
        observe_set(named("0 after 2, %s", heap_kinds[i].name), heap, 0);
        void *block = HeapAlloc(heap, 0, 100);
        observe(named("2, %s, serves on", heap_kinds[i].name), "%s", yes(HeapSize(heap, 0, block) == 100 && HeapFree(heap, 0, block)));
        HeapDestroy(heap);
    }
    HANDLE heap = HeapCreate(0, 0, 0);
    HeapAlloc(heap, 0, 100);
    observe_set("2 on a heap with a block", heap, 2);
    HeapDestroy(heap);
}

static void observe_buffers(void)
{
    ULONG buffer[4] = { 2, 2, 2, 2 };
    for (SIZE_T length = 0; length <= 8; length++) {
        HANDLE heap = HeapCreate(0, 0, 0);
        OBSERVE_BOOL(named("length %d", (int)length), SET(heap, FRONT_END, buffer, length));
        observe(named("length %d, then", (int)length), "%s", number(front_end(heap)));
        HeapDestroy(heap);
    }
    HANDLE heap = HeapCreate(0, 0, 0);
    OBSERVE_BOOL("no buffer, length 0", SET(heap, FRONT_END, NULL, 0));
    OBSERVE_BOOL("no buffer, length 3", SET(heap, FRONT_END, NULL, 3));
    OBSERVE_BOOL("no buffer, length 4", SET(heap, FRONT_END, NULL, 4));
    OBSERVE_BOOL("buffer 0x12340, length 4", SET(heap, FRONT_END, (void *)0x12340, 4));
    observe("after bad buffers, front end", "%s", number(front_end(heap)));
    HeapDestroy(heap);
    for (int i = 0; i < BAD_HANDLES; i++) {
        HANDLE bad = bad_handle(i);
        OBSERVE_BOOL(bad_handle_name(i), SET(bad, FRONT_END, buffer, sizeof(ULONG)));
    }
    OBSERVE_BOOL("handle NULL, length 0", SET(NULL, FRONT_END, NULL, 0));
}

static void observe_optimize(void)
{
    struct { DWORD version, flags; } request = { 1, 0 };
    HANDLE heap = HeapCreate(0, 0, 0);
    char *kept = HeapAlloc(heap, 0, 1000);
    fill_pattern(kept, 1000);
    HeapFree(heap, 0, HeapAlloc(heap, 0, 300000));
    OBSERVE_BOOL("optimize", SET(heap, OPTIMIZE, &request, sizeof request));
    observe("optimize, blocks as they were", "%s", yes(HeapSize(heap, 0, kept) == 1000 && has_pattern(kept, 1000) && HeapValidate(heap, 0, NULL)));
    OBSERVE_BOOL("optimize, all heaps", SET(NULL, OPTIMIZE, &request, sizeof request));
    observe("optimize, all heaps, blocks as they were", "%s", yes(has_pattern(kept, 1000) && HeapValidate(heap, 0, NULL)));
    for (int i = 1; i < HEAP_KINDS; i++) {
        HANDLE other = create_kind(&heap_kinds[i]);
        OBSERVE_BOOL(named("optimize, %s", heap_kinds[i].name), SET(other, OPTIMIZE, &request, sizeof request));
        HeapDestroy(other);
    }
    request.version = 0;
    OBSERVE_BOOL("optimize, version 0", SET(heap, OPTIMIZE, &request, sizeof request));
    request.version = 2;
    OBSERVE_BOOL("optimize, version 2", SET(heap, OPTIMIZE, &request, sizeof request));
    request.version = 1, request.flags = 1;
    OBSERVE_BOOL("optimize, flags 1", SET(heap, OPTIMIZE, &request, sizeof request));
    request.flags = 0;
    OBSERVE_BOOL("optimize, length 0", SET(heap, OPTIMIZE, NULL, 0));
    OBSERVE_BOOL("optimize, length 4", SET(heap, OPTIMIZE, &request, 4));
    OBSERVE_BOOL("optimize, no buffer", SET(heap, OPTIMIZE, NULL, sizeof request));
    OBSERVE_BOOL("optimize, buffer 0x12340", SET(heap, OPTIMIZE, (void *)0x12340, sizeof request));
    for (int i = 1; i < BAD_HANDLES; i++) {
        HANDLE bad = bad_handle(i);
        OBSERVE_BOOL(named("optimize, %s", bad_handle_name(i)), SET(bad, OPTIMIZE, &request, sizeof request));
    }
    HeapDestroy(heap);
}

void heap_set_information(void)
{
    observe_values();
    observe_buffers();
    observe_optimize();
    static const DWORD classes[] = { 2, 4, 5, 6, TAG, 8, 100, 0x7FFFFFFF, 0x80000001, 0x80000002, 0xFFFFFFFF };
    HANDLE heap = HeapCreate(0, 0, 0);
    ULONG buffer[4] = { 1, 0, 0, 0 };
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        OBSERVE_BOOL(named("class 0x%X", (unsigned)classes[i]), SET(heap, classes[i], buffer, sizeof buffer));
        OBSERVE_BOOL(named("class 0x%X, no heap, no buffer", (unsigned)classes[i]), SET(NULL, classes[i], NULL, 0));
    }
    HeapDestroy(heap);
}

/* Comes last of all: after it a bad address ends the process. */
void heap_set_termination(void)
{
    ULONG buffer[2] = { 0, 0 };
    HANDLE heap = HeapCreate(0, 0, 0);
    OBSERVE_BOOL("termination", SET(NULL, TERMINATION, NULL, 0));
    OBSERVE_BOOL("termination, again", SET(NULL, TERMINATION, NULL, 0));
    OBSERVE_BOOL("termination, a heap is named", SET(heap, TERMINATION, NULL, 0));
    OBSERVE_BOOL("termination, process heap", SET(GetProcessHeap(), TERMINATION, NULL, 0));
    OBSERVE_BOOL("termination, a buffer is given", SET(NULL, TERMINATION, buffer, sizeof buffer));
    OBSERVE_BOOL("termination, handle 0x12340", SET((HANDLE)0x12340, TERMINATION, NULL, 0));
    void *block = HeapAlloc(heap, 0, 100);
    observe("termination, good calls go on", "%s", yes(HeapSize(heap, 0, block) == 100 && HeapValidate(heap, 0, NULL)));
    observe("termination, a failed allocation", "%s", yes(HeapAlloc(heap, 0, NO_SIZE) == NULL));
    observe("termination, an address that is no block is only asked about", "%s", yes(HeapValidate(heap, 0, (char *)block + 16)));
    OBSERVE_BOOL("termination, freeing NULL", HeapFree(heap, 0, NULL));
    OBSERVE_BOOL("termination, freeing a block", HeapFree(heap, 0, block));
    HeapDestroy(heap);
}
