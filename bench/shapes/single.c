/* Shapes of one thread and blocks of usual sizes. */
#include "shapes.h"

/* Allocate and free at once. */
static double tight_pair(size_t bytes)
{
    enum { PAIRS = 2000000 };
    double start = now();
    for (int pair = 0; pair < PAIRS; pair++) {
        char *block = malloc(bytes);
        check(block != NULL, "no memory");
        *(volatile char *)block = 1;
        free(block);
    }
    return (now() - start) / PAIRS;
}

void tight(void)
{
    for (size_t bytes = 16; bytes <= KIB; bytes *= 2)
        measure("tight", tight_pair, bytes);
}

/* Allocate 10,000 blocks of a size, free them in an order; of 64 KiB only the first page is written. */
enum { BATCH = 10000 };

static uint32_t order[BATCH];

static double batch_pair(size_t bytes)
{
    static char *blocks[BATCH];
    int turns = bytes <= KIB ? 20 : 1;
    double start = now();
    for (int turn = 0; turn < turns; turn++) {
        for (int index = 0; index < BATCH; index++) {
            check((blocks[index] = malloc(bytes)) != NULL, "no memory");
            *(volatile char *)blocks[index] = 1;
        }
        for (int index = 0; index < BATCH; index++)
            free(blocks[order[index]]);
    }
    return (now() - start) / ((double)turns * BATCH);
}

static void batch(size_t smallest, size_t factor, size_t largest)
{
    Random random = { 1 };
    for (uint32_t index = 0; index < BATCH; index++)
        order[index] = BATCH - 1 - index;
    for (size_t bytes = smallest; bytes <= largest; bytes *= factor)
        measure("batch-lifo", batch_pair, bytes);
    for (uint32_t index = 0; index < BATCH; index++)
        order[index] = index;
    for (size_t bytes = smallest; bytes <= largest; bytes *= factor)
        measure("batch-fifo", batch_pair, bytes);
    shuffle(&random, order, BATCH);
    for (size_t bytes = smallest; bytes <= largest; bytes *= factor)
        measure("batch-random", batch_pair, bytes);
}

void batch_small(void)
{
    batch(16, 4, KIB);
}

void batch_pages(void)
{
    batch(4 * KIB, 16, 64 * KIB);
}

/* A live set in which blocks of mixed sizes are replaced at random. */
static void replace(uint32_t live, uint32_t replacements)
{
    Random random = { live };
    Block *blocks = table(live, sizeof *blocks);
    for (uint32_t index = 0; index < live; index++)
        blocks[index] = take(usual_size(&random));
    while (replacements-- > 0) {
        Block *block = &blocks[below(&random, live)];
        drop(*block);
        *block = take(usual_size(&random));
    }
    for (uint32_t index = 0; index < live; index++)
        drop(blocks[index]);
    free(blocks);
}

void replace_10k(void)
{
    replace(10000, 10000000);
}

void replace_100k(void)
{
    replace(100000, 4000000);
}

void replace_1m(void)
{
    replace(1000000, 2000000);
}

/* One size class after another: 8 MiB of each, freed before the next one comes. */
void bursts(void)
{
    enum { TURNS = 12, BURST = 8 * MIB };
    Block *blocks = table(BURST / 16, sizeof *blocks);
    for (int turn = 0; turn < TURNS; turn++) {
        for (size_t bytes = 16; bytes <= 32 * KIB; bytes = (bytes + bytes / 4 + 15) & ~(size_t)15) {
            size_t count = BURST / bytes;
            for (size_t index = 0; index < count; index++)
                blocks[index] = take(bytes);
            for (size_t index = 0; index < count; index++)
                drop(blocks[index]);
        }
    }
    free(blocks);
}

/*
 * A program that runs long and does one thing after another. In each phase it allocates 64 MiB of sizes that are usual in that phase, replaces
 * blocks, and frees them but for one in eight, which live for two phases more. What the survivors' neighbors leave must serve other sizes then.
 */
void phases(void)
{
    enum { PHASES = 12, LIVE = 64 * MIB, SURVIVORS = 3 };
    static const struct { size_t smallest, largest; } kinds[] = { { 16, 128 }, { 256, 2 * KIB }, { 64, 512 }, { 4 * KIB, 32 * KIB }, { 32, 8 * KIB }, { 64 * KIB, 256 * KIB } };
    Block *survivors[SURVIVORS] = { NULL };
    size_t survivor_counts[SURVIVORS] = { 0 };
    Random random = { 7 };
    Block *blocks = table(LIVE / 16, sizeof *blocks);
    for (int phase = 0; phase < PHASES + SURVIVORS; phase++) {
        int place = phase % SURVIVORS;
        for (size_t index = 0; index < survivor_counts[place]; index++)
            drop(survivors[place][index]);
        free(survivors[place]);
        survivors[place] = NULL;
        survivor_counts[place] = 0;
        if (phase >= PHASES)
            continue;
        size_t smallest = kinds[phase % 6].smallest, largest = kinds[phase % 6].largest, count = 0;
        for (size_t bytes = 0; bytes < LIVE; bytes += blocks[count++].bytes)
            blocks[count] = take(any_size(&random, smallest, largest));
        for (size_t turn = 0; turn < count; turn++) {
            Block *block = &blocks[below(&random, (uint32_t)count)];
            drop(*block);
            *block = take(any_size(&random, smallest, largest));
        }
        survivors[place] = malloc(count * sizeof(Block));
        check(survivors[place] != NULL, "no memory");
        for (size_t index = 0; index < count; index++) {
            if (below(&random, 8) == 0)
                survivors[place][survivor_counts[place]++] = blocks[index];
            else
                drop(blocks[index]);
        }
    }
    free(blocks);
}

/* Blocks on boundaries of 32 B to 16 KiB, a third of them each by posix_memalign, aligned_alloc and malloc, replaced at random. */
void aligned(void)
{
    enum { LIVE = 4000, REPLACEMENTS = 4000000 };
    static Block blocks[LIVE];
    Random random = { 3 };
    for (int turn = 0; turn < REPLACEMENTS; turn++) {
        Block *block = &blocks[below(&random, LIVE)];
        size_t boundary = (size_t)32 << __builtin_ctz(next(&random) >> 8 | 1u << 9);
        size_t bytes = boundary * (1 + below(&random, 4));
        void *address = NULL;
        drop(*block);
        switch (turn % 3) {
        case 0:
            check(posix_memalign(&address, boundary, bytes) == 0, "no aligned memory");
            break;
        case 1:
            address = aligned_alloc(boundary, bytes);
            break;
        default:
            address = malloc(bytes);
            boundary = 16;
        }
        check((uintptr_t)address % boundary == 0, "a block does not lie on its boundary");
        *block = use(address, bytes);
    }
    for (int index = 0; index < LIVE; index++)
        drop(blocks[index]);
}
