#include "cases.h"

const struct heap_kind heap_kinds[HEAP_KINDS] = {
    { "growable heap", 0, 0, 0 },
    { "unserialized heap", HEAP_NO_SERIALIZE, 0, 0 },
    { "raising heap", HEAP_GENERATE_EXCEPTIONS, 0, 0 },
    { "executable heap", HEAP_CREATE_ENABLE_EXECUTE, 0, 0 },
    { "heap of 1 MiB", 0, 0, MiB },
    { "heap of 16 MiB", 0, 0, 16 * MiB },
};

HANDLE create_kind(const struct heap_kind *kind) { return HeapCreate(kind->options, kind->initial, kind->maximum); }

static char static_pages[4 * 64 * KiB];

/* At a multiple of 64 KiB, as a heap of Windows would be. */
void *static_memory(void) { return (void *)(((uintptr_t)static_pages + 2 * 64 * KiB) / (64 * KiB) * (64 * KiB)); }

const char *bad_handle_name(int index)
{
    static const char *const names[BAD_HANDLES] = { "handle NULL", "handle -1", "handle 0x12340", "handle of a destroyed heap", "handle that is static memory" };
    return names[index];
}

HANDLE bad_handle(int index)
{
    switch (index) {
    case 0: return NULL;
    case 1: return INVALID_HANDLE_VALUE;
    case 2: return (HANDLE)0x12340;
    case 4: return static_memory();
    }
    HANDLE destroyed = HeapCreate(0, 0, 0);
    HeapDestroy(destroyed);
    return destroyed;
}

enum { SMALL = 100, MEDIUM = 40000, LARGE = 2 * MiB };

static void *block_in(HANDLE heap, SIZE_T size) { return HeapAlloc(heap, HEAP_ZERO_MEMORY, size); }

static void *freed_in(HANDLE heap, SIZE_T size)
{
    void *keeps_the_place = block_in(heap, size), *block = block_in(heap, size);
    HeapFree(heap, 0, block);
    (void)keeps_the_place;
    return block;
}

const char *bad_address_name(int index)
{
    static const char *const names[BAD_ADDRESSES] = {
        "freed block", "freed block of 40000 bytes", "freed block of 2 MiB",
        "another heap's block", "another heap's block of 40000 bytes", "another heap's block of 2 MiB", "process heap's block",
        "block plus 1", "block plus 8", "block plus 16", "block of 40000 bytes plus 64", "block of 2 MiB plus 16", "block of 2 MiB plus 4096", "block minus 16",
        "static memory", "address 1", "address 0x12340",
    };
    return names[index];
}

void *bad_address(int index, HANDLE heap)
{
    switch (index) {
    case 0: return freed_in(heap, SMALL);
    case 1: return freed_in(heap, MEDIUM);
    case 2: return freed_in(heap, LARGE);
    case 3: return block_in(HeapCreate(0, 0, 0), SMALL);
    case 4: return block_in(HeapCreate(0, 0, 0), MEDIUM);
    case 5: return block_in(HeapCreate(0, 0, 0), LARGE);
    case 6: return block_in(GetProcessHeap(), SMALL);
    case 7: return (char *)block_in(heap, SMALL) + 1;
    case 8: return (char *)block_in(heap, SMALL) + 8;
    case 9: return (char *)block_in(heap, SMALL) + 16;
    case 10: return (char *)block_in(heap, MEDIUM) + 64;
    case 11: return (char *)block_in(heap, LARGE) + 16;
    case 12: return (char *)block_in(heap, LARGE) + 4096;
    case 13: return block_in(heap, SMALL), (char *)block_in(heap, SMALL) - 16;
    case 14: return static_memory();
    case 15: return (void *)1;
    default: return (void *)0x12340;
    }
}

static const size_t large_sizes[] = {
    0xFFFF, 0x10000, 0x10001, 0x3FFFF, 0x40000, 0x40001, 0x7F000, 0x7FFF7, 0x7FFF8, 0x7FFF9, 0x7FFFF, 0x80000, 0x80001, 0xFEFD7, 0xFEFD8, 0xFEFD9, 0xFEFFF, 0xFF000,
    0xFF001, 0xFFFFF, 0x100000, 0x100001, 0x180000, 0x200000, 0x400000, 0xFFFFFF, 0x1000000,
};
enum { LARGE_SIZES = sizeof large_sizes / sizeof large_sizes[0], SIZE_CLASSES = 52 };
const int edge_size_count = 3 * SIZE_CLASSES + LARGE_SIZES;

/* The block sizes of the classes: 16 apart up to 256, then eight to a doubling up to 1 KiB, then four up to 32 KiB. */
static size_t class_bytes(int index)
{
    if (index < 16)
        return 16 * (size_t)(index + 1);
    if (index < 32)
        return (size_t)(9 + (index - 16) % 8) << (5 + (index - 16) / 8);
    return (size_t)(5 + (index - 32) % 4) << (8 + (index - 32) / 4);
}

size_t edge_size(int index)
{
    return index < 3 * SIZE_CLASSES ? class_bytes(index / 3) + (size_t)(index % 3) - 1 : large_sizes[index - 3 * SIZE_CLASSES];
}

const char *bytes(SIZE_T count) { return named(count < 64 * KiB ? "%llu bytes" : "0x%llX bytes", (unsigned long long)count); }

static unsigned char pattern_at(size_t index) { return (unsigned char)(1 + index % 251); }

void fill_pattern(void *block, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ((unsigned char *)block)[i] = pattern_at(i);
}

int has_pattern(const void *block, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (((const unsigned char *)block)[i] != pattern_at(i))
            return 0;
    return 1;
}

int is_aligned(const void *block) { return block != NULL && (uintptr_t)block % (2 * sizeof(void *)) == 0; }
