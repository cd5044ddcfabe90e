/* What the sections of the malloc contract share: each function that allocates, behind one signature. */
#ifndef CONTRACT_H
#define CONTRACT_H

#include "../check.h"
#include <errno.h>
#include <malloc.h>

enum { UNTOUCHED = 4711, PAGE = 4096, KIB = 1024, MIB = 1024 * 1024 };

static void *by_malloc(size_t bytes) { return malloc(bytes); }
static void *by_calloc(size_t bytes) { return calloc(1, bytes); }
static void *by_calloc_of_bytes(size_t bytes) { return calloc(bytes, 1); }
static void *by_realloc(size_t bytes) { return realloc(NULL, bytes); }
static void *by_reallocarray(size_t bytes) { return reallocarray(NULL, 1, bytes); }
static void *by_reallocarray_of_bytes(size_t bytes) { return reallocarray(NULL, bytes, 1); }
static void *by_aligned_alloc(size_t bytes) { return aligned_alloc(16, bytes); }
static void *by_aligned_alloc_to_64(size_t bytes) { return aligned_alloc(64, bytes); }
static void *by_memalign(size_t bytes) { return memalign(32, bytes); }
static void *by_valloc(size_t bytes) { return valloc(bytes); }
/* posix_memalign speaks by its result; as the others do here. */
static void *by_posix_memalign(size_t bytes)
{
    void *block = NULL;
    int error = posix_memalign(&block, 128, bytes);
    if (error != 0)
        errno = error;
    return block;
}

static const struct way { const char *name; void *(*allocate)(size_t bytes); size_t alignment; int clears; } ways[] = {
    { "malloc", by_malloc, 16, 0 }, { "calloc of one", by_calloc, 16, 1 }, { "calloc of bytes", by_calloc_of_bytes, 16, 1 },
    { "realloc of null", by_realloc, 16, 0 }, { "reallocarray of one", by_reallocarray, 16, 0 }, { "reallocarray of bytes", by_reallocarray_of_bytes, 16, 0 },
    { "aligned_alloc to 16", by_aligned_alloc, 16, 0 }, { "aligned_alloc to 64", by_aligned_alloc_to_64, 64, 0 }, { "memalign", by_memalign, 32, 0 },
    { "valloc", by_valloc, PAGE, 0 }, { "posix_memalign", by_posix_memalign, 128, 0 },
};
enum { WAYS = sizeof ways / sizeof *ways };
#define EACH_WAY(way) (const struct way *way = ways; way < ways + WAYS; way++)

/* CHECK, and which of the ways it was. */
#define CHECK_WAY(way, bytes, fact) \
    do { \
        if (!(fact)) \
            fprintf(stderr, "%s of %zu bytes: ", (way)->name, (size_t)(bytes)); \
        CHECK(fact); \
    } while (0)

/* Around each border between the kinds of blocks: classes, slabs and page runs, page runs and mappings of their own. 0 ends them. */
static const size_t border_sizes[] = { 16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 512, 1 * KIB, 1280, 2 * KIB, 4 * KIB, 8 * KIB, 16 * KIB, 32 * KIB, 36 * KIB,
    40 * KIB, 64 * KIB, 128 * KIB, 256 * KIB, 512 * KIB, 0xFF000, 1 * MIB, 2 * MIB, 4 * MIB + PAGE, 0 };

/* Blocks that no machine can give: beyond PTRDIFF_MAX, or so near below it that no address space holds them. */
static const size_t hopeless_sizes[] = { (size_t)PTRDIFF_MAX - 70000, (size_t)PTRDIFF_MAX - 1, (size_t)PTRDIFF_MAX, (size_t)PTRDIFF_MAX + 1, (size_t)PTRDIFF_MAX + 70000,
    SIZE_MAX - 70000, SIZE_MAX - PAGE, SIZE_MAX - 128, SIZE_MAX - 16, SIZE_MAX - 15, SIZE_MAX - 1, SIZE_MAX, (size_t)1 << 62, (size_t)3 << 61 };
enum { HOPELESS = sizeof hopeless_sizes / sizeof *hopeless_sizes };

static inline size_t in_use(void) { return mallinfo2().uordblks; }

/* Numbers that are the same in every run. */
static inline unsigned next_random(unsigned long long *state)
{
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(*state >> 33);
}

#endif
