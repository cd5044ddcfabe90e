/* Shapes in which blocks grow, come zeroed or are large. */
#include "shapes.h"

/* Resizes a block whose first word must stay, and writes the pages that it has got. */
static Block grow(Block block, size_t bytes)
{
    char *address = realloc(block.address, bytes);
    check(address != NULL, "no memory");
    check(*(volatile uint64_t *)address == tag(block.bytes), "a block has lost its first word by realloc");
    for (size_t at = (block.bytes + PAGE - 1) & -(size_t)PAGE; at < bytes; at += PAGE)
        ((volatile char *)address)[at] = 1;
    *(volatile uint64_t *)address = tag(bytes);
    return (Block) { address, bytes };
}

/* Many strings that grow by a few bytes, a few lists that grow by a half, and one buffer that grows by 4 MiB up to 256 MiB. */
void realloc_steps(void)
{
    enum { STRINGS = 64, TURNS = 60, LISTS = 8 };
    Block blocks[STRINGS];
    Random random = { 5 };
    for (int turn = 0; turn < TURNS; turn++) {
        for (int index = 0; index < STRINGS; index++)
            blocks[index] = take(16);
        for (int step = 0; step < STRINGS * 300; step++) {
            Block *block = &blocks[below(&random, STRINGS)];
            *block = grow(*block, block->bytes + 16);
        }
        for (int index = 0; index < STRINGS; index++)
            drop(blocks[index]);
    }
    for (int turn = 0; turn < TURNS; turn++) {
        for (int index = 0; index < LISTS; index++)
            blocks[index] = take(64);
        while (blocks[0].bytes < MIB)
            for (int index = 0; index < LISTS; index++)
                blocks[index] = grow(blocks[index], blocks[index].bytes * 3 / 2);
        for (int index = 0; index < LISTS; index++)
            drop(blocks[index]);
    }
    Block buffer = take(4 * MIB);
    while (buffer.bytes < 256 * MIB)
        buffer = grow(buffer, buffer.bytes + 4 * MIB);
    drop(buffer);
}

/* One buffer that doubles from 16 B to 1 GiB; then smaller ones that do. */
void realloc_doubling(void)
{
    for (size_t largest = 1024 * (size_t)MIB; largest >= 16 * MIB; largest /= 4)
        for (size_t turn = 0; turn < 1024 * (size_t)MIB / largest / 4 + 1; turn++) {
            Block block = take(16);
            while (block.bytes < largest)
                block = grow(block, block.bytes * 2);
            drop(block);
        }
}

/* 96 MiB of every size from 16 B to 16 MiB, up to sixteen blocks alive; a word of each cache line is read and must be zero, and is then written. */
void calloc_all(void)
{
    enum { VOLUME = 96 * MIB, LIVE = 16 };
    Block ring[LIVE] = { { NULL, 0 } };
    for (size_t bytes = 16; bytes <= 16 * MIB; bytes *= 2)
        for (size_t turn = 0; turn < VOLUME / bytes && turn < 1000000; turn++) {
            char *address = calloc(bytes / 16, 16);
            check(address != NULL, "no memory");
            uint64_t sum = 0;
            for (size_t at = 0; at < bytes; at += 64) {
                sum |= *(volatile uint64_t *)(address + at);
                *(volatile uint64_t *)(address + at) = turn;
            }
            check(sum == 0, "a block of calloc is not zero");
            drop(ring[turn % LIVE]);
            ring[turn % LIVE] = use(address, bytes);
        }
    for (int index = 0; index < LIVE; index++)
        drop(ring[index]);
}

/* Blocks of 100 KiB to 32 MiB that come and go; only the first and the last page of each are written. */
void large(void)
{
    enum { LIVE = 20, REPLACEMENTS = 150000 };
    static Block blocks[LIVE];
    Random random = { 11 };
    for (int turn = 0; turn < REPLACEMENTS; turn++) {
        Block *block = &blocks[below(&random, LIVE)];
        size_t bytes = any_size(&random, 100 * KIB, 32 * MIB);
        drop(*block);
        *block = (Block) { malloc(bytes), bytes };
        check(block->address != NULL, "no memory");
        ((volatile char *)block->address)[bytes - 1] = 1;
        *(volatile uint64_t *)block->address = tag(bytes);
    }
    for (int index = 0; index < LIVE; index++)
        drop(blocks[index]);
}

/* Blocks of 5 to 25 MiB that come and go, every page of them written. */
void large_filled(void)
{
    enum { LIVE = 10, REPLACEMENTS = 300 };
    static Block blocks[LIVE];
    Random random = { 13 };
    for (int turn = 0; turn < REPLACEMENTS; turn++) {
        Block *block = &blocks[below(&random, LIVE)];
        drop(*block);
        *block = take(5 * MIB + below(&random, 20 * MIB));
    }
    for (int index = 0; index < LIVE; index++)
        drop(blocks[index]);
}
