/* errno: set to ENOMEM by what fails, left alone by what succeeds, and by free in any case. */
#include "contract.h"
#include <pthread.h>
#include <sys/mman.h>

TEST("success leaves errno alone, with a magazine at hand and without")
{
    enum { COUNT = 300 };
    static void *blocks[COUNT];
    for EACH_WAY(way)
        for (const size_t *bytes = border_sizes; *bytes != 0; bytes++) {
            int count = *bytes < 40000 ? COUNT : 5;
            errno = UNTOUCHED;
            for (int i = 0; i < count; i++)
                blocks[i] = way->allocate(*bytes);
            CHECK_WAY(way, *bytes, errno == UNTOUCHED);
            for (int i = 0; i < count; i++)
                free(blocks[i]);
            CHECK_WAY(way, *bytes, errno == UNTOUCHED);
        }
}

TEST("realloc leaves errno alone when it succeeds, in place and by moving")
{
    void *block = NULL;
    errno = UNTOUCHED;
    for (int i = 0; i < 3; i++) {
        for (size_t bytes = 1; bytes < 5u * MIB; bytes = bytes * 3 / 2 + 1)
            block = realloc(block, bytes);
        for (size_t bytes = 5u * MIB; bytes > 0; bytes = bytes * 2 / 3)
            block = realloc(block, bytes);
    }
    free(block);
    CHECK_EQUAL(UNTOUCHED, errno);
}

TEST("free leaves errno alone, also when memory goes back and when the address is null")
{
    enum { COUNT = 30000 };
    static void *blocks[COUNT];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < COUNT; i++)
            blocks[i] = malloc((size_t)1 << i % 11);
        void *large = malloc(200u << 20);
        errno = UNTOUCHED;
        for (int i = 0; i < COUNT; i++)
            free(blocks[round == 1 ? COUNT - 1 - i : i]);
        free(large);
        free(NULL);
        CHECK_EQUAL(UNTOUCHED, errno);
    }
}

/* The system takes no locked pages back: what free asks of it fails, where this process may lock some. */
TEST("free leaves errno alone when the system refuses to take memory back, and calloc still clears it")
{
    enum { COUNT = 500 };
    static void *blocks[COUNT];
    for (size_t bytes = 2000; bytes < 100000; bytes *= 7) {
        int count = (int)(4u * MIB / bytes) < COUNT ? (int)(4u * MIB / bytes) : COUNT;
        for (int i = 0; i < count; i++) {
            blocks[i] = memset(malloc(bytes), 0xAA, bytes);
            if (mlock(blocks[i], bytes) != 0)
                errno = 0;
        }
        errno = UNTOUCHED;
        for (int i = 0; i < count; i++)
            free(blocks[i]);
        malloc_trim(0);
        CHECK_EQUAL(UNTOUCHED, errno);
        for (int i = 0; i < count; i++) {
            blocks[i] = calloc(1, bytes);
            CHECK(blocks[i] != NULL && all_bytes(blocks[i], bytes, 0));
        }
        for (int i = 0; i < count; i++)
            free(blocks[i]);
    }
    munlockall();
}

static void *first_calls(void *first)
{
    errno = UNTOUCHED;
    switch ((intptr_t)first) {
        case 0: free(malloc(10)); break;
        case 1: free(calloc(10, 10)); break;
        case 2: free(realloc(NULL, 10)); break;
        case 3: free(aligned_alloc(64, 10)); break;
        case 4: malloc_usable_size(NULL); break;
        default: free(NULL);
    }
    CHECK_EQUAL(UNTOUCHED, errno);
    return NULL;
}

TEST("the first call of a thread leaves errno alone")
{
    for (intptr_t first = 0; first < 6; first++) {
        pthread_t thread;
        pthread_create(&thread, NULL, first_calls, (void *)first);
        pthread_join(thread, NULL);
    }
}

TEST("what no machine can give is refused with ENOMEM, and nothing else changes")
{
    char *witness = memset(malloc(1000), 'w', 1000);
    size_t before = in_use();
    for EACH_WAY(way)
        for (int i = 0; i < HOPELESS; i++) {
            errno = UNTOUCHED;
            CHECK_WAY(way, hopeless_sizes[i], way->allocate(hopeless_sizes[i]) == NULL);
            CHECK_WAY(way, hopeless_sizes[i], errno == ENOMEM);
            errno = UNTOUCHED;
            CHECK(pvalloc(hopeless_sizes[i]) == NULL);
            CHECK_EQUAL(ENOMEM, errno);
        }
    CHECK_EQUAL(before, in_use());
    CHECK(all_bytes(witness, 1000, 'w'));
    free(witness);
}
