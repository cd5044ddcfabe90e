/* The model: the live blocks, found by their address. */
#include "decide.h"

enum { CHAINS = 4096, PROBE = 4 * KiB, WHOLE = 64 * KiB };

struct heap heaps[HEAPS];
struct block blocks[BLOCKS];
int live[BLOCKS], live_count;
SIZE_T live_bytes;
struct dead_block dead[DEAD];
int dead_count;
static int chains[CHAINS];
static int empty[BLOCKS], empty_count;

static int *chain_of(const void *address) { return &chains[(uintptr_t)address * 0x9E3779B97F4A7C15 >> 52]; }

void make_model(void)
{
    memset(chains, -1, sizeof chains);
    for (int i = 0; i < BLOCKS; i++)
        empty[empty_count++] = BLOCKS - 1 - i;
    heaps[PROCESS].handle = GetProcessHeap();
}

int block_at(const void *address)
{
    int index = *chain_of(address);
    while (index >= 0 && blocks[index].address != address)
        index = blocks[index].next;
    return index;
}

int block_around(const void *address)
{
    for (int i = 0; i < live_count; i++)
        if ((uintptr_t)address - (uintptr_t)blocks[live[i]].address < blocks[live[i]].bytes)
            return live[i];
    return -1;
}

/* A large block is filled at its begin, its middle and its end. */
static SIZE_T probe(SIZE_T bytes, int number, SIZE_T *count)
{
    *count = bytes <= WHOLE ? number == 0 ? bytes : 0 : PROBE;
    return number == 0 ? 0 : number == 1 ? bytes / 2 : bytes - PROBE;
}

static int all_bytes(const unsigned char *bytes, SIZE_T count, unsigned char value)
{
    return count == 0 || (bytes[0] == value && memcmp(bytes, bytes + 1, count - 1) == 0);
}

void fill_block(int index)
{
    struct block *block = &blocks[index];
    block->fill = (unsigned char)random_bits();
    for (int number = 0; number < 3; number++) {
        SIZE_T count, from = probe(block->bytes, number, &count);
        memset(block->address + from, block->fill, count);
    }
}

void check_block(int index)
{
    const struct block *block = &blocks[index];
    for (int number = 0; number < 3; number++) {
        SIZE_T count, from = probe(block->bytes, number, &count);
        MUST(all_bytes(block->address + from, count, block->fill));
    }
}

void check_kept(const unsigned char *address, SIZE_T kept, const struct block *before)
{
    MUST(all_bytes(address, before->bytes <= WHOLE || kept < PROBE ? kept : PROBE, before->fill));
}

void check_zero(const unsigned char *block, SIZE_T from, SIZE_T to)
{
    if (to - from <= WHOLE)
        MUST(all_bytes(block + from, to - from, 0));
    else
        MUST(all_bytes(block + from, PROBE, 0) && all_bytes(block + from + (to - from) / 2, PROBE, 0) && all_bytes(block + to - PROBE, PROBE, 0));
}

int add_block(int heap, void *address, SIZE_T bytes)
{
    unsigned char *begin = address;
    MUST((uintptr_t)address % MEMORY_ALLOCATION_ALIGNMENT == 0);
    MUST(block_at(address) < 0);
    for (int i = 0; i < live_count; i++) {
        const struct block *other = &blocks[live[i]];
        MUST(begin + bytes <= other->address || begin >= other->address + other->bytes);
    }
    int index = empty[--empty_count], *chain = chain_of(address);
    blocks[index] = (struct block){ .heap = heap, .address = address, .bytes = bytes, .next = *chain, .place = live_count };
    *chain = index;
    live[live_count++] = index;
    live_bytes += bytes;
    fill_block(index);
    return index;
}

void remove_block(int index)
{
    struct block *block = &blocks[index];
    int *link = chain_of(block->address);
    while (*link != index)
        link = &blocks[*link].next;
    *link = block->next;
    live[block->place] = live[--live_count];
    blocks[live[block->place]].place = block->place;
    live_bytes -= block->bytes;
    empty[empty_count++] = index;
    int place = dead_count < DEAD ? dead_count++ : (int)below(DEAD);
    dead[place] = (struct dead_block){ block->address, block->bytes, block->heap };
}

void forget_dead_of_process(void)
{
    int kept = 0;
    for (int i = 0; i < dead_count; i++)
        if (dead[i].heap != PROCESS)
            dead[kept++] = dead[i];
    dead_count = kept;
}

void forget_heap(int heap)
{
    for (int i = live_count - 1; i >= 0; i--)
        if (blocks[live[i]].heap == heap)
            remove_block(live[i]);
    heaps[heap].last = heaps[heap].handle;
    heaps[heap].handle = NULL;
}

void check_heap(int heap)
{
    int expected = 0, busy = 0;
    SIZE_T bytes = 0;
    for (int i = 0; i < live_count; i++)
        if (blocks[live[i]].heap == heap) {
            check_block(live[i]);
            expected++;
            bytes += blocks[live[i]].bytes;
        }
    calling("HeapValidate", heap, NULL, 0);
    MUST(HeapValidate(heaps[heap].handle, 0, NULL));
    if (heap == PROCESS)
        return;
    calling("HeapWalk", heap, NULL, 0);
    PROCESS_HEAP_ENTRY entry = { .lpData = NULL };
    while (HeapWalk(heaps[heap].handle, &entry))
        if ((entry.wFlags & PROCESS_HEAP_ENTRY_BUSY) != 0) {
            int index = block_at(entry.lpData);
            MUST(index >= 0 && blocks[index].heap == heap && (DWORD)blocks[index].bytes == entry.cbData);
            busy++;
        }
    MUST(GetLastError() == ERROR_NO_MORE_ITEMS);
    MUST(busy == expected);
    calling("HeapSummary", heap, NULL, 0);
    HEAP_SUMMARY summary = { .cb = sizeof summary };
    MUST(HeapSummary(heaps[heap].handle, 0, &summary) && summary.cbAllocated == bytes);
}
