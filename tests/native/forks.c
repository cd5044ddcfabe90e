/* fork, vfork and exec of a process whose other threads are inside the heap. */
#include "check.h"
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static atomic_int stop;

static void *hammer(void *argument)
{
    unsigned seed = (unsigned)(uintptr_t)argument;
    void *blocks[100] = { 0 };
    while (!atomic_load(&stop)) {
        int i = rand_r(&seed) % 100;
        free(blocks[i]);
        blocks[i] = malloc(rand_r(&seed) % 50 == 0 ? 200000 : rand_r(&seed) % 2000);
    }
    for (int i = 0; i < 100; i++)
        free(blocks[i]);
    return NULL;
}

/* Forks and gives the child ten seconds; returns its wait status. */
static int fork_with_limit(void (*work)(void))
{
    pid_t child = fork();
    if (child == 0) {
        alarm(10);
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

static void fork_again(void) { use_the_heap(); CHECK_EQUAL(0, fork_with_limit(use_the_heap)); }

static void with_hammers(void (*work)(void), int rounds)
{
    pthread_t threads[4];
    atomic_store(&stop, 0);
    for (uintptr_t i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, hammer, (void *)(i + 1));
    for (int round = 0; round < rounds; round++)
        CHECK_EQUAL(0, fork_with_limit(work));
    atomic_store(&stop, 1);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

TEST("a child of fork works while the parent's threads allocate") { with_hammers(use_the_heap, 150); }

TEST("a child of a child works too") { with_hammers(fork_again, 30); }

static void *block_of_handlers;
static void allocate_before(void) { block_of_handlers = malloc(5000); }
static void free_after(void) { free(block_of_handlers); free(malloc(70)); }

TEST("fork handlers of the program may allocate")
{
    pthread_atfork(allocate_before, free_after, free_after);
    with_hammers(use_the_heap, 50);
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

TEST("a child of vfork executes a program while the parent's threads allocate")
{
    pthread_t thread;
    atomic_store(&stop, 0);
    pthread_create(&thread, NULL, hammer, (void *)9);
    for (int i = 0; i < 30; i++) {
        pid_t child = vfork();
        if (child == 0) {
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
