/* Blocks of no bytes: as in glibc, each has an address of its own, and realloc to no bytes frees. (C23 leaves the latter undefined, POSIX to the implementation.) */
#include "contract.h"

static volatile size_t most = SIZE_MAX;
static void *by_pvalloc(size_t bytes) { return pvalloc(bytes); }
static void *by_calloc_of_none(size_t bytes) { return calloc(bytes, most); }
static void *by_calloc_of_nothings(size_t bytes) { return calloc(most, bytes); }
static void *by_reallocarray_of_none(size_t bytes) { return reallocarray(NULL, bytes, most); }
static const struct way more_ways[] = { { "pvalloc", by_pvalloc, PAGE, 0 }, { "calloc of none", by_calloc_of_none, 16, 1 },
    { "calloc of nothings", by_calloc_of_nothings, 16, 1 }, { "reallocarray of none", by_reallocarray_of_none, 16, 0 } };

static int compare_addresses(const void *left, const void *right)
{
    uintptr_t first = *(const uintptr_t *)left, second = *(const uintptr_t *)right;
    return (first > second) - (first < second);
}

static void check_way(const struct way *way)
{
    enum { COUNT = 300 };
    static char *blocks[COUNT];
    size_t before = in_use();
    for (int i = 0; i < COUNT; i++) {
        errno = UNTOUCHED;
        blocks[i] = way->allocate(0);
        CHECK_WAY(way, 0, blocks[i] != NULL && (uintptr_t)blocks[i] % way->alignment == 0);
        CHECK_EQUAL(0, malloc_usable_size(blocks[i]));
        CHECK_EQUAL(UNTOUCHED, errno);
    }
    CHECK_EQUAL(before, in_use());
    qsort(blocks, COUNT, sizeof *blocks, compare_addresses);
    for (int i = 1; i < COUNT; i++)
        CHECK_WAY(way, 0, blocks[i] != blocks[i - 1]);
    for (int i = 0; i < COUNT; i++) {
        if (i % 3 == 0) {
            blocks[i] = realloc(blocks[i], 40);
            CHECK(blocks[i] != NULL && malloc_usable_size(blocks[i]) == 40);
            memset(blocks[i], 1, 40);
        }
        free(blocks[i]);
    }
    CHECK_EQUAL(before, in_use());
}

TEST("a block of zero bytes has an address of its own, whoever gives it")
{
    for EACH_WAY(way)
        check_way(way);
    for (unsigned i = 0; i < sizeof more_ways / sizeof *more_ways; i++)
        check_way(&more_ways[i]);
}

TEST("realloc and reallocarray to zero bytes free, return null and leave errno alone")
{
    for (const size_t *bytes = border_sizes; *bytes != 0; bytes++)
        for (int how = 0; how < 3; how++) {
            size_t before = in_use();
            void *block = malloc(*bytes);
            errno = UNTOUCHED;
            CHECK((how == 0 ? realloc(block, 0) : how == 1 ? reallocarray(block, 0, 8) : reallocarray(block, 8, 0)) == NULL);
            CHECK_EQUAL(UNTOUCHED, errno);
            CHECK_EQUAL(before, in_use());
        }
}
