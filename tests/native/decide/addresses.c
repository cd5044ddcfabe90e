/* Addresses: those that look like blocks and are none, most of all. The model says which is one. */
#include "decide.h"

#include <fcntl.h>
#include <sys/mman.h>

static char static_memory[256];

static char *mapped(int protection)
{
    static char *memory[2];
    char **place = &memory[protection != PROT_NONE];
    if (*place == NULL)
        *place = mmap(NULL, 16 * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return *place;
}

/* Where an own heap has something, by a walk: regions, free and uncommitted ranges too. */
static void *place_of_walk(void)
{
    int heap = 1 + (int)below(HEAPS - 1);
    PROCESS_HEAP_ENTRY entry = { .lpData = NULL };
    unsigned steps = below(40);
    void *address = static_memory;
    if (heaps[heap].handle == NULL)
        return address;
    while (steps-- > 0 && HeapWalk(heaps[heap].handle, &entry))
        address = entry.lpData;
    return address != NULL ? address : static_memory;
}

/* A place in any mapping of the process: the engine's own structures, regions of heaps that are no more, kept mappings, libraries, stacks. */
static char *mapped_place(void)
{
    static char text[64 * KiB];
    static struct { uintptr_t begin, end; } ranges[600];
    static int count, uses;
    if (uses++ % 3000 == 0) {
        /* Not by stdio, which would allocate. */
        int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
        size_t length = 0;
        ssize_t got;
        while (length < sizeof text - 1 && (got = read(file, text + length, sizeof text - 1 - length)) > 0)
            length += (size_t)got;
        close(file);
        text[length] = 0;
        count = 0;
        for (char *line = text; count < 600 && line != NULL && *line != 0; line = strchr(line, '\n') != NULL ? strchr(line, '\n') + 1 : NULL) {
            char *dash;
            ranges[count].begin = strtoull(line, &dash, 16);
            ranges[count].end = strtoull(dash + 1, NULL, 16);
            count += *dash == '-' && ranges[count].end > ranges[count].begin;
        }
    }
    if (count == 0)
        return static_memory;
    int range = (int)below((unsigned)count);
    uintptr_t granules = (ranges[range].end - ranges[range].begin) / 16;
    return (char *)(ranges[range].begin + random_bits() % granules * 16);
}

void *any_address(int *is_certain)
{
    const struct block *block = live_count != 0 ? &blocks[live[below((unsigned)live_count)]] : NULL;
    char local[64];
    char *volatile address;
    *is_certain = 1;
    switch (below(18)) {
        case 0: address = local + below(64); break;
        case 1: address = static_memory + below(256); break;
        case 2: address = mapped(PROT_NONE) + below(16 * PAGE); break;
        case 3: address = mapped(PROT_READ | PROT_WRITE) + below(16) * PAGE; break;
        case 4: address = (char *)(uintptr_t)(1 + below(65535)); break;
        case 5: address = (char *)(uintptr_t)(once_in(2) ? 0xFFFF800000000000 | random_bits() >> 17 : random_bits() | (uintptr_t)1 << 63 | 1); break;
        case 6: address = (char *)((uintptr_t)&any_address & ~(uintptr_t)15); break;
        case 7: case 8: /* freed: start or, less often, somewhere in it */
            if (dead_count != 0) {
                const struct dead_block *was = &dead[below((unsigned)dead_count)];
                SIZE_T offset = once_in(3) && was->bytes > 16 ? random_bits() % was->bytes : 0;
                *is_certain = offset == 0 || was->heap != PROCESS;
                address = (char *)was->address + offset;
                break;
            }
            /* fall through */
        case 9: address = place_of_walk(); break;
        case 10: case 11:
            address = mapped_place();
            *is_certain = 0;
            break;
        default:
            if (block == NULL) {
                address = static_memory;
                break;
            }
            address = (char *)block->address;
            switch (below(8)) {
                case 0: break;
                case 1: address += block->bytes > 1 ? 1 + random_bits() % (block->bytes - 1) : 1; break;
                case 2: address += block->bytes > 16 ? (1 + random_bits() % ((block->bytes - 1) / 16)) * 16 : 8; break;
                case 3: address += (block->bytes + 15) / 16 * 16; break;                          /* right behind */
                case 4: address += ((int)below(9) - 4) * ONE_OF(int, 1, 8, 16, 64, PAGE); break;      /* about */
                case 5: address = (char *)((uintptr_t)address & ~(uintptr_t)(PAGE - 1)); break; /* its page */
                case 6: address = (char *)((uintptr_t)address ^ (uintptr_t)1 << below(64)); break;
                default: address += (intptr_t)(random_bits() % (2 * MiB)) - MiB; break;
            }
            *is_certain = block->heap != PROCESS || (uintptr_t)address % 16 != 0 || block_around(address) >= 0;
            if (!*is_certain && block_at(address) >= 0)
                *is_certain = 1;
    }
    return address != NULL ? address : static_memory;
}
