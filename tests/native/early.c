/* Calls before any constructor has run: from the program's preinit functions, and (early_library.c) from a constructor of a library. */
#include "check.h"
#include <malloc.h>

extern char *block_of_library;
static char *first_block, *grown;

static void allocate_before_all(void)
{
    first_block = malloc(100);
    memset(first_block, 'f', 100);
    grown = realloc(calloc(10, 10), 100000);
    memset(grown, 'g', 100000);
    free(malloc(500));
}

__attribute__((section(".preinit_array"), used)) static void (*preinit)(void) = allocate_before_all;

TEST("blocks from before the constructors live on")
{
    CHECK_EQUAL(100, malloc_usable_size(first_block));
    CHECK(all_bytes(first_block, 100, 'f'));
    CHECK(all_bytes(grown, 100000, 'g'));
    CHECK(all_bytes(block_of_library, 300, 'l'));
    first_block = realloc(first_block, 200);
    CHECK(all_bytes(first_block, 100, 'f'));
    free(first_block);
    free(grown);
    free(block_of_library);
}
