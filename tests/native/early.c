/* Calls before any constructor has run: from the program's preinit functions, and (early_library.c) from a constructor of a library. */
#include "check.h"
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>

extern char *block_of_library;
static char *first_block, *grown;

/* More keys than the C library keeps in a thread's own structure, so that setting the rest of them allocates; all made before the first malloc. */
enum { KEYS = 40 };
static pthread_key_t keys[KEYS];
static int keys_made;
static atomic_int destroyed;

static void destroy(void *value)
{
    free(realloc(value, 3000));
    atomic_fetch_add(&destroyed, 1);
}

static void allocate_before_all(void)
{
    for (int i = 0; i < KEYS; i++)
        keys_made += pthread_key_create(&keys[i], destroy) == 0;
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

static void *set_all(void *argument)
{
    for (int i = KEYS - 1; i >= 0; i--)
        if (pthread_setspecific(keys[i], malloc(50)) != 0)
            return argument;
    return NULL;
}

TEST("threads set forty keys that were made before the first malloc, and their destructors free")
{
    CHECK_EQUAL(KEYS, keys_made);
    for (int i = 0; i < 500; i++) {
        pthread_t thread;
        void *result;
        pthread_create(&thread, NULL, set_all, &keys_made);
        pthread_join(thread, &result);
        CHECK(result == NULL);
    }
    CHECK_EQUAL(500 * KEYS, destroyed);
}
