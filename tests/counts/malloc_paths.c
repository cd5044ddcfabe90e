/* The paths of the malloc library. */
#include "paths.h"
#include <malloc.h>

static void tight(size_t bytes)
{
    for (int call = 0; call < CALLS; call++)
        free(sure(malloc(bytes)));
}

static void counted_tight(size_t bytes)
{
    tight(bytes);
    COUNTED tight(bytes);
}

PATH("tight 16 B") { counted_tight(16); }
PATH("tight 64 B") { counted_tight(64); }
PATH("tight 1 KiB") { counted_tight(1024); }
PATH("tight 4 KiB") { counted_tight(4096); }
PATH("tight 32 KiB") { counted_tight(32 * 1024); }
PATH("tight 64 KiB") { counted_tight(64 * 1024); }
PATH("tight 256 KiB") { counted_tight(256 * 1024); }
PATH("tight 1 MiB") { counted_tight(1024 * 1024); }

static void fill(void)
{
    for (int index = 0; index < BATCH; index++)
        blocks[index] = sure(malloc(64));
}

static void clear(void)
{
    for (int index = 0; index < BATCH; index++)
        free(blocks[order[index]]);
}

PATH("batch in random order 64 B")
{
    fill();
    clear();
    COUNTED {
        fill();
        clear();
    }
}

PATH("zeroed 64 B")
{
    tight(64);
    COUNTED for (int call = 0; call < CALLS; call++)
        free(sure(calloc(1, 64)));
}

PATH("aligned 64 B")
{
    tight(64);
    COUNTED for (int call = 0; call < CALLS; call++)
        free(sure(aligned_alloc(64, 64)));
}

PATH("in place 97 to 112 B")
{
    void *block = sure(malloc(97));
    COUNTED for (int call = 0; call < CALLS; call++)
        if (realloc(block, 97 + call % 16) != block)
            abort();
}

static void grow(void)
{
    void *block = sure(malloc(16));
    for (size_t bytes = 16; bytes < 1 << 20; bytes += bytes / 2)
        block = sure(realloc(block, bytes));
    free(block);
}

PATH("grown by half up to 1 MiB")
{
    grow();
    COUNTED for (int turn = 0; turn < 50; turn++)
        grow();
}

PATH("size 64 B")
{
    fill();
    COUNTED for (int index = 0; index < BATCH; index++)
        if (malloc_usable_size(blocks[order[index]]) != 64)
            abort();
}

PATH("handed to another thread 64 B") { hand_over(fill, clear); }
