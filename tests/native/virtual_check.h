/* What the programs about virtual memory share. */
#ifndef VIRTUAL_CHECK_H
#define VIRTUAL_CHECK_H

#include "heap_check.h"
#include <fcntl.h>

enum { PAGE = 4096, GRANULARITY = 65536 };

/* Whether a byte can be read or written, without a signal when it cannot. */
static inline int can_read(const volatile void *address)
{
    int ends[2], can;
    if (pipe(ends) != 0)
        abort();
    can = write(ends[1], (const void *)address, 1) == 1;
    close(ends[0]);
    close(ends[1]);
    return can;
}

/* The byte keeps its value. */
static inline int can_write(volatile void *address)
{
    int ends[2], can;
    char byte = can_read(address) ? *(volatile char *)address : 0;
    if (pipe(ends) != 0 || write(ends[1], &byte, 1) != 1)
        abort();
    can = read(ends[0], (void *)address, 1) == 1;
    close(ends[0]);
    close(ends[1]);
    return can;
}

static inline MEMORY_BASIC_INFORMATION query(const volatile void *address)
{
    MEMORY_BASIC_INFORMATION information;
    memset(&information, 0x55, sizeof information);
    CHECK_ERROR(UNTOUCHED, VirtualQuery((const void *)address, &information, sizeof information) == sizeof information);
    CHECK((char *)information.BaseAddress == (char *)((uintptr_t)address / PAGE * PAGE));
    CHECK(information.RegionSize > 0 && information.RegionSize % PAGE == 0);
    return information;
}

/* The pages from address on, in a reservation that VirtualAlloc made. protection: 0 for pages that are only reserved. */
static inline void check_region(const char *address, const char *reservation, DWORD initial, SIZE_T bytes, DWORD protection)
{
    MEMORY_BASIC_INFORMATION information = query(address);
    CHECK(information.AllocationBase == reservation);
    CHECK_EQUAL(initial, information.AllocationProtect);
    CHECK_EQUAL(bytes, information.RegionSize);
    CHECK_EQUAL(protection == 0 ? MEM_RESERVE : MEM_COMMIT, information.State);
    CHECK_EQUAL(protection, information.Protect);
    CHECK_EQUAL(MEM_PRIVATE, information.Type);
}

static inline void check_free(const char *address)
{
    MEMORY_BASIC_INFORMATION information = query(address);
    CHECK(information.AllocationBase == NULL);
    CHECK_EQUAL(MEM_FREE, information.State);
    CHECK_EQUAL(PAGE_NOACCESS, information.Protect);
    CHECK_EQUAL(0, information.AllocationProtect);
    CHECK_EQUAL(0, information.Type);
}

static inline char *must_alloc(SIZE_T bytes, DWORD type, DWORD protection)
{
    char *start;
    CHECK_ERROR(UNTOUCHED, (start = VirtualAlloc(NULL, bytes, type, protection)) != NULL);
    CHECK_EQUAL(0, (uintptr_t)start % GRANULARITY);
    return start;
}

static inline void must_release(void *start)
{
    CHECK_ERROR(UNTOUCHED, VirtualFree(start, 0, MEM_RELEASE));
}

/* An address where nothing is, with room for a window around it. */
static inline char *free_address(void)
{
    char *start = must_alloc(64 * MiB, MEM_RESERVE, PAGE_NOACCESS);
    must_release(start);
    return start;
}

/* Addresses that are in no reservation. */
enum { WILD_ADDRESSES = 8 };
static inline void *wild_address(int i)
{
    static char data[64];
    switch (i) {
        case 0: return NULL;
        case 1: return (void *)0x10000;
        case 2: return (void *)(uintptr_t)0x00007FFFFFFFE000;
        case 3: return (void *)(uintptr_t)0x0000800000000000;
        case 4: return (void *)(uintptr_t)0x8765432100000000;
        case 5: return (void *)(uintptr_t)0xFFFFFFFFFFFFF000;
        case 6: return data;
        default: return free_address();
    }
}

/* How many mappings a process may have. */
static inline long mapping_limit(void)
{
    long limit = 65530;
    FILE *file = fopen("/proc/sys/vm/max_map_count", "r");
    if (file != NULL) {
        if (fscanf(file, "%ld", &limit) != 1)
            limit = 65530;
        fclose(file);
    }
    return limit;
}

#endif
