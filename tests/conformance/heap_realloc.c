/* HeapReAlloc: growing, shrinking, in place, zeroing, and its many refusals. */
#include "cases.h"

static char *patterned(HANDLE heap, SIZE_T count)
{
    char *block = HeapAlloc(heap, 0, count);
    if (block != NULL)
        fill_pattern(block, count);
    return block;
}

/* Resizes a new block and tells what became of it; where that failed, of the old one. */
static void observe_resize(const char *kind, HANDLE heap, SIZE_T from, SIZE_T to, DWORD flags)
{
    static const char *const flag_names[] = { "", ", in place", ", zeroed", ", zeroed in place" };
    const char *name = named("%s, %s to %s%s", kind, bytes(from), bytes(to),
        flag_names[((flags & HEAP_REALLOC_IN_PLACE_ONLY) != 0) + 2 * ((flags & HEAP_ZERO_MEMORY) != 0)]);
    char *block = patterned(heap, from), *resized = NULL;
    OBSERVE_NULL(name, resized = HeapReAlloc(heap, flags, block, to));
    char *now = resized != NULL ? resized : block;
    SIZE_T then = HeapSize(heap, 0, now), kept = from < then ? from : then;
    observe(named("%s, size", name), "%s", size(then));
    observe(named("%s, content kept", name), "%s", yes(has_pattern(now, kept)));
    if (flags & HEAP_ZERO_MEMORY && to > from)
        observe(named("%s, gain is zero", name), "%s", yes(all_bytes(now + kept, then - kept, 0)));
    if (flags & HEAP_REALLOC_IN_PLACE_ONLY || to == from)
        observe(named("%s, same address", name), "%s", yes(now == block));
    HeapFree(heap, 0, now);
}

static void observe_resizes(void)
{
    static const SIZE_T pairs[][2] = {
        { 0, 0 }, { 0, 1 }, { 0, 1000 }, { 1, 0 }, { 9, 16 }, { 16, 9 }, { 100, 0 }, { 100, 99 }, { 100, 100 }, { 100, 101 }, { 100, 1000 }, { 1000, 500 }, { 1000, 100000 },
        { 40000, 50000 }, { 40000, 100 }, { 100000, 0 }, { 100000, 400000 }, { 400000, 100000 },
    };
    static const DWORD flags[] = { HEAP_ZERO_MEMORY, 0 };
    for (int i = 0; i < HEAP_KINDS; i++) {
        if (heap_kinds[i].options & ~(DWORD)HEAP_NO_SERIALIZE)
            continue;
        HANDLE heap = create_kind(&heap_kinds[i]);
        for (size_t j = 0; j < sizeof pairs / sizeof pairs[0]; j++)
            for (int k = 0; k < (i == 0 ? 2 : 1); k++)
                observe_resize(heap_kinds[i].name, heap, pairs[j][0], pairs[j][1], flags[k]);
        HeapDestroy(heap);
    }
    static const SIZE_T large[][2] = { { 100000, 2 * MiB }, { 2 * MiB, 3 * MiB }, { 3 * MiB, 2 * MiB }, { 2 * MiB, 100 }, { 2 * MiB, 0 }, { 2 * MiB, 2 * MiB },
        { 0x7FFF7, 0x80000 }, { 0x80000, 0x7FFF7 }, { 0xFEFFF, 0xFF000 }, { 0xFF000, 0xFEFFF }, { 0xFFFFF, 0x100000 }, { 0x100000, 0xFFFFF } };
    HANDLE heap = HeapCreate(0, 0, 0);
    for (size_t j = 0; j < sizeof large / sizeof large[0]; j++)
        for (int k = 0; k < 2; k++)
            observe_resize("growable heap", heap, large[j][0], large[j][1], flags[k]);
    HeapDestroy(heap);
}

/* One byte more and one less around every edge; content, size and zeroed gain in one fact each. */
static void observe_edges(void)
{
    HANDLE heap = HeapCreate(0, 0, 0);
    for (int i = 0; i < edge_size_count; i++) {
        SIZE_T count = edge_size(i);
        char *block = patterned(heap, count), *less = HeapReAlloc(heap, 0, block, count - 1);
        observe(named("%s, one less", bytes(count)), "%s", yes(HeapSize(heap, 0, less) == count - 1 && has_pattern(less, count - 1)));
        char *again = HeapReAlloc(heap, HEAP_ZERO_MEMORY, less, count);
        observe(named("%s, one less and back, zeroed", bytes(count)), "%s", yes(has_pattern(again, count - 1) && again[count - 1] == 0));
        char *more = HeapReAlloc(heap, HEAP_ZERO_MEMORY, again, count + 1);
        observe(named("%s, one more, zeroed", bytes(count)), "%s", yes(HeapSize(heap, 0, more) == count + 1 && has_pattern(more, count - 1) && more[count] == 0));
        HeapFree(heap, 0, more);
    }
    HeapDestroy(heap);
}

static void observe_in_place(void)
{
    for (int i = 0; i < HEAP_KINDS; i++) {
        HANDLE heap = create_kind(&heap_kinds[i]);
        const char *kind = heap_kinds[i].name;
        observe_resize(kind, heap, 1000, 999, HEAP_REALLOC_IN_PLACE_ONLY);
        observe_resize(kind, heap, 1000, 1000, HEAP_REALLOC_IN_PLACE_ONLY);
        observe_resize(kind, heap, 1000, 10, HEAP_REALLOC_IN_PLACE_ONLY);
        observe_resize(kind, heap, 1000, 0, HEAP_REALLOC_IN_PLACE_ONLY);
        observe_resize(kind, heap, 9, 16, HEAP_REALLOC_IN_PLACE_ONLY);
        observe_resize(kind, heap, 9, 16, HEAP_REALLOC_IN_PLACE_ONLY | HEAP_ZERO_MEMORY);
        observe_resize(kind, heap, 1000, NO_SIZE, HEAP_REALLOC_IN_PLACE_ONLY);
        /* Blocks of 1000 bytes on either side leave no room. */
        char *before = patterned(heap, 1000), *block = patterned(heap, 1000), *behind = patterned(heap, 1000);
        OBSERVE_NULL(named("%s, hemmed in, in place", kind), HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, block, 100000));
        OBSERVE_NULL(named("%s, hemmed in, in place, raising", kind), HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY | HEAP_GENERATE_EXCEPTIONS, block, 100000));
        observe(named("%s, hemmed in, block as it was", kind), "%s", yes(HeapSize(heap, 0, block) == 1000 && has_pattern(block, 1000)));
        observe(named("%s, hemmed in, neighbors as they were", kind), "%s", yes(has_pattern(before, 1000) && has_pattern(behind, 1000)));
        HeapDestroy(heap);
    }
    HANDLE heap = HeapCreate(0, 0, 0);
    observe_resize("growable heap", heap, 2 * MiB, MiB + 300000, HEAP_REALLOC_IN_PLACE_ONLY);
    char *block = patterned(heap, 2 * MiB), *shrunk = HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, block, MiB + 300000);
    OBSERVE_NULL("2 MiB shrunk in place and back", HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, shrunk, 2 * MiB));
    HeapDestroy(heap);
}

/* Space that an earlier shrinking gave up is zeroed again. */
static void observe_regrowth(void)
{
    static const SIZE_T steps[][3] = { { 100, 50, 100 }, { 16, 9, 16 }, { 1000, 0, 1000 }, { 1000, 300, 1000 }, { 40000, 100, 40000 }, { 500000, 200000, 500000 }, { 3 * MiB, 2 * MiB, 3 * MiB } };
    for (int i = 0; i < HEAP_KINDS; i++) {
        HANDLE heap = create_kind(&heap_kinds[i]);
        for (size_t j = 0; j < sizeof steps / sizeof steps[0]; j++) {
            if (heap_kinds[i].maximum != 0 && steps[j][0] > 500000)
                continue;
            char *block = HeapAlloc(heap, 0, steps[j][0]);
            memset(block, 0xFF, steps[j][0]);
            block = HeapReAlloc(heap, 0, block, steps[j][1]);
            block = HeapReAlloc(heap, HEAP_ZERO_MEMORY, block, steps[j][2]);
            observe(named("%s, %s to %s and back, kept and zeroed", heap_kinds[i].name, bytes(steps[j][0]), bytes(steps[j][1])), "%s",
                yes(all_bytes(block, steps[j][1], 0xFF) && all_bytes(block + steps[j][1], steps[j][2] - steps[j][1], 0)));
            HeapFree(heap, 0, block);
        }
        HeapDestroy(heap);
    }
}

static void observe_flags(void)
{
    HANDLE heap = HeapCreate(0, 0, 0);
    for (int bit = 0; bit < 32; bit++) {
        char *block = patterned(heap, 100), *resized = NULL;
        OBSERVE_NULL(named("flag 0x%X", 1u << bit), resized = HeapReAlloc(heap, 1u << bit, block, 50));
        observe(named("flag 0x%X, size and content", 1u << bit), "%s", yes(HeapSize(heap, 0, resized) == 50 && has_pattern(resized, 50)));
    }
    char *block = patterned(heap, 100);
    OBSERVE_NULL("all flags", HeapReAlloc(heap, 0xFFFFFFFF, block, 50));
    HeapDestroy(heap);
}

void heap_realloc(void)
{
    observe_resizes();
    observe_edges();
    observe_in_place();
    observe_regrowth();
    observe_flags();
}
