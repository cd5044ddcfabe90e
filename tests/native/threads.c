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
static void *array_first(void *argument) { *(void **)argument = reallocarray(NULL, 10, 30); return NULL; }
static void *memalign_first(void *argument) { return posix_memalign(argument, 64, 300) == 0 ? NULL : argument; }
static void *resize_first(void *argument) { *(void **)argument = realloc(*(void **)argument, 70000); return NULL; }
static void *size_first(void *argument) { CHECK(malloc_usable_size(*(void **)argument) >= 50); return NULL; }
static void *free_first(void *argument) { free(*(void **)argument); return NULL; }

TEST("a thread's first call may be any function")
{
    void *(*functions[])(void *) = { realloc_first, calloc_first, aligned_first, array_first, memalign_first };
    for (int i = 0; i < 5; i++) {
        void *block = NULL;
        join_new(functions[i], &block);
        CHECK(block != NULL);
        memset(block, 1, 50);
        join_new(size_first, &block);
        join_new(resize_first, &block);
        CHECK(all_bytes(block, 50, 1));
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

/* Each thread frees what the one before it has allocated, which may be ending at that very moment: they are not joined, and stacks and thread
 * numbers go from hand to hand. */
static _Atomic(unsigned char *) handed;
static atomic_int ended_threads;

static void *free_of_the_last_one(void *argument)
{
    int number = (int)(intptr_t)argument;
    unsigned char *block = malloc(300), *mine = malloc(40);
    memset(block, number, 300);
    memset(mine, number, 40);
    block = atomic_exchange(&handed, block);
    if (block != NULL) {
        CHECK(all_bytes(block, 300, block[0]));
        free(block);
    }
    CHECK(all_bytes(mine, 40, number));
    free(mine);
    atomic_fetch_add(&ended_threads, 1);
    return NULL;
}

TEST("a thread's blocks are freed by the next ones as it ends")
{
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    size_t used = in_use();
    for (int i = 0; i < 10000; i++) {
        pthread_t thread;
        while (pthread_create(&thread, &detached, free_of_the_last_one, (void *)(intptr_t)(i % 256)) != 0)
            usleep(100);
        /* A few at once. */
        while (i - atomic_load(&ended_threads) > 8)
            sched_yield();
    }
    while (atomic_load(&ended_threads) < 10000)
        usleep(100);
    free(atomic_exchange(&handed, NULL));
    usleep(10000);
    CHECK(in_use() <= used + 20000);
}

static void give_back(void *block) { free(*(void **)block); }

static void *be_cancelled(void *argument)
{
    unsigned seed = (unsigned)(uintptr_t)argument;
    for (;;) {
        void *volatile block = malloc(rand_r(&seed) % 5000);
        pthread_cleanup_push(give_back, (void *)&block);
        block = realloc(block, rand_r(&seed) % 300000 + 1);
        pthread_testcancel();
        pthread_cleanup_pop(1);
    }
    return NULL;
}

TEST("threads that are cancelled between their calls leave nothing behind and nothing locked")
{
    size_t used = in_use();
    for (uintptr_t round = 0; round < 60; round++) {
        pthread_t threads[4];
        void *result;
        for (int i = 0; i < 4; i++)
            pthread_create(&threads[i], NULL, be_cancelled, (void *)(round * 4 + i));
        usleep(round % 7 * 50);
        for (int i = 0; i < 4; i++)
            pthread_cancel(threads[i]);
        for (int i = 0; i < 4; i++) {
            pthread_join(threads[i], &result);
            CHECK(result == PTHREAD_CANCELED);
        }
    }
    CHECK(in_use() <= used + 20000);
}

static size_t resident_kib(void)
{
    size_t pages[2] = { 0, 0 };
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file != NULL && fscanf(file, "%zu %zu", &pages[0], &pages[1]) == 2);
    fclose(file);
    return pages[1] * 4;
}

enum { MANY = 100000 };
static void *free_all(void *argument)
{
    void **blocks = argument;
    for (int i = 0; i < MANY; i++)
        free(blocks[i]);
    return NULL;
}

TEST("a thread that only frees gives the memory of others back to the system")
{
    static void *blocks[MANY];
    size_t before = resident_kib(), most = 0;
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < MANY; i++)
            blocks[i] = memset(malloc(1500), i, 1500);
        size_t full = resident_kib();
        join_new(free_all, blocks);
        /* What is needed again at once may be kept the next time, but then it serves. */
        if (round == 0) {
            CHECK(full > before + 140000);
            CHECK(resident_kib() < before + (full - before) / 4);
            most = full + 4000;
        }
        CHECK(full <= most);
    }
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

static unsigned served, refused;

/* A call that is interrupted while it gets memory from the system, as all do that make guard pages, holds its locks for long, and what can then not be served without
 * them is refused. */
static void allocate_in_handler(int signal)
{
    (void)signal;
    int saved = errno;
    void *block = malloc(100);
    if (block == NULL) {
        CHECK_EQUAL(ENOMEM, errno);
        refused++;
    } else {
        memset(block, 9, 100);
        free(block);
        served++;
    }
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
    CHECK(served > 10 * refused);
}
