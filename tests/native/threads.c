/* Threads that come, hand blocks over, and go; and what runs at their end. */
#include "check.h"
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>

static void join_new(void *(*function)(void *), void *argument)
{
    pthread_t thread;
    CHECK_EQUAL(0, pthread_create(&thread, NULL, function, argument));
    pthread_join(thread, NULL);
}

static size_t in_use(void) { return mallinfo2().uordblks; }

static void *realloc_first(void *argument) { *(void **)argument = realloc(NULL, 100); return NULL; }
static void *calloc_first(void *argument) { *(void **)argument = calloc(3, 50); return NULL; }
static void *aligned_first(void *argument) { *(void **)argument = aligned_alloc(1024, 50); return NULL; }
static void *free_first(void *argument) { free(*(void **)argument); return NULL; }

TEST("a thread's first call may be any function")
{
    void *(*functions[])(void *) = { realloc_first, calloc_first, aligned_first };
    for (int i = 0; i < 3; i++) {
        void *block = NULL;
        join_new(functions[i], &block);
        CHECK(block != NULL);
        memset(block, 1, 50);
        join_new(free_first, &block);
    }
}

static void *fill_and_leave(void *argument)
{
    (void)argument;
    void *blocks[500];
    for (int i = 0; i < 500; i++)
        blocks[i] = memset(malloc(i * 3 + 1), i, i * 3 + 1);
    for (int i = 0; i < 500; i++)
        free(blocks[i]);
    return NULL;
}

TEST("ten thousand short threads leave nothing behind")
{
    for (int i = 0; i < 50; i++)
        join_new(fill_and_leave, NULL);
    size_t used = in_use(), committed = mallinfo2().arena;
    for (int i = 0; i < 10000; i++)
        join_new(fill_and_leave, NULL);
    CHECK(in_use() <= used + 10000);
    CHECK(mallinfo2().arena <= committed + (8u << 20));
}

enum { KEYS = 60 };
static pthread_key_t keys[KEYS];
static atomic_int destructor_calls;

/* Puts itself off as long as pthreads allows and allocates every time, as the C library's own destructors do. */
static void allocating_destructor(void *value)
{
    atomic_fetch_add(&destructor_calls, 1);
    char *block = malloc(200);
    memset(block, 5, 200);
    for (int i = 0; i < KEYS; i++)
        if (pthread_getspecific(keys[i]) == NULL && (char)(intptr_t)i == *(char *)value) {
            *block = *(char *)value;
            free(value);
            pthread_setspecific(keys[i], block);
            return;
        }
    free(value);
    free(block);
}

static void *use_keys(void *argument)
{
    (void)argument;
    for (int i = 0; i < KEYS; i++) {
        char *value = malloc(200);
        *value = (char)i;
        pthread_setspecific(keys[i], value);
    }
    return NULL;
}

TEST("destructors of other keys allocate and free in every round")
{
    for (int i = 0; i < KEYS; i++)
        CHECK_EQUAL(0, pthread_key_create(&keys[i], allocating_destructor));
    for (int i = 0; i < 20; i++)
        join_new(use_keys, NULL);
    size_t used = in_use();
    for (int i = 0; i < 200; i++)
        join_new(use_keys, NULL);
    CHECK_EQUAL(220 * KEYS * PTHREAD_DESTRUCTOR_ITERATIONS, destructor_calls);
    /* The last round's blocks are the test's own leak: one for each key and thread. */
    CHECK(in_use() - used <= 200 * KEYS * 200 + 10000);
}

struct pipe_of_blocks { _Atomic(void *) slots[1024]; atomic_int stop; };

static void *produce(void *argument)
{
    struct pipe_of_blocks *line = argument;
    for (unsigned i = 0; i < 400000; i++) {
        unsigned char *block = malloc(i % 300 + 8), *expected = NULL;
        memset(block, (int)(i % 251), i % 300 + 8);
        *(unsigned *)block = i;
        while (!atomic_compare_exchange_weak(&line->slots[i % 1024], (void **)&expected, block))
            expected = NULL;
    }
    return NULL;
}

static void *consume(void *argument)
{
    struct pipe_of_blocks *line = argument;
    for (unsigned i = 0; i < 400000; i++) {
        unsigned char *block;
        while ((block = atomic_exchange(&line->slots[i % 1024], NULL)) == NULL)
            ;
        unsigned number = *(unsigned *)block;
        CHECK_EQUAL(i, number);
        CHECK(all_bytes(block + 4, number % 300 + 4, number % 251));
        free(block);
    }
    return NULL;
}

TEST("one thread allocates and another frees, and memory does not grow")
{
    static struct pipe_of_blocks line;
    pthread_t producer, consumer;
    size_t used = in_use();
    pthread_create(&producer, NULL, produce, &line);
    pthread_create(&consumer, NULL, consume, &line);
    pthread_join(producer, NULL);
    pthread_join(consumer, NULL);
    CHECK(in_use() <= used + 10000);
    CHECK(mallinfo2().arena < 32u << 20);
}

static void allocate_in_handler(int signal)
{
    (void)signal;
    int saved = errno;
    void *block = malloc(100);
    CHECK(block != NULL);
    memset(block, 9, 100);
    free(block);
    errno = saved;
}

/* Not allowed by POSIX and done by the .NET runtime all the same: its suspend signal allocates. */
TEST("a signal handler that allocates interrupts malloc and free")
{
    struct sigaction action = { .sa_handler = allocate_in_handler, .sa_flags = SA_RESTART };
    sigaction(SIGALRM, &action, NULL);
    struct itimerval every = { { 0, 200 }, { 0, 200 } };
    void *blocks[200] = { 0 };
    setitimer(ITIMER_REAL, &every, NULL);
    for (unsigned i = 0; i < 3000000; i++) {
        unsigned slot = i * 7919 % 200;
        if (blocks[slot] != NULL)
            CHECK(all_bytes(blocks[slot], 16, slot % 251));
        free(blocks[slot]);
        blocks[slot] = malloc(16 + i % 500);
        memset(blocks[slot], slot % 251, 16);
    }
    memset(&every, 0, sizeof every);
    setitimer(ITIMER_REAL, &every, NULL);
    for (int i = 0; i < 200; i++)
        free(blocks[i]);
}
