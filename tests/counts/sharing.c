/* What threads share: each case with 1 to 64 threads, which take turns in a fixed order, so that every run is the same. Run under lackey, which prints each
 * access to memory; stores to the marks tell sharing.py whose turn it is. Prints where the library lies, and the case, threads and calls of each run. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 64, BLOCKS = 64 };

volatile char mark_enter[THREADS], mark_leave, mark_begin, mark_count;

static int thread_count, turn, turns_that_fill, turns, calls;
static void (*step)(int thread);
static sem_t baton[THREADS], ended;
static void *blocks[THREADS][BLOCKS];

static unsigned next_random(void)
{
    static unsigned long seed = 1;
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return seed >> 33;
}

static void *allocate(size_t bytes)
{
    void *block = malloc(bytes);
    if (!block)
        abort();
    calls++;
    return block;
}

static void release(void *block)
{
    free(block);
    calls++;
}

static void use(int thread, unsigned count, size_t bytes)
{
    for (unsigned index = 0; index < count; index++)
        blocks[thread][index] = allocate(bytes);
    for (unsigned index = 0; index < count; index++)
        release(blocks[thread][index]);
}

/* Each thread has a few blocks of its own, or more than its magazines hold, which is sixteen. */
static void few(int thread) { use(thread, 20, 64); }
static void many(int thread) { use(thread, 17 + next_random() % 15, 4096); }

/* Every other thread allocates, and the one after it frees. */
static void handed(int thread)
{
    for (int index = 0; index < BLOCKS && thread % 2 == 0; index++)
        blocks[thread][index] = allocate(64);
    for (int index = 0; index < BLOCKS && (thread % 2 == 1 || thread_count == 1); index++)
        release(blocks[thread & ~1][index]);
}

/* Each thread replaces blocks at random, of all sizes and whoever allocated them, as the threads of a server do. */
static void mixed(int thread)
{
    for (int pair = 0; pair < BLOCKS / 2; pair++) {
        void **block = turn == 0 ? &blocks[thread][pair] : &blocks[next_random() % thread_count][next_random() % (BLOCKS / 2)];
        if (*block)
            release(*block);
        *block = allocate(16 + next_random() % 113);
    }
}

static void *take_turns(void *argument)
{
    int thread = (int)(long)argument;
    for (int mine = 0; mine < turns; mine++) {
        sem_wait(&baton[thread]);
        turn = mine;
        if (thread == 0 && turn == turns_that_fill) {
            mark_count = 1;
            calls = 0;
        }
        mark_enter[thread] = 1;
        step(thread);
        mark_leave = 1;
        sem_post(thread + 1 == thread_count && turn + 1 == turns ? &ended : &baton[(thread + 1) % thread_count]);
    }
    pause();
    return NULL;
}

static void run(const char *name, void (*a_step)(int), int count)
{
    pthread_t threads[THREADS];
    step = a_step;
    thread_count = count;
    /* The first turns, in which magazines fill, do not count. Fewer threads have more turns: the figures must be those of a program that runs for long. */
    turns_that_fill = 3 + 16 / count;
    turns = turns_that_fill + 1 + 8 / count;
    mark_begin = 1;
    sem_init(&ended, 0, 0);
    for (int thread = 0; thread < count; thread++)
        sem_init(&baton[thread], 0, 0);
    for (int thread = 0; thread < count; thread++)
        if (pthread_create(&threads[thread], NULL, take_turns, (void *)(long)thread) != 0)
            abort();
    sem_post(&baton[0]);
    sem_wait(&ended);
    printf("%s %d %d\n", name, count, calls);
}

int main(void)
{
    static const struct { const char *name; void (*step)(int); } cases[] = { { "few", few }, { "many", many }, { "handed", handed }, { "mixed", mixed } };
    Dl_info library;
    if (!dladdr(dlsym(RTLD_DEFAULT, "GetProcessHeap"), &library))
        abort();
    printf("%p\n", library.dli_fbase);
    for (int index = 0; index < 4; index++)
        for (int count = 1; count <= THREADS; count *= 8) {
            fflush(stdout);
            if (fork() == 0) {
                run(cases[index].name, cases[index].step, count);
                fflush(stdout);
                _exit(0);
            }
            wait(NULL);
        }
    return 0;
}
