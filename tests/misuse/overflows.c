/* Accesses beyond the two ends of a block that is alive. */
#include "misuse.h"

#define WRITE(name, address, count) \
    static void name(void) \
    { \
        wrong_write(address, count); \
        release(victim); \
    }

WRITE(write_1_behind, victim + victim_bytes, 1)
WRITE(write_8_behind, victim + victim_bytes, 8)
WRITE(write_4096_behind, victim + victim_bytes, 4096)
WRITE(write_1_before, victim - 1, 1)
WRITE(write_8_before, victim - 8, 8)

static void write_behind_then_resize(void)
{
    wrong_write(victim + victim_bytes, 1);
    release(resize(victim, victim_bytes * 2));
}

/* The memory of a freed block, where the heap hands it out again. */
static void write_behind_recycled(void)
{
    release(victim);
    char *block = victim;
    for (int i = 0; i == 0 || (block != victim && i < shape->later_count); i++)
        block = allocate();
    wrong_write(block + shape->bytes, 1);
    release(block);
}

static void write_behind_grown(void)
{
    size_t bytes = victim_bytes * 3 / 2 + 1;
    char *block = resize(victim, bytes);
    wrong_write(block + bytes, 1);
    release(block);
}

/* The old end is the memory of nobody, of the block no more than of another. */
static void write_behind_shrunk(void)
{
    char *block = resize(victim, victim_bytes / 2);
    wrong_write(block + victim_bytes / 2, 1);
    release(block);
}

static void read_4096_behind(void) { wrong_read(victim + victim_bytes, 4096); }

static const struct idea ideas[] = {
    { "write of 1 byte behind a block", write_1_behind, ALL, BOTH, BEYOND_END },
    { "write of 8 bytes behind a block", write_8_behind, ALL, SAME, BEYOND_END },
    { "write of 4096 bytes behind a block", write_4096_behind, ALL & ~MAPPED, SAME, BEYOND_END },
    { "write of 4096 bytes behind a block", write_4096_behind, MAPPED, SAME, FAR_BEYOND_END },
    { "write of 1 byte behind a block that was another before", write_behind_recycled, ALL, BOTH, BEYOND_END },
    { "write of 1 byte behind a block that has grown", write_behind_grown, ALL, SAME, BEYOND_END },
    { "write of 1 byte before a block", write_1_before, ALL & ~MAPPED, BOTH, BEFORE_START },
    { "write of 1 byte before a block", write_1_before, MAPPED, SAME, BEFORE_MAPPING },
    { "write of 8 bytes before a block", write_8_before, ALL & ~MAPPED, SAME, BEFORE_START },
    { "write of 8 bytes before a block", write_8_before, MAPPED, SAME, BEFORE_MAPPING },
    { "write of 1 byte behind a block, then a resize", write_behind_then_resize, FEW, SAME, BEYOND_END },
    { "write of 1 byte behind a block that has shrunk", write_behind_shrunk, ALL, SAME, BEYOND_END },
    { "read of 4096 bytes behind a block", read_4096_behind, FEW, SAME, READ_BEHIND },
};
IDEAS(ideas)
