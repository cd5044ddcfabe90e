/* HeapAlloc, HeapReAlloc, HeapFree, HeapSize, HeapValidate. */
#include "heap_check.h"

TEST("HeapAlloc gives aligned blocks of exactly the requested size")
{
    HANDLE heap = new_heap();
    for (SIZE_T bytes = 0; bytes < 40 * MiB; bytes = bytes < 2000 ? bytes + 1 : bytes * 5 / 4) {
        void *block;
        CHECK_ERROR(UNTOUCHED, (block = HeapAlloc(heap, 0, bytes)) != NULL);
        CHECK((uintptr_t)block % MEMORY_ALLOCATION_ALIGNMENT == 0);
        memset(block, 0xC3, bytes);
        CHECK_ERROR(UNTOUCHED, HeapSize(heap, 0, block) == bytes);
        CHECK_ERROR(UNTOUCHED, HeapFree(heap, 0, block));
    }
    CHECK(HeapDestroy(heap));
}

TEST("HeapAlloc of zero bytes gives a block of its own that must be freed")
{
    HANDLE heap = new_heap();
    void *first = HeapAlloc(heap, 0, 0), *second = HeapAlloc(heap, 0, 0);
    CHECK(first != NULL && second != NULL && first != second);
    CHECK_EQUAL(0, HeapSize(heap, 0, first));
    CHECK(HeapValidate(heap, 0, first));
    CHECK(HeapFree(heap, 0, first));
    CHECK(!HeapValidate(heap, 0, first));
    CHECK(HeapFree(heap, 0, second));
    CHECK(HeapDestroy(heap));
}

TEST("HEAP_ZERO_MEMORY clears recycled memory of every size")
{
    HANDLE heap = new_heap();
    for (SIZE_T bytes = 1; bytes < 4 * MiB; bytes = bytes * 3 / 2 + 1) {
        void *block = HeapAlloc(heap, 0, bytes);
        memset(block, 0xAA, bytes);
        CHECK(HeapFree(heap, 0, block));
        block = HeapAlloc(heap, HEAP_ZERO_MEMORY | HEAP_NO_SERIALIZE, bytes);
        CHECK(block != NULL && all_bytes(block, bytes, 0));
        CHECK(HeapFree(heap, 0, block));
    }
    CHECK(HeapDestroy(heap));
}

TEST("unknown flag bits do no harm")
{
    HANDLE heap = new_heap();
    for (int bit = 0; bit < 32; bit++) {
        DWORD flags = (DWORD)1 << bit;
        void *block = HeapAlloc(heap, flags, 50);
        CHECK(block != NULL);
        CHECK_EQUAL(50, HeapSize(heap, flags, block));
        CHECK(HeapValidate(heap, flags, block));
        if (flags != HEAP_REALLOC_IN_PLACE_ONLY)
            CHECK((block = HeapReAlloc(heap, flags, block, 500)) != NULL);
        CHECK(HeapFree(heap, flags, block));
    }
    void *block = HeapAlloc(heap, 0, 10);
    CHECK(HeapValidate(heap, 0xFFFFFFFF, block) && HeapFree(heap, 0xFFFFFFFF, block));
    CHECK(HeapDestroy(heap));
}

TEST("sizes that overflow fail and leave the last error alone")
{
    SIZE_T sizes[] = { (SIZE_T)-1, (SIZE_T)-8, (SIZE_T)-16, (SIZE_T)-17, (SIZE_T)-4096, (SIZE_T)-0x10000, (SIZE_T)1 << 63, (SIZE_T)1 << 62 };
    HANDLE heaps[] = { HeapCreate(0, 0, 0), HeapCreate(0, 0, 10 * MiB), HeapCreate(HEAP_NO_SERIALIZE, 0, 0), GetProcessHeap() };
    for (int h = 0; h < 4; h++) {
        char *block = HeapAlloc(heaps[h], 0, 100);
        memset(block, 'b', 100);
        for (int i = 0; i < 8; i++) {
            CHECK_ERROR(UNTOUCHED, HeapAlloc(heaps[h], 0, sizes[i]) == NULL);
            CHECK_ERROR(UNTOUCHED, HeapReAlloc(heaps[h], 0, block, sizes[i]) == NULL);
        }
        CHECK_EQUAL(100, HeapSize(heaps[h], 0, block));
        CHECK(all_bytes(block, 100, 'b'));
        CHECK(HeapFree(heaps[h], 0, block));
    }
    for (int h = 0; h < 3; h++)
        CHECK(HeapDestroy(heaps[h]));
}

TEST("a heap with a maximum serves blocks below 0x7FFF8 bytes only")
{
    HANDLE heap = HeapCreate(0, 0, 8 * MiB);
    void *block = HeapAlloc(heap, 0, 0x7FFF7);
    CHECK(block != NULL);
    CHECK_ERROR(UNTOUCHED, HeapAlloc(heap, 0, 0x7FFF8) == NULL);
    CHECK_ERROR(UNTOUCHED, HeapReAlloc(heap, 0, block, 0x7FFF8) == NULL);
    CHECK_EQUAL(0x7FFF7, HeapSize(heap, 0, block));
    CHECK(HeapFree(heap, 0, block));
    CHECK(HeapDestroy(heap));
}

TEST("HeapAlloc refuses bad handles")
{
    CHECK_ERROR(UNTOUCHED, HeapAlloc(NULL, 0, 10) == NULL);
    for (int i = 0; i < BAD_HANDLES; i++)
        CHECK_ERROR(UNTOUCHED, HeapAlloc(bad_handle(i), 0, 10) == NULL);
}

TEST("HeapReAlloc of null allocates nothing and sets error 0")
{
    HANDLE heap = new_heap();
    CHECK_ERROR(NO_ERROR, HeapReAlloc(heap, 0, NULL, 10) == NULL);
    CHECK_ERROR(NO_ERROR, HeapReAlloc(heap, HEAP_GENERATE_EXCEPTIONS | HEAP_ZERO_MEMORY, NULL, 10) == NULL);
    CHECK_ERROR(NO_ERROR, HeapReAlloc(NULL, 0, NULL, 10) == NULL);
    CHECK(HeapDestroy(heap));
}

TEST("HeapReAlloc to zero bytes keeps the block")
{
    HANDLE heap = new_heap();
    void *block = HeapAlloc(heap, 0, 100);
    CHECK_ERROR(UNTOUCHED, (block = HeapReAlloc(heap, 0, block, 0)) != NULL);
    CHECK_EQUAL(0, HeapSize(heap, 0, block));
    CHECK(HeapValidate(heap, 0, block));
    CHECK(HeapFree(heap, 0, block));
    CHECK(HeapDestroy(heap));
}

TEST("HeapReAlloc keeps the contents through growing and shrinking")
{
    HANDLE heap = new_heap();
    SIZE_T sizes[] = { 1, 15, 16, 17, 100, 99, 500, 1024, 1025, 4000, 70000, 69999, 0x78000, 0x90000, 3 * MiB, 20 * MiB, 5 * MiB, 300, 7 };
    unsigned char *block = HeapAlloc(heap, 0, 1);
    block[0] = 0;
    SIZE_T filled = 1;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        CHECK_ERROR(UNTOUCHED, (block = HeapReAlloc(heap, 0, block, sizes[i])) != NULL);
        CHECK_EQUAL(sizes[i], HeapSize(heap, 0, block));
        for (SIZE_T at = 0; at < filled && at < sizes[i]; at++)
            if (block[at] != at * 31 % 251) {
                CHECK(!"contents kept");
                break;
            }
        for (SIZE_T at = 0; at < sizes[i]; at++)
            block[at] = at * 31 % 251;
        filled = sizes[i];
    }
    CHECK(HeapReAlloc(heap, 0, block, 7) == block);
    CHECK(HeapFree(heap, 0, block));
    CHECK(HeapDestroy(heap));
}

TEST("HeapReAlloc with HEAP_ZERO_MEMORY clears all that the block gains")
{
    HANDLE heap = new_heap();
    SIZE_T starts[] = { 1, 9, 16, 50, 100, 1000, 5000, 70000, 600000 };
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        SIZE_T start = starts[i];
        for (SIZE_T end = start + 1; end < start * 4 + 20; end += end / 3 + 1) {
            char *block = HeapAlloc(heap, 0, end);
            memset(block, 0xAA, end);
            block = HeapReAlloc(heap, HEAP_ZERO_MEMORY, block, start);
            CHECK(all_bytes(block, start, 0xAA));
            block = HeapReAlloc(heap, HEAP_ZERO_MEMORY, block, end);
            CHECK(all_bytes(block, start, 0xAA) && all_bytes(block + start, end - start, 0));
            CHECK(HeapFree(heap, 0, block));
        }
    }
    CHECK(HeapDestroy(heap));
}

TEST("HEAP_REALLOC_IN_PLACE_ONLY never moves a block")
{
    HANDLE heap = new_heap();
    SIZE_T sizes[] = { 16, 100, 1000, 10000, 300000, 5 * MiB };
    for (int i = 0; i < 6; i++) {
        char *block = HeapAlloc(heap, 0, sizes[i]), *wall = HeapAlloc(heap, 0, sizes[i]);
        memset(block, 'k', sizes[i]);
        CHECK_ERROR(UNTOUCHED, HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, block, sizes[i] - 1) == block);
        CHECK_EQUAL(sizes[i] - 1, HeapSize(heap, 0, block));
        CHECK_ERROR(UNTOUCHED, HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, block, sizes[i]) == block);
        CHECK_ERROR(UNTOUCHED, HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, block, (SIZE_T)1 << 50) == NULL);
        CHECK_EQUAL(sizes[i], HeapSize(heap, 0, block));
        void *grown = HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, block, sizes[i] * 3);
        CHECK(grown == NULL || grown == block);
        CHECK_EQUAL(grown == NULL ? sizes[i] : sizes[i] * 3, HeapSize(heap, 0, block));
        CHECK(all_bytes(block, sizes[i] - 1, 'k'));
        CHECK(HeapFree(heap, 0, block) && HeapFree(heap, 0, wall));
    }
    CHECK(HeapDestroy(heap));
}

TEST("HeapReAlloc refuses bad addresses with 87 and bad handles with 6")
{
    HANDLE heap = new_heap();
    for (int i = 0; i < BAD_ADDRESSES; i++) {
        void *address = bad_address(heap, i);
        CHECK_ERROR(ERROR_INVALID_PARAMETER, HeapReAlloc(heap, 0, address, 100) == NULL);
        CHECK_ERROR(ERROR_INVALID_PARAMETER, HeapReAlloc(heap, HEAP_GENERATE_EXCEPTIONS, address, 100) == NULL);
    }
    check_neighbor(heap);
    CHECK_ERROR(ERROR_INVALID_HANDLE, HeapReAlloc(NULL, 0, bad_address_neighbor, 10) == NULL);
    for (int i = 0; i < BAD_HANDLES; i++)
        CHECK_ERROR(ERROR_INVALID_HANDLE, HeapReAlloc(bad_handle(i), 0, bad_address_neighbor, 10) == NULL);
    check_neighbor(heap);
}

TEST("HeapFree of null succeeds with any handle")
{
    HANDLE heap = new_heap();
    CHECK_ERROR(UNTOUCHED, HeapFree(heap, 0, NULL));
    CHECK_ERROR(UNTOUCHED, HeapFree(NULL, 0, NULL));
    for (int i = 0; i < BAD_HANDLES; i++)
        CHECK_ERROR(UNTOUCHED, HeapFree(bad_handle(i), 0, NULL));
    CHECK(HeapDestroy(heap));
}

TEST("HeapFree refuses bad addresses with 87 and bad handles with 6, and harms no block")
{
    HANDLE heap = new_heap();
    for (int i = 0; i < BAD_ADDRESSES; i++) {
        void *address = bad_address(heap, i);
        CHECK_ERROR(ERROR_INVALID_PARAMETER, !HeapFree(heap, 0, address));
        CHECK_ERROR(ERROR_INVALID_PARAMETER, !HeapFree(heap, HEAP_NO_SERIALIZE, address));
    }
    check_neighbor(heap);
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !HeapFree(NULL, 0, bad_address_neighbor));
    for (int i = 0; i < BAD_HANDLES; i++)
        CHECK_ERROR(ERROR_INVALID_HANDLE, !HeapFree(bad_handle(i), 0, bad_address_neighbor));
    check_neighbor(heap);
}

TEST("addresses up to 8 GiB away from a block, where no heap has memory, are refused like all others")
{
    HANDLE heap = new_heap();
    char *block = HeapAlloc(heap, 0, 100);
    for (intptr_t distance = 61 * (intptr_t)MiB; distance < 8192 * (intptr_t)MiB; distance += 31 * MiB + 16)
        for (int sign = -1; sign <= 1; sign += 2) {
            char *address = block + sign * distance;
            CHECK_ERROR(ERROR_INVALID_PARAMETER, !HeapFree(heap, 0, address));
            CHECK(HeapSize(heap, 0, address) == (SIZE_T)-1);
            CHECK(HeapReAlloc(heap, 0, address, 10) == NULL);
            CHECK(!HeapValidate(heap, 0, address));
        }
    CHECK(HeapSize(heap, 0, block) == 100 && HeapFree(heap, 0, block) && HeapDestroy(heap));
}

TEST("a block freed twice is refused until its memory is a block again")
{
    HANDLE heap = new_heap();
    SIZE_T sizes[] = { 0, 1, 64, 1000, 5000, 100000, 2 * MiB };
    for (int i = 0; i < 7; i++) {
        void *block = HeapAlloc(heap, 0, sizes[i]);
        CHECK(HeapFree(heap, 0, block));
        CHECK_ERROR(ERROR_INVALID_PARAMETER, !HeapFree(heap, 0, block));
        CHECK(HeapSize(heap, 0, block) == FAILED);
        CHECK(!HeapValidate(heap, 0, block));
    }
    CHECK(HeapDestroy(heap));
}

TEST("HeapSize answers -1 for what is no block and leaves the last error alone")
{
    HANDLE heap = new_heap();
    for (int i = 0; i < BAD_ADDRESSES; i++) {
        void *address = bad_address(heap, i);
        CHECK_ERROR(UNTOUCHED, HeapSize(heap, 0, address) == FAILED);
        CHECK_ERROR(UNTOUCHED, HeapSize(heap, HEAP_GENERATE_EXCEPTIONS, address) == FAILED);
    }
    CHECK_ERROR(UNTOUCHED, HeapSize(heap, 0, NULL) == FAILED);
    CHECK_ERROR(UNTOUCHED, HeapSize(NULL, 0, bad_address_neighbor) == FAILED);
    for (int i = 0; i < BAD_HANDLES; i++)
        CHECK_ERROR(UNTOUCHED, HeapSize(bad_handle(i), 0, bad_address_neighbor) == FAILED);
    check_neighbor(heap);
}

TEST("HeapValidate knows live blocks and leaves the last error alone")
{
    HANDLE heap = new_heap();
    CHECK_ERROR(UNTOUCHED, HeapValidate(heap, 0, NULL));
    CHECK_ERROR(UNTOUCHED, HeapValidate(GetProcessHeap(), 0, NULL));
    SIZE_T sizes[] = { 0, 1, 64, 1000, 5000, 100000, 2 * MiB };
    for (int i = 0; i < 7; i++) {
        void *block = HeapAlloc(heap, 0, sizes[i]);
        CHECK_ERROR(UNTOUCHED, HeapValidate(heap, 0, block));
        CHECK_ERROR(UNTOUCHED, !HeapValidate(GetProcessHeap(), 0, block));
    }
    for (int i = 0; i < BAD_ADDRESSES; i++) {
        void *address = bad_address(heap, i);
        CHECK_ERROR(UNTOUCHED, !HeapValidate(heap, 0, address));
    }
    CHECK_ERROR(UNTOUCHED, !HeapValidate(NULL, 0, NULL));
    CHECK_ERROR(UNTOUCHED, !HeapValidate(NULL, 0, bad_address_neighbor));
    for (int i = 0; i < BAD_HANDLES; i++) {
        CHECK_ERROR(UNTOUCHED, !HeapValidate(bad_handle(i), 0, NULL));
        CHECK_ERROR(UNTOUCHED, !HeapValidate(bad_handle(i), 0, bad_address_neighbor));
    }
    CHECK(HeapDestroy(heap));
}

TEST("blocks of different heaps do not mix")
{
    enum { HEAPS = 8, BLOCKS = 2000 };
    HANDLE heaps[HEAPS];
    static unsigned char *blocks[HEAPS][BLOCKS];
    for (int h = 0; h < HEAPS; h++)
        heaps[h] = HeapCreate(h % 2 ? HEAP_NO_SERIALIZE : 0, 0, h % 3 ? 0 : 16 * MiB);
    for (int b = 0; b < BLOCKS; b++)
        for (int h = 0; h < HEAPS; h++) {
            blocks[h][b] = HeapAlloc(heaps[h], 0, b % 700 + 1);
            memset(blocks[h][b], h * 29 + b % 7, b % 700 + 1);
        }
    for (int h = 0; h < HEAPS; h += 2)
        CHECK(HeapDestroy(heaps[h]));
    for (int h = 1; h < HEAPS; h += 2) {
        for (int b = 0; b < BLOCKS; b++) {
            CHECK(all_bytes(blocks[h][b], b % 700 + 1, h * 29 + b % 7));
            CHECK(!HeapFree(GetProcessHeap(), 0, blocks[h][b]));
            CHECK(HeapFree(heaps[h], 0, blocks[h][b]));
        }
        CHECK(HeapValidate(heaps[h], 0, NULL));
        CHECK(HeapDestroy(heaps[h]));
    }
}
