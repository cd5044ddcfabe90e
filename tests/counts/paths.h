/* The paths of one program: PATH("a name") { prepare; COUNTED { calls } }. Run under callgrind, the program leaves one file of counts for each path, which
 * the script "run" reads: what the library's functions cost when called from here, and neither this program's own instructions nor what came before. */
#ifndef PATHS_H
#define PATHS_H

#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <valgrind/callgrind.h>

enum { BATCH = 10000, CALLS = 10000 };

static struct { const char *name; void (*run)(void); } paths[100];
static int path_count, current;
static void *blocks[BATCH];
static unsigned order[BATCH];

#define PATH(name) PATH_NUMBERED(name, __COUNTER__)
#define PATH_NUMBERED(name, number) PATH_NAMED(name, number)
#define PATH_NAMED(name_, number) \
    static void path_##number(void); \
    __attribute__((constructor)) static void add_##number(void) \
    { \
        paths[path_count].name = name_; \
        paths[path_count++].run = path_##number; \
    } \
    static void path_##number(void)

#define COUNTED for (int counting = begin_counting(); counting; counting = end_counting())

static int begin_counting(void)
{
    CALLGRIND_ZERO_STATS;
    return 1;
}

static int end_counting(void)
{
    CALLGRIND_DUMP_STATS_AT(paths[current].name);
    return 0;
}

static void *sure(void *block)
{
    if (!block)
        abort();
    return block;
}

/* Two threads that take turns, so that every run is the same: one calls give, then the other calls take, and so on; each turn is a whole batch. The
 * first turns, in which magazines and depot fill, do not count. */
enum { TURNS = 12, TURNS_THAT_FILL = 4 };
static struct { void (*give)(void), (*take)(void); pthread_barrier_t given, taken; } turns;

static void *take_turns(void *unused)
{
    for (int turn = 0; turn < TURNS; turn++) {
        pthread_barrier_wait(&turns.given);
        turns.take();
        pthread_barrier_wait(&turns.taken);
    }
    return unused;
}

static void hand_over(void (*give)(void), void (*take)(void))
{
    pthread_t taker;
    turns.give = give;
    turns.take = take;
    pthread_barrier_init(&turns.given, NULL, 2);
    pthread_barrier_init(&turns.taken, NULL, 2);
    if (pthread_create(&taker, NULL, take_turns, NULL) != 0)
        abort();
    for (int turn = 0; turn < TURNS; turn++) {
        if (turn == TURNS_THAT_FILL)
            begin_counting();
        turns.give();
        pthread_barrier_wait(&turns.given);
        pthread_barrier_wait(&turns.taken);
    }
    end_counting();
    pthread_join(taker, NULL);
}

static void shuffle_order(void)
{
    unsigned long seed = 1;
    for (unsigned index = 0; index < BATCH; index++)
        order[index] = index;
    for (unsigned index = BATCH - 1; index > 0; index--) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        unsigned other = (unsigned)(seed >> 33) % (index + 1), saved = order[index];
        order[index] = order[other];
        order[other] = saved;
    }
}

/* Each path in a process of its own, all of which begin with the same heap: none changes with the others. */
int main(void)
{
    shuffle_order();
    for (current = 0; current < path_count; current++) {
        pid_t child = fork();
        int status = -1;
        if (child == 0) {
            paths[current].run();
            _exit(0);
        }
        waitpid(child, &status, 0);
        if (status != 0) {
            printf("%s: the process ended with status %d\n", paths[current].name, status);
            return 1;
        }
    }
    return 0;
}

#endif
