/* RtlAllocateHeap, RtlReAllocateHeap, RtlFreeHeap, RtlSizeHeap, RtlMultipleAllocateHeap and RtlMultipleFreeHeap. */
#include "rtl.h"

static const char *allocated(HANDLE heap, ULONG flags, SIZE_T bytes)
{
    void *block = RtlAllocateHeap(heap, flags, bytes);
    if (block == NULL)
        return "NULL";
    const char *text = named("size %s%s", size(RtlSizeHeap(heap, 0, block)), (flags & HEAP_ZERO_MEMORY) && !all_bytes(block, bytes, 0) ? ", not zero" : "");
    RtlFreeHeap(heap, 0, block);
    return text;
}

#define OBSERVE_ALLOCATED(name, ...) observe_result(name, RAISED_OR((forget_error(), allocated(__VA_ARGS__))))

static void allocate_by_bit(HANDLE heap, int bit) { OBSERVE_ALLOCATED(named("bit %d", bit), heap, 1u << bit, 100); }

void rtl_allocate_heap(void)
{
    HANDLE heap = rtl_heap(), bounded = RtlCreateHeap(0, NULL, 256 * KiB, 0, NULL, NULL);
    OBSERVE_ALLOCATED("0 bytes", heap, 0, 0);
    OBSERVE_ALLOCATED("1 byte", heap, 0, 1);
    OBSERVE_ALLOCATED("100 bytes", heap, 0, 100);
    OBSERVE_ALLOCATED("3 MiB", heap, 0, 3 * MiB);
    OBSERVE_ALLOCATED("zeroed, 100 bytes", heap, HEAP_ZERO_MEMORY, 100);
    OBSERVE_ALLOCATED("zeroed, 3 MiB", heap, HEAP_ZERO_MEMORY, 3 * MiB);
    OBSERVE_ALLOCATED("impossible size", heap, 0, NO_SIZE);
    OBSERVE_ALLOCATED("impossible size less 16", heap, 0, NO_SIZE - 16);
    OBSERVE_ALLOCATED("impossible size, raising", heap, HEAP_GENERATE_EXCEPTIONS, NO_SIZE);
    OBSERVE_ALLOCATED("raising", heap, HEAP_GENERATE_EXCEPTIONS, 100);
    OBSERVE_ALLOCATED("bounded, half of the maximum", bounded, 0, 128 * KiB);
    OBSERVE_ALLOCATED("bounded, more than the maximum", bounded, 0, 300 * KiB);
    OBSERVE_ALLOCATED("bounded, more than the maximum, raising", bounded, HEAP_GENERATE_EXCEPTIONS, 300 * KiB);
    OBSERVE_ALLOCATED("user value", heap, SETTABLE_VALUE, 100);
    OBSERVE_ALLOCATED("user flags", heap, SETTABLE_FLAGS, 100);
    for (int bit = 0; bit < 32; bit++)
        allocate_by_bit(heap, bit);
    int aligned = 1;
    for (int bytes = 0; bytes < 1000; bytes++)
        aligned &= (uintptr_t)RtlAllocateHeap(heap, 0, bytes) % MEMORY_ALLOCATION_ALIGNMENT == 0;
    observe("alignment", "%s", yes(aligned));
    RtlDestroyHeap(heap);
    RtlDestroyHeap(bounded);
}

static const char *resized(HANDLE heap, ULONG flags, char *block, SIZE_T bytes, SIZE_T old_bytes)
{
    char *now = RtlReAllocateHeap(heap, flags, block, bytes);
    if (now == NULL)
        return "NULL";
    SIZE_T kept = bytes < old_bytes ? bytes : old_bytes;
    return named("size %s, content %s%s", size(RtlSizeHeap(heap, 0, now)), all_bytes(now, kept, 'x') ? "what it was" : "changed",
        (flags & HEAP_ZERO_MEMORY) && bytes > kept ? (all_bytes(now + kept, bytes - kept, 0) ? ", gain zero" : ", gain not zero") : "");
}

static void resize(HANDLE heap, const char *name, ULONG flags, SIZE_T from, SIZE_T to)
{
    char *block = RtlAllocateHeap(heap, 0, from);
    memset(block, 'x', from);
    observe_result(name, RAISED_OR((forget_error(), resized(heap, flags, block, to, from))));
}

static void resize_by_bit(HANDLE heap, int bit) { resize(heap, named("bit %d", bit), 1u << bit, 100, 90); }

void rtl_reallocate_heap(void)
{
    static char memory[64];
    HANDLE heap = rtl_heap(), other = rtl_heap();
    resize(heap, "100 to 200 bytes", 0, 100, 200);
    resize(heap, "100 to 50 bytes", 0, 100, 50);
    resize(heap, "100 to 0 bytes", 0, 100, 0);
    resize(heap, "0 to 100 bytes", 0, 0, 100);
    resize(heap, "100 bytes to 3 MiB", 0, 100, 3 * MiB);
    resize(heap, "3 MiB to 100 bytes", 0, 3 * MiB, 100);
    resize(heap, "9 to 16 bytes, zeroed", HEAP_ZERO_MEMORY, 9, 16);
    resize(heap, "100 bytes to 3 MiB, zeroed", HEAP_ZERO_MEMORY, 100, 3 * MiB);
    resize(heap, "100 to 50 bytes, zeroed", HEAP_ZERO_MEMORY, 100, 50);
    resize(heap, "in place, 100 to 90 bytes", HEAP_REALLOC_IN_PLACE_ONLY, 100, 90);
    resize(heap, "in place, 100 bytes to 3 MiB", HEAP_REALLOC_IN_PLACE_ONLY, 100, 3 * MiB);
    resize(heap, "in place, raising, 100 bytes to 3 MiB", HEAP_REALLOC_IN_PLACE_ONLY | HEAP_GENERATE_EXCEPTIONS, 100, 3 * MiB);
    resize(heap, "impossible size", 0, 100, NO_SIZE);
    resize(heap, "impossible size, raising", HEAP_GENERATE_EXCEPTIONS, 100, NO_SIZE);
    for (int bit = 0; bit < 32; bit++)
        resize_by_bit(heap, bit);
    char *block = RtlAllocateHeap(heap, 0, 100), *freed = RtlAllocateHeap(heap, 0, 333), *foreign = RtlAllocateHeap(other, 0, 100);
    RtlFreeHeap(heap, 0, freed);
    OBSERVE_NULL("NULL", RtlReAllocateHeap(heap, 0, NULL, 100));
    OBSERVE_NULL("NULL, 0 bytes", RtlReAllocateHeap(heap, 0, NULL, 0));
    OBSERVE_NULL("NULL in no heap", RtlReAllocateHeap(NULL, 0, NULL, 100));
    OBSERVE_NULL("a freed block", RtlReAllocateHeap(heap, 0, freed, 100));
    OBSERVE_NULL("another heap's block", RtlReAllocateHeap(heap, 0, foreign, 100));
    OBSERVE_NULL("inside a block", RtlReAllocateHeap(heap, 0, block + 16, 100));
    OBSERVE_NULL("misaligned", RtlReAllocateHeap(heap, 0, block + 1, 100));
    OBSERVE_NULL("static memory", RtlReAllocateHeap(heap, 0, memory + (16 - (uintptr_t)memory % 16), 10));
    OBSERVE_NULL("a freed block, raising", RtlReAllocateHeap(heap, HEAP_GENERATE_EXCEPTIONS, freed, 100));
    OBSERVE_SIZE("the block is unharmed", RtlSizeHeap(heap, 0, block));
    OBSERVE_SIZE("the other heap's block is unharmed", RtlSizeHeap(other, 0, foreign));
    OBSERVE_BOOL("the heap is sound", RtlValidateHeap(heap, 0, NULL));
    RtlDestroyHeap(heap);
    RtlDestroyHeap(other);
}

static void free_by_bit(HANDLE heap, int bit)
{
    void *block = RtlAllocateHeap(heap, 0, 100);
    OBSERVE_BOOL(named("bit %d", bit), RtlFreeHeap(heap, 1u << bit, block));
}

void rtl_free_heap(void)
{
    static char memory[64];
    HANDLE heap = rtl_heap(), other = rtl_heap();
    char *block = RtlAllocateHeap(heap, 0, 100), *freed = RtlAllocateHeap(heap, 0, 333), *foreign = RtlAllocateHeap(other, 0, 100);
    OBSERVE_BOOL("a block", RtlFreeHeap(heap, 0, freed));
    OBSERVE_BOOL("a block, again", RtlFreeHeap(heap, 0, freed));
    OBSERVE_BOOL("0 bytes", RtlFreeHeap(heap, 0, RtlAllocateHeap(heap, 0, 0)));
    OBSERVE_BOOL("3 MiB", RtlFreeHeap(heap, 0, RtlAllocateHeap(heap, 0, 3 * MiB)));
    OBSERVE_BOOL("NULL", RtlFreeHeap(heap, 0, NULL));
    OBSERVE_BOOL("NULL in no heap", RtlFreeHeap(NULL, 0, NULL));
    OBSERVE_BOOL("a block in no heap", RtlFreeHeap(NULL, 0, block));
    OBSERVE_BOOL("another heap's block", RtlFreeHeap(heap, 0, foreign));
    OBSERVE_BOOL("inside a block", RtlFreeHeap(heap, 0, block + 16));
    OBSERVE_BOOL("misaligned", RtlFreeHeap(heap, 0, block + 1));
    OBSERVE_BOOL("static memory", RtlFreeHeap(heap, 0, memory + (16 - (uintptr_t)memory % 16)));
    for (int bit = 0; bit < 32; bit++)
        free_by_bit(heap, bit);
    OBSERVE_SIZE("the block is unharmed", RtlSizeHeap(heap, 0, block));
    OBSERVE_SIZE("the other heap's block is unharmed", RtlSizeHeap(other, 0, foreign));
    OBSERVE_BOOL("the heap is sound", RtlValidateHeap(heap, 0, NULL));
    RtlDestroyHeap(heap);
    RtlDestroyHeap(other);
}

void rtl_size_heap(void)
{
    static char memory[64];
    HANDLE heap = rtl_heap(), other = rtl_heap();
    char *block = RtlAllocateHeap(heap, 0, 100), *freed = RtlAllocateHeap(heap, 0, 333);
    int exact = 1;
    for (SIZE_T bytes = 0; bytes < 2000; bytes++)
        exact &= RtlSizeHeap(heap, 0, RtlAllocateHeap(heap, 0, bytes)) == bytes;
    for (SIZE_T bytes = 2000; bytes < 5 * MiB; bytes += bytes / 3)
        exact &= RtlSizeHeap(heap, 0, RtlAllocateHeap(heap, 0, bytes)) == bytes;
    observe("sizes are exact", "%s", yes(exact));
    RtlFreeHeap(heap, 0, freed);
    OBSERVE_SIZE("a block", RtlSizeHeap(heap, 0, block));
    OBSERVE_SIZE("a block, all flags", RtlSizeHeap(heap, 0xFFFFFFFF, block));
    OBSERVE_SIZE("a freed block", RtlSizeHeap(heap, 0, freed));
    OBSERVE_SIZE("another heap's block", RtlSizeHeap(other, 0, block));
    OBSERVE_SIZE("inside a block", RtlSizeHeap(heap, 0, block + 16));
    OBSERVE_SIZE("misaligned", RtlSizeHeap(heap, 0, block + 1));
    OBSERVE_SIZE("static memory", RtlSizeHeap(heap, 0, memory + (16 - (uintptr_t)memory % 16)));
    OBSERVE_SIZE("a block in no heap", RtlSizeHeap(NULL, 0, block));
    RtlDestroyHeap(heap);
    RtlDestroyHeap(other);
}

int is_missing(int is_there, const char *const *lines)
{
    for (; !is_there && *lines != NULL; lines++)
        observe(*lines, "not there");
    return !is_there;
}

void rtl_multiple_allocate_heap(void)
{
    static const char *const lines[] = { "50 blocks", "50 blocks, last error", "50 blocks, all are there, of that size and zero",
        "50 blocks, the rest of the array is left alone", "no block", "no block, last error", "more than fit, fewer come", "impossible size",
        "impossible size, last error", NULL };
    if (is_missing(IS_THERE(RtlMultipleAllocateHeap), lines))
        return;
    HANDLE heap = rtl_heap(), bounded = RtlCreateHeap(0, NULL, 256 * KiB, 0, NULL, NULL);
    PVOID blocks[100] = { 0 };
    int sound = 1;
    OBSERVE_NUMBER("50 blocks", RtlMultipleAllocateHeap(heap, HEAP_ZERO_MEMORY, 100, 50, blocks));
    for (int i = 0; i < 50; i++)
        sound &= blocks[i] != NULL && RtlSizeHeap(heap, 0, blocks[i]) == 100 && all_bytes(blocks[i], 100, 0);
    observe("50 blocks, all are there, of that size and zero", "%s", yes(sound));
    observe("50 blocks, the rest of the array is left alone", "%s", yes(blocks[50] == NULL));
    OBSERVE_NUMBER("no block", RtlMultipleAllocateHeap(heap, 0, 100, 0, blocks));
    observe("more than fit, fewer come", "%s", yes(RtlMultipleAllocateHeap(bounded, 0, 10 * KiB, 100, blocks) < 100));
    OBSERVE_NUMBER("impossible size", RtlMultipleAllocateHeap(heap, 0, NO_SIZE, 3, blocks));
    RtlDestroyHeap(heap);
    RtlDestroyHeap(bounded);
}

void rtl_multiple_free_heap(void)
{
    static const char *const lines[] = { "50 blocks", "50 blocks, last error", "no block", "no block, last error", "one that is freed already",
        "one that is freed already, last error", "the heap is sound", "the heap is sound, last error", NULL };
    if (is_missing(IS_THERE(RtlMultipleFreeHeap), lines))
        return;
    HANDLE heap = rtl_heap();
    PVOID blocks[50];
    for (int i = 0; i < 50; i++)
        blocks[i] = RtlAllocateHeap(heap, 0, 100);
    OBSERVE_NUMBER("50 blocks", RtlMultipleFreeHeap(heap, 0, 50, blocks));
    OBSERVE_NUMBER("no block", RtlMultipleFreeHeap(heap, 0, 0, blocks));
    OBSERVE_NUMBER("one that is freed already", RtlMultipleFreeHeap(heap, 0, 1, blocks));
    OBSERVE_BOOL("the heap is sound", RtlValidateHeap(heap, 0, NULL));
    RtlDestroyHeap(heap);
}
