/* Addresses that never were blocks: inside of live ones, beside them, and outside of all heaps. The live block must stay as it is. */
#include "misuse.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* One function for each call and place: the table below is theirs. */
#define PLACE(place, address) \
    static void free_##place(void) { wrong_free((void *)(address)); } \
    static void resize_##place(void) { wrong_resize((void *)(address)); } \
    static void size_##place(void) { wrong_size((void *)(address)); }

static char *mapped(void)
{
    char *pages = mmap(NULL, 64 * KiB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return pages + 16 * KiB;
}

static char static_bytes[64] __attribute__((aligned(16)));
static char *stack(void)
{
    char *volatile local = __builtin_frame_address(0);
    return (char *)((uintptr_t)local & ~(uintptr_t)15);
}

PLACE(second_granule, victim + 16)
PLACE(second_byte, victim + 1)
PLACE(end, victim + victim_bytes)
PLACE(byte_before, victim - 1)
PLACE(granule_before, victim - 16)
PLACE(page_inside, ((uintptr_t)victim | 4095) + 1)
PLACE(stack, stack())
PLACE(static, static_bytes + 16)
PLACE(code, (uintptr_t)free_static & ~(uintptr_t)15)
PLACE(null_page, 0x10)
PLACE(unmapped, 0x123456789000)
PLACE(noncanonical, 0xFEDCBA9876543210)
PLACE(mapped, mapped())
PLACE(environment, ((uintptr_t)environ[0] | 15) + 1)
PLACE(misaligned_small, 7)

/* Addresses anywhere, half of them near the block. The seed is fixed: a failure can be seen again. */
enum { RANDOM_ADDRESSES = 20000 };

static char *random_address(unsigned long *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    unsigned long bits = *state ^ *state >> 29;
    char *address = bits >> 63 ? (char *)(bits & 0x7FFFFFFFFFFF) : victim + (long)(bits % (8 * MiB)) - 4 * MiB;
#if HEAP_FACE
    /* Every block of the heap is one of the scene. */
    address = (char *)((uintptr_t)address & ~(uintptr_t)15);
    return is_live_block(address) ? address + 16 : address;
#else
    /* Where blocks of the C library may lie, too: no block starts here. */
    return (char *)((uintptr_t)address | 8);
#endif
}

static void size_of_random(void)
{
    unsigned long state = 5;
    for (int i = 0; i < RANDOM_ADDRESSES; i++)
        wrong_size(random_address(&state));
}

static void free_of_random(void)
{
    unsigned long state = 6;
    for (int i = 0; i < RANDOM_ADDRESSES; i++)
        wrong_free(random_address(&state));
}

static void size_of_every_granule(void)
{
    for (size_t offset = 16; offset < victim_bytes; offset += 16)
        wrong_size(victim + offset);
}

#define EVERY_CALL(place, words, shapes_, sentence) \
    { "free of " words, free_##place, shapes_, SAME, WRONG_CALL(sentence) }, \
    { "resize of " words, resize_##place, shapes_, SAME, WRONG_CALL(sentence) }, \
    { "size of " words, size_##place, shapes_, SAME, WRONG_QUESTION(sentence) },

/* What lies before a block, or anywhere, is another block, memory that is free, or none. */
#define BEFORE "(points [0-9]+ bytes into a live block of|points into memory that|lies in no heap|was already freed)"

/* Where the size is a multiple of 16 and a guard page lies there, the end is that page. */
#define END "(points [0-9]+ bytes into a live block of|lies in no heap)"

static const struct idea ideas[] = {
    EVERY_CALL(second_granule, "an address 16 bytes into a block", ALL, INSIDE("16"))
    EVERY_CALL(second_byte, "an address 1 byte into a block", ALL, INSIDE("1"))
    { "free of the end of a block", free_end, ALL, SAME, WRONG_CALL(END) },
    { "free of the byte before a block", free_byte_before, ALL, SAME, WRONG_CALL(BEFORE) },
    { "free of the granule before a block", free_granule_before, ALL, BOTH, WRONG_CALL(BEFORE) },
    { "size of the granule before a block", size_granule_before, FEW, SAME, WRONG_QUESTION(BEFORE) },
    EVERY_CALL(page_inside, "a page inside of a block", LARGE | HUGE, INSIDE("[0-9]+"))
    EVERY_CALL(stack, "an address of the stack", ONLY, NEVER_HERE)
    EVERY_CALL(static, "an address of static memory", ONLY, NEVER_HERE)
    EVERY_CALL(code, "an address of code", ONLY, NEVER_HERE)
    EVERY_CALL(null_page, "an address of the first page", ONLY, NEVER_HERE)
    EVERY_CALL(unmapped, "an unmapped address", ONLY, NEVER_HERE)
    EVERY_CALL(noncanonical, "an address that cannot be", ONLY, NEVER_HERE)
    EVERY_CALL(mapped, "the program's own mapping", ONLY, NEVER_HERE)
    EVERY_CALL(environment, "an address of the environment", ONLY, NEVER_HERE)
    EVERY_CALL(misaligned_small, "the number 7", ONLY, NEVER_HERE)
    { "size of every granule inside of a block", size_of_every_granule, ALL, SAME, WRONG_QUESTION(INSIDE("16")) },
    { "size of 20,000 random addresses", size_of_random, ONLY, SAME, WRONG_QUESTION(BEFORE) },
    { "free of 20,000 random addresses", free_of_random, ONLY, SAME, WRONG_CALL(BEFORE) },
};
IDEAS(ideas)
