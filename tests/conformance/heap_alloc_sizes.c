/* HeapAlloc over sizes: every size up to 1,100 bytes, and the edges of the size classes and limits. */
#include "cases.h"

/* Sixteen sizes in one line each: how many keep the promise. */
static void observe_every_size(const char *kind, HANDLE heap)
{
    for (SIZE_T first = 0; first <= 1100; first += 16) {
        int exact = 0, aligned = 0, zero = 0;
        for (SIZE_T count = first; count < first + 16; count++) {
            void *dirty = HeapAlloc(heap, 0, count);
            memset(dirty, 0xFF, count);
            HeapFree(heap, 0, dirty);
            void *block = HeapAlloc(heap, HEAP_ZERO_MEMORY, count);
            exact += HeapSize(heap, 0, block) == count;
            aligned += is_aligned(block);
            zero += all_bytes(block, count, 0);
            memset(block, 0xFF, count);
            HeapFree(heap, 0, block);
        }
        const char *sizes = named("%s, %d to %d bytes", kind, (int)first, (int)first + 15);
        observe(named("%s, exact sizes", sizes), "%d", exact);
        observe(named("%s, aligned", sizes), "%d", aligned);
        observe(named("%s, zeroed when recycled", sizes), "%d", zero);
    }
}

static void observe_edges(void)
{
    HANDLE heap = HeapCreate(0, 0, 0), fixed = HeapCreate(0, 0, 64 * MiB);
    for (int i = 0; i < edge_size_count; i++) {
        SIZE_T count = edge_size(i);
        void *block = HeapAlloc(heap, 0, count), *other = HeapAlloc(heap, 0, count);
        memset(block, 0xFF, count), memset(other, 0xFF, count);
        observe(named("%s, aligned", bytes(count)), "%s", yes(is_aligned(block) && is_aligned(other)));
        observe(named("%s, two do not overlap", bytes(count)), "%s", yes((char *)block + count <= (char *)other || (char *)other + count <= (char *)block));
        HeapFree(heap, 0, block), HeapFree(heap, 0, other);
        block = HeapAlloc(heap, HEAP_ZERO_MEMORY, count);
        observe(named("%s, zeroed when recycled", bytes(count)), "%s", yes(all_bytes(block, count, 0)));
        HeapFree(heap, 0, block);
        if (count >= 32 * KiB)
            observe(named("%s, in a heap of 64 MiB", bytes(count)), "%s", yes((block = HeapAlloc(fixed, 0, count)) != NULL));
    }
    HeapDestroy(heap), HeapDestroy(fixed);
}

/* Ordinary blocks are not aligned to more than was promised; how large ones lie is no promise, but programs have seen it. */
static void observe_more_alignment(void)
{
    HANDLE heap = HeapCreate(0, 0, 0);
    int at_32 = 0;
    for (int i = 0; i < 64; i++)
        at_32 += (UINT_PTR)HeapAlloc(heap, 0, 10 + (SIZE_T)i) % 32 == 0;
    observe("64 small blocks, all at multiples of 32", "%s", yes(at_32 == 64));
    UINT_PTR large = (UINT_PTR)HeapAlloc(heap, 0, 2 * MiB);
    observe("2 MiB, at a multiple of 64", "%s", yes(large % 64 == 0));
    observe("2 MiB, at a multiple of 128", "%s", yes(large % 128 == 0));
    HeapDestroy(heap);
}

void heap_alloc_sizes(void)
{
    HANDLE heap = HeapCreate(0, 0, 0), fixed = HeapCreate(0, 0, MiB);
    observe_every_size("growable heap", heap);
    observe_every_size("heap of 1 MiB", fixed);
    HeapDestroy(heap), HeapDestroy(fixed);
    observe_edges();
    observe_more_alignment();
}
