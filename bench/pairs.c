/*
 * Times pairs of malloc and free, whichever library they come from. Prints "SCENARIO BYTES NANOSECONDS" for each:
 *   tight      allocate and free at once
 *   batch      allocate 10,000, free them in random order
 *   handover   one thread allocates, another frees
 * Each figure is the best of a few passes, which leaves out what the machine did meanwhile.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BATCH = 10000, RING = 1024, PASSES = 5 };

static unsigned order[BATCH];
static char *blocks[BATCH];
static _Atomic(char *) ring[RING];

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e9 + time.tv_nsec;
}

static void touch(char *block)
{
    if (!block)
        abort();
    *(volatile char *)block = 1;
}

static double tight(size_t bytes)
{
    enum { PAIRS = 2000000 };
    double start = now();
    for (int pair = 0; pair < PAIRS; pair++) {
        char *block = malloc(bytes);
        touch(block);
        free(block);
    }
    return (now() - start) / PAIRS;
}

static double batch(size_t bytes)
{
    enum { TURNS = 40 };
    double start = now();
    for (int turn = 0; turn < TURNS; turn++) {
        for (int index = 0; index < BATCH; index++)
            touch(blocks[index] = malloc(bytes));
        for (int index = 0; index < BATCH; index++)
            free(blocks[order[index]]);
    }
    return (now() - start) / (TURNS * (double)BATCH);
}

enum { HANDED = 400000 };

static void *receive(void *unused)
{
    for (unsigned count = 0; count < HANDED; count++) {
        _Atomic(char *) *slot = &ring[count % RING];
        char *block;
        while (!(block = atomic_load_explicit(slot, memory_order_acquire)))
            sched_yield();
        atomic_store_explicit(slot, NULL, memory_order_release);
        free(block);
    }
    return unused;
}

static double handover(size_t bytes)
{
    pthread_t receiver;
    double start = now();
    if (pthread_create(&receiver, NULL, receive, NULL) != 0)
        abort();
    for (unsigned count = 0; count < HANDED; count++) {
        _Atomic(char *) *slot = &ring[count % RING];
        char *block = malloc(bytes);
        touch(block);
        while (atomic_load_explicit(slot, memory_order_acquire))
            sched_yield();
        atomic_store_explicit(slot, block, memory_order_release);
    }
    pthread_join(receiver, NULL);
    return (now() - start) / HANDED;
}

static void measure(const char *name, double (*scenario)(size_t), size_t bytes)
{
    double best = scenario(bytes);
    for (int pass = 1; pass < PASSES; pass++) {
        double time = scenario(bytes);
        if (time < best)
            best = time;
    }
    printf("%s %zu %.3f\n", name, bytes, best);
}

int main(void)
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
    for (size_t bytes = 16; bytes <= 1024; bytes *= 2)
        measure("tight", tight, bytes);
    for (size_t bytes = 16; bytes <= 1024; bytes *= 4)
        measure("batch", batch, bytes);
    for (size_t bytes = 16; bytes <= 1024; bytes *= 4)
        measure("handover", handover, bytes);
    return 0;
}
