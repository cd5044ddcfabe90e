/* Accesses to a block that is freed. Whether memory is still there afterwards is nobody's promise: a fault at the access is right everywhere. */
#include "misuse.h"

static void write_first_byte(void)
{
    release(victim);
    wrong_write(victim, 1);
}

/* Where an allocator that links its free blocks through their own memory keeps the link. */
static void write_16_bytes(void)
{
    release(victim);
    wrong_write(victim, 16);
}

static void write_last_byte(void)
{
    release(victim);
    wrong_write(victim + victim_bytes - 1, 1);
}

static void release_block(void *block) { release(block); }

static void write_after_others_free(void)
{
    on_other_thread(release_block, victim);
    wrong_write(victim, 8);
}

/* Through a pointer that was not changed when the block moved. */
static void write_after_move(void)
{
    char *block = victim;
    for (size_t bytes = victim_bytes * 4; block == victim && bytes < (size_t)256 * MiB; bytes *= 2) {
        allocate();
        block = resize(victim, bytes);
    }
    wrong_write(victim, 8);
}

static void read_first_bytes(void)
{
    release(victim);
    wrong_read(victim, 8);
}

static const struct idea ideas[] = {
    { "write to the first byte of a freed block", write_first_byte, ALL, BOTH, WRITTEN_WHILE_FREE },
    { "write to 16 bytes of a freed block", write_16_bytes, ALL, SAME, WRITTEN_WHILE_FREE },
    { "write to the last byte of a freed block", write_last_byte, ALL, SAME, WRITTEN_WHILE_FREE },
    { "write to a block that another thread freed", write_after_others_free, ALL, SAME, WRITTEN_WHILE_FREE },
    { "write to where a block was before it moved", write_after_move, ALL & ~MAPPED, SAME, WRITTEN_WHILE_FREE },
    { "write to where a block was before it moved", write_after_move, MAPPED, SAME, WRITTEN_WHERE_IT_WAS },
    { "read of a freed block", read_first_bytes, FEW, SAME, READ_WHILE_FREE },
};
IDEAS(ideas)
