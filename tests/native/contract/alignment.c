/* Every block is aligned for every type, and as wide as its caller asks. */
#include "contract.h"

static void check_alignment(const struct way *way, size_t bytes)
{
    char *block = way->allocate(bytes);
    CHECK_WAY(way, bytes, block != NULL && (uintptr_t)block % way->alignment == 0);
    if (bytes != 0)
        block[0] = block[bytes - 1] = 1;
    free(block);
}

TEST("every function aligns blocks of every size")
{
    CHECK(_Alignof(max_align_t) <= 16);
    for EACH_WAY(way) {
        for (size_t bytes = 0; bytes < 1500; bytes++)
            check_alignment(way, bytes);
        for (size_t bytes = 1500; bytes < 64u * MIB; bytes = bytes * 4 / 3 + 1)
            check_alignment(way, bytes);
        for (const size_t *border = border_sizes; *border != 0; border++)
            for (size_t bytes = *border - 1; bytes <= *border + 1; bytes++)
                check_alignment(way, bytes);
    }
}

TEST("a block stays aligned to 16 bytes while it is resized")
{
    char *block = NULL;
    for (size_t bytes = 1; bytes < 8u * MIB; bytes = bytes * 5 / 4 + 1) {
        block = realloc(block, bytes);
        CHECK(block != NULL && (uintptr_t)block % 16 == 0);
    }
    for (size_t bytes = 8u * MIB; bytes > 0; bytes = bytes * 4 / 5) {
        block = realloc(block, bytes);
        CHECK(block != NULL && (uintptr_t)block % 16 == 0);
    }
    free(block);
}

TEST("every power of two is an alignment, and the size need not be a multiple of it")
{
    for (size_t alignment = 1; alignment <= 64u * MIB; alignment *= 2) {
        const size_t sizes[] = { 0, 1, alignment / 2 + 1, alignment - 1, alignment, alignment + 1, 3 * alignment + 5 };
        for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            void *blocks[3] = { NULL, aligned_alloc(alignment, sizes[i]), memalign(alignment, sizes[i]) };
            CHECK_EQUAL(alignment >= sizeof(void *) ? 0 : EINVAL, posix_memalign(&blocks[0], alignment, sizes[i]));
            for (int k = alignment >= sizeof(void *) ? 0 : 1; k < 3; k++) {
                size_t bytes = sizes[i], width = alignment < 16 ? 16 : alignment;
                CHECK(blocks[k] != NULL && (uintptr_t)blocks[k] % width == 0);
                CHECK_EQUAL(bytes, malloc_usable_size(blocks[k]));
                memset(blocks[k], k + 1, bytes < 100000 ? bytes : 100000);
            }
            for (int k = 0; k < 3; k++) {
                CHECK(blocks[k] == NULL || all_bytes(blocks[k], sizes[i] < 100000 ? sizes[i] : 100000, k + 1));
                free(blocks[k]);
            }
        }
    }
}

TEST("aligned blocks of all sizes live side by side")
{
    enum { COUNT = 2000 };
    static struct { unsigned char *block; size_t bytes; } live[COUNT];
    unsigned long long random = 1;
    size_t before = in_use();
    for (int round = 0; round < 30000; round++) {
        int i = next_random(&random) % COUNT;
        if (live[i].block != NULL) {
            CHECK(all_bytes(live[i].block, live[i].bytes, i % 251));
            free(live[i].block);
            live[i].block = NULL;
            continue;
        }
        size_t alignment = (size_t)16 << next_random(&random) % 10;
        live[i].bytes = next_random(&random) % (round % 100 == 0 ? 200000 : 700);
        live[i].block = aligned_alloc(alignment, live[i].bytes);
        CHECK(live[i].block != NULL && (uintptr_t)live[i].block % alignment == 0);
        memset(live[i].block, i % 251, live[i].bytes);
    }
    for (int i = 0; i < COUNT; i++) {
        CHECK(live[i].block == NULL || all_bytes(live[i].block, live[i].bytes, i % 251));
        free(live[i].block);
    }
    CHECK_EQUAL(before, in_use());
}

TEST("valloc and pvalloc give whole pages")
{
    size_t page = sysconf(_SC_PAGESIZE);
    for (size_t bytes = 0; bytes < 20 * page; bytes += 1 + bytes / 2) {
        void *one = valloc(bytes), *whole = pvalloc(bytes);
        CHECK(one != NULL && whole != NULL && one != whole && (uintptr_t)one % page == 0 && (uintptr_t)whole % page == 0);
        CHECK_EQUAL(bytes, malloc_usable_size(one));
        CHECK_EQUAL((bytes + page - 1) / page * page, malloc_usable_size(whole));
        memset(whole, 1, malloc_usable_size(whole));
        free(one);
        free(whole);
    }
}
