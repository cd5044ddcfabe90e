/* realloc: the block of before, shorter or longer, here or elsewhere; or the block as it was, and null. */
#include "contract.h"
#include <pthread.h>

static unsigned char pattern(size_t i) { return (unsigned char)(i * 31 % 251); }
static void write_pattern(unsigned char *block, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        block[i] = pattern(i);
}
static int has_pattern(const unsigned char *block, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (block[i] != pattern(i))
            return 0;
    return 1;
}

TEST("realloc of null allocates")
{
    void *block = realloc(NULL, 50);
    CHECK_EQUAL(50, malloc_usable_size(block));
    free(block);
}

TEST("realloc keeps the contents through every size, up and down")
{
    unsigned char *block = NULL;
    size_t filled = 0;
    for (size_t bytes = 1; bytes < 3u * MIB; bytes += bytes / 3 + 1) {
        block = realloc(block, bytes);
        CHECK_EQUAL(bytes, malloc_usable_size(block));
        CHECK(has_pattern(block, filled));
        write_pattern(block, filled, bytes);
        filled = bytes;
    }
    for (size_t bytes = filled; bytes > 0; bytes = bytes * 2 / 3) {
        block = realloc(block, bytes);
        CHECK_EQUAL(bytes, malloc_usable_size(block));
        CHECK(has_pattern(block, bytes));
    }
    free(block);
}

TEST("realloc from each kind of block to each other keeps what fits")
{
    for (const size_t *from = border_sizes; *from != 0; from++)
        for (const size_t *to = border_sizes; *to != 0; to++) {
            if (*from + *to > 3u * MIB)
                continue;
            size_t before = in_use(), kept = *from < *to ? *from : *to;
            unsigned char *block = malloc(*from), *neighbor = malloc(*from);
            write_pattern(block, 0, *from);
            memset(neighbor, 'n', *from);
            block = realloc(block, *to);
            CHECK_EQUAL(*to, malloc_usable_size(block));
            CHECK(has_pattern(block, kept));
            memset(block, 'b', *to);
            CHECK(all_bytes(neighbor, *from, 'n'));
            free(block);
            free(neighbor);
            CHECK_EQUAL(before, in_use());
        }
}

TEST("blocks that many resizes move about keep their bytes")
{
    enum { COUNT = 200 };
    static unsigned char *blocks[COUNT];
    size_t sizes[COUNT] = { 0 };
    unsigned long long random = 7;
    for (int round = 0; round < 20000; round++) {
        int i = next_random(&random) % COUNT;
        size_t bytes = 1 + next_random(&random) % (round % 200 == 0 ? 400000 : 3000), kept = bytes < sizes[i] ? bytes : sizes[i];
        blocks[i] = realloc(blocks[i], bytes);
        CHECK(blocks[i] != NULL && all_bytes(blocks[i], kept, i));
        memset(blocks[i], i, bytes);
        sizes[i] = bytes;
    }
    for (int i = 0; i < COUNT; i++) {
        CHECK(all_bytes(blocks[i], sizes[i], i));
        free(blocks[i]);
    }
}

TEST("an aligned block keeps its contents through realloc")
{
    for (size_t alignment = 32; alignment <= 1u * MIB; alignment *= 8) {
        unsigned char *block = aligned_alloc(alignment, 5000);
        write_pattern(block, 0, 5000);
        block = realloc(block, 200000);
        CHECK(has_pattern(block, 5000));
        block = realloc(block, 10);
        CHECK(has_pattern(block, 10));
        free(block);
    }
}

TEST("a realloc that fails sets ENOMEM and leaves the block as it was")
{
    for (const size_t *bytes = border_sizes; *bytes != 0; bytes++) {
        unsigned char *block = malloc(*bytes);
        write_pattern(block, 0, *bytes);
        for (int i = 0; i < HOPELESS; i++) {
            errno = 0;
            void *volatile resized = realloc(block, hopeless_sizes[i]);
            CHECK(resized == NULL);
            CHECK_EQUAL(ENOMEM, errno);
        }
        CHECK_EQUAL(*bytes, malloc_usable_size(block));
        CHECK(has_pattern(block, *bytes));
        free(block);
    }
}

static void *resize_elsewhere(void *block)
{
    return realloc(block, malloc_usable_size(block) * 2);
}

TEST("a block is resized by another thread than the one that allocated it")
{
    for (const size_t *bytes = border_sizes; *bytes != 0; bytes++) {
        pthread_t thread;
        void *block = malloc(*bytes);
        write_pattern(block, 0, *bytes);
        pthread_create(&thread, NULL, resize_elsewhere, block);
        pthread_join(thread, &block);
        CHECK_EQUAL(*bytes * 2, malloc_usable_size(block));
        CHECK(has_pattern(block, *bytes));
        free(block);
    }
}
