/* fork, vfork, posix_spawn and exec of a process whose other threads are inside the heap. */
#include "check.h"
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>

extern char **environ;
static atomic_int stop, naps;

static void *hammer(void *argument)
{
    unsigned seed = (unsigned)(uintptr_t)argument;
    void *blocks[100] = { 0 };
    while (!atomic_load(&stop)) {
        int i = rand_r(&seed) % 100;
        free(blocks[i]);
        blocks[i] = malloc(rand_r(&seed) % 50 == 0 ? 200000 : rand_r(&seed) % 2000);
        /* Who forks waits for whoever is inside the heap, and that is long if all of them want the processors all the time. */
        if (atomic_load(&naps) && i < 2)
            usleep(100);
    }
    for (int i = 0; i < 100; i++)
        free(blocks[i]);
    return NULL;
}

/* Forks and gives the child some time; returns its wait status. */
static int fork_with_limit(void (*work)(void))
{
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        work();
        _exit(check_failures != 0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return status;
}

static void *one_thread(void *argument) { free(malloc(100)); return argument; }

static void use_the_heap(void)
{
    for (int i = 0; i < 2000; i++) {
        char *block = malloc(i * 5 + 1);
        CHECK(block != NULL);
        memset(block, i, i * 5 + 1);
        block = realloc(block, i * 11 + 1);
        CHECK(all_bytes(block, i * 5 + 1, i));
        free(block);
    }
    pthread_t thread;
    CHECK_EQUAL(0, pthread_create(&thread, NULL, one_thread, NULL));
    pthread_join(thread, NULL);
}

/* What a shell or a server's child does before it executes something else. */
static void use_it_briefly(void)
{
    char *blocks[20];
    for (int i = 0; i < 20; i++)
        blocks[i] = memset(malloc(i * 400 + 1), i, i * 400 + 1);
    for (int i = 0; i < 20; i++) {
        CHECK(all_bytes(blocks[i], i * 400 + 1, i));
        free(blocks[i]);
    }
}

static void fork_again(void) { use_the_heap(); CHECK_EQUAL(0, fork_with_limit(use_the_heap)); }

static void with_hammers(int hammers, void (*work)(void), int rounds)
{
    pthread_t threads[8];
    atomic_store(&stop, 0);
    for (uintptr_t i = 0; (int)i < hammers; i++)
        pthread_create(&threads[i], NULL, hammer, (void *)(i + 1));
    for (int round = 0; round < rounds && check_failures == 0; round++)
        CHECK_EQUAL(0, fork_with_limit(work));
    atomic_store(&stop, 1);
    for (int i = 0; i < hammers; i++)
        pthread_join(threads[i], NULL);
}

TEST("a child of fork works while the parent's threads allocate") { with_hammers(4, use_the_heap, 40); }

TEST("each of a thousand children of a process with eight allocating threads works") { atomic_store(&naps, 1); with_hammers(8, use_it_briefly, 1000); }

TEST("a child of a child works too") { with_hammers(4, fork_again, 15); }

/* One set of handlers is registered before any constructor has run, so before the library can have registered its own; the others later. A handler leaves
 * its block to the next one of its set. */
static __thread void *early_block, *late_block;
static atomic_int early_calls;
static void allocate_early(void) { early_block = realloc(malloc(5000), 70000); early_calls++; }
static void free_early(void) { free(early_block); free(malloc(70)); early_calls++; }
static void allocate_late(void) { late_block = calloc(50, 100); }
static void free_late(void) { free(late_block); free(malloc(70)); }
static void register_early(void) { pthread_atfork(allocate_early, free_early, free_early); }
__attribute__((section(".preinit_array"), used)) static void (*preinit)(void) = register_early;

static void *fork_in_a_thread(void *work)
{
    for (int i = 0; i < 25; i++)
        CHECK_EQUAL(0, fork_with_limit(*(void (**)(void))work));
    return NULL;
}

TEST("fork handlers of the program may allocate, whenever they were registered")
{
    pthread_atfork(allocate_late, free_late, free_late);
    with_hammers(4, use_it_briefly, 100);
    CHECK_EQUAL(200, early_calls);
    /* The forking thread's very first calls are those of the handlers. */
    void (*work)(void) = use_it_briefly;
    pthread_t thread;
    pthread_create(&thread, NULL, fork_in_a_thread, &work);
    pthread_join(thread, NULL);
}

/* Two threads fork at once while others do nothing but begin and end. */
static void *begin_and_end(void *argument)
{
    while (!atomic_load(&stop)) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, one_thread, NULL) == 0)
            pthread_join(thread, NULL);
    }
    return argument;
}

TEST("two threads fork at once while threads begin and end")
{
    pthread_t forks[2], others[2];
    void (*work)(void) = use_the_heap;
    atomic_store(&stop, 0);
    for (int i = 0; i < 2; i++) {
        pthread_create(&others[i], NULL, begin_and_end, NULL);
        pthread_create(&forks[i], NULL, fork_in_a_thread, &work);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(forks[i], NULL);
    atomic_store(&stop, 1);
    for (int i = 0; i < 2; i++)
        pthread_join(others[i], NULL);
}

TEST("blocks of the parent are the child's to use and free")
{
    enum { COUNT = 300 };
    unsigned char *blocks[COUNT];
    for (int i = 0; i < COUNT; i++)
        blocks[i] = memset(malloc(i * 9 + 1), i, i * 9 + 1);
    fflush(NULL);
    pid_t child = fork();
    for (int i = 0; i < COUNT; i++) {
        CHECK(all_bytes(blocks[i], i * 9 + 1, i));
        free(blocks[i]);
    }
    if (child == 0)
        _exit(check_failures != 0);
    int status;
    waitpid(child, &status, 0);
    CHECK_EQUAL(0, status);
}

TEST("children of vfork and posix_spawn execute a program while the parent's threads allocate")
{
    pthread_t thread;
    char *const arguments[] = { "true", NULL };
    atomic_store(&stop, 0);
    pthread_create(&thread, NULL, hammer, (void *)9);
    for (int i = 0; i < 60; i++) {
        pid_t child;
        if (i % 2 == 0)
            CHECK_EQUAL(0, posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environ));
        else if ((child = vfork()) == 0) {
            execl("/bin/true", "true", (char *)NULL);
            _exit(99);
        }
        int status = -1;
        waitpid(child, &status, 0);
        CHECK_EQUAL(0, status);
    }
    atomic_store(&stop, 1);
    pthread_join(thread, NULL);
}
