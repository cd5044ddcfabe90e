/*
 * What all shapes share: random numbers that are the same in every run, and blocks that are used as a program uses them.
 * A shape is a fixed amount of work with malloc and free, whichever library they come from.
 */
#ifndef SHAPES_H
#define SHAPES_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { KIB = 1 << 10, MIB = 1 << 20, PAGE = 4096 };

typedef struct {
    uint64_t state;
} Random;

static inline uint32_t next(Random *random)
{
    random->state = random->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random->state >> 32);
}

/* 0 to limit - 1. */
static inline uint32_t below(Random *random, uint32_t limit)
{
    return (uint32_t)((uint64_t)next(random) * limit >> 32);
}

/* smallest to largest, every doubling as likely as the others. */
static inline size_t any_size(Random *random, size_t smallest, size_t largest)
{
    unsigned doublings = 0;
    while (smallest << (doublings + 1) <= largest)
        doublings++;
    size_t base = smallest << below(random, doublings + 1);
    size_t size = base + below(random, (uint32_t)base);
    return size < largest ? size : largest;
}

/* 16 B to 64 KiB as programs ask for them: a size twice as large is half as likely, so that each doubling takes as much memory as the others. */
static inline size_t usual_size(Random *random)
{
    size_t base = (size_t)16 << __builtin_ctz(next(random) >> 8 | 1u << 11);
    return base + below(random, (uint32_t)base);
}

typedef struct {
    char *address;
    size_t bytes;
} Block;

static inline void check(int good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "shapes: %s\n", what);
    abort();
}

static inline uint64_t tag(size_t bytes)
{
    return bytes * 0x9E3779B97F4A7C15u;
}

/* Writes a block's first word, and a byte of each page that lies in it: what is asked for is used. */
static inline Block use(void *address, size_t bytes)
{
    check(address != NULL, "no memory");
    Block block = { address, bytes };
    for (size_t at = PAGE; at < bytes; at += PAGE)
        ((volatile char *)block.address)[at] = 1;
    *(volatile uint64_t *)block.address = tag(bytes);
    return block;
}

static inline Block take(size_t bytes)
{
    return use(malloc(bytes), bytes);
}

static inline void inspect(Block block)
{
    check(*(volatile uint64_t *)block.address == tag(block.bytes), "a block does not hold what was written into it");
}

/* Whoever frees a block has read it before; a place that holds no block is left alone. */
static inline void drop(Block block)
{
    if (!block.address)
        return;
    inspect(block);
    free(block.address);
}

/* The table of a shape, which is not part of what is measured but for its memory. */
static inline void *table(size_t count, size_t bytes)
{
    void *entries = calloc(count, bytes);
    check(entries != NULL, "no memory");
    return entries;
}

static inline void shuffle(Random *random, uint32_t *order, uint32_t count)
{
    for (uint32_t index = 0; index < count; index++) {
        uint32_t other = below(random, index + 1);
        order[index] = order[other];
        order[other] = index;
    }
}

static inline double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e9 + time.tv_nsec;
}

/*
 * Prints "SCENARIO BYTES NANOSECONDS" of one pair of malloc and free: the best of a few passes, which leaves out what the machine did meanwhile.
 * `scenario` answers with the nanoseconds of one pair.
 */
static inline void measure(const char *name, double (*scenario)(size_t), size_t bytes)
{
    enum { PASSES = 5 };
    double best = scenario(bytes);
    for (int pass = 1; pass < PASSES; pass++) {
        double time = scenario(bytes);
        best = time < best ? time : best;
    }
    printf("%s %zu %.3f\n", name, bytes, best);
}

/* single.c */
void tight(void), batch_small(void), batch_pages(void), replace_10k(void), replace_100k(void), replace_1m(void), bursts(void), aligned(void), phases(void);
/* large.c */
void realloc_steps(void), realloc_doubling(void), calloc_all(void), large(void), large_filled(void);
/* threads.c */
void handover(void), server_4(void), server_16(void), producers(void), alone_2(void), alone_16(void), sharing_passive(void), sharing_active(void);

#endif
