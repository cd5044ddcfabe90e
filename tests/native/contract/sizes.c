/* A block has exactly the bytes that were asked for, all of them its own. */
#include "contract.h"

TEST("malloc_usable_size is what was asked for, and 0 for null")
{
    CHECK_EQUAL(0, malloc_usable_size(NULL));
    for EACH_WAY(way) {
        for (size_t bytes = 0; bytes < 3000; bytes += 7) {
            void *block = way->allocate(bytes);
            CHECK_EQUAL(bytes, malloc_usable_size(block));
            free(block);
        }
        for (const size_t *border = border_sizes; *border != 0; border++)
            for (size_t bytes = *border - 1; bytes <= *border + 1; bytes++) {
                void *block = way->allocate(bytes);
                CHECK_EQUAL(bytes, malloc_usable_size(block));
                free(block);
            }
    }
}

TEST("the whole usable size is the caller's, and nobody else's")
{
    enum { COUNT = 4000 };
    static unsigned char *blocks[COUNT];
    for (int i = 0; i < COUNT; i++) {
        const struct way *way = &ways[i % WAYS];
        size_t bytes = i % 100 == 0 ? (size_t)i * 50 : (size_t)i * 7 % 2500;
        blocks[i] = way->allocate(bytes);
        CHECK(blocks[i] != NULL && malloc_usable_size(blocks[i]) == bytes);
        CHECK_WAY(way, bytes, !way->clears || all_bytes(blocks[i], bytes, 0));
        memset(blocks[i], i % 251, malloc_usable_size(blocks[i]));
    }
    for (int i = 0; i < COUNT; i++) {
        CHECK(all_bytes(blocks[i], malloc_usable_size(blocks[i]), i % 251));
        free(blocks[i]);
    }
}

TEST("calloc clears what was used before, of every size and however it is counted")
{
    for (int pass = 0; pass < 2; pass++)
        for (const size_t *border = border_sizes; *border != 0; border++) {
            size_t bytes = *border - pass;
            void *blocks[4];
            for (int i = 0; i < 4; i++)
                blocks[i] = memset(malloc(bytes), 0xAA, bytes);
            for (int i = 0; i < 4; i++)
                free(blocks[i]);
            for (int i = 0; i < 4; i++) {
                size_t size = bytes % (i + 1) == 0 ? i + 1 : 1;
                blocks[i] = calloc(i % 2 ? size : bytes / size, i % 2 ? bytes / size : size);
                CHECK(blocks[i] != NULL && all_bytes(blocks[i], bytes, 0));
                CHECK_EQUAL(bytes, malloc_usable_size(blocks[i]));
            }
            for (int i = 0; i < 4; i++)
                free(blocks[i]);
        }
}

TEST("a block of more than 4 GiB has its first and its last byte")
{
    size_t bytes = ((size_t)5 << 30) + 3;
    char *block = malloc(bytes);
    CHECK(block != NULL || errno == ENOMEM);
    if (block == NULL)
        return;
    CHECK_EQUAL(bytes, malloc_usable_size(block));
    block[0] = 1;
    block[bytes - 1] = 2;
    char *longer = realloc(block, bytes + ((size_t)1 << 30));
    CHECK(longer != NULL || errno == ENOMEM);
    if (longer != NULL) {
        CHECK(longer[0] == 1 && longer[bytes - 1] == 2);
        block = longer;
    }
    free(block);
}
