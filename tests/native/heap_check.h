/* What the conformance programs share: last errors, bad handles and bad addresses. */
#ifndef HEAP_CHECK_H
#define HEAP_CHECK_H

#include "check.h"
#include <windows.h>

enum { UNTOUCHED = 0xBEEF, KiB = 1024, MiB = 1024 * 1024 };

/* The expression holds, and leaves this last error where UNTOUCHED was before. */
#define CHECK_ERROR(code, expression) \
    do { \
        SetLastError(UNTOUCHED); \
        CHECK(expression); \
        CHECK_EQUAL(code, GetLastError()); \
    } while (0)

#define FAILED ((SIZE_T)-1)

static inline HANDLE new_heap(void)
{
    HANDLE heap = HeapCreate(0, 0, 0);
    CHECK(heap != NULL);
    return heap;
}

/* Handles of no heap: invented, an address, and one of a heap that is gone. */
enum { BAD_HANDLES = 5 };
static inline HANDLE bad_handle(int i)
{
    static char memory[64];
    switch (i) {
        case 0: return INVALID_HANDLE_VALUE;
        case 1: return (HANDLE)0x1234;
        case 2: return memory;
        case 3: return (HANDLE)(uintptr_t)0x7FFFFFFFFFFF0000;
        default: {
            HANDLE heap = HeapCreate(0, 0, 0);
            HeapDestroy(heap);
            return heap;
        }
    }
}

/* Addresses that are no block of the heap. The heap keeps one live block, which must stay as it is. */
enum { BAD_ADDRESSES = 14 };
static char *bad_address_neighbor;
static HANDLE bad_address_other_heap;
static inline void *bad_address(HANDLE heap, int i)
{
    static char memory[64];
    static char *large;
    char local[64];
    if (bad_address_other_heap == NULL)
        bad_address_other_heap = HeapCreate(0, 0, 0);
    if (i == 0) {
        bad_address_neighbor = (char *)HeapAlloc(heap, 0, 200);
        memset(bad_address_neighbor, 'n', 200);
        large = (char *)HeapAlloc(heap, 0, 300 * KiB);
    }
    switch (i) {
        case 0: { void *block = HeapAlloc(heap, 0, 40); HeapFree(heap, 0, block); return block; }
        case 1: { void *block = HeapAlloc(heap, 0, 400 * KiB); HeapFree(heap, 0, block); return block; }
        case 2: return bad_address_neighbor + 16;
        case 3: return bad_address_neighbor + 1;
        case 4: return bad_address_neighbor - 16;
        case 5: return large + 4096;
        case 6: return large + 8;
        case 7: return HeapAlloc(bad_address_other_heap, 0, 40);
        case 8: return HeapAlloc(bad_address_other_heap, 0, 400 * KiB);
        case 9: { char *volatile address = local; return address; }
        case 10: return memory + (16 - (uintptr_t)memory % 16);
        case 11: return (void *)0x123456789000;
        case 12: return (void *)1;
        default: return (void *)(uintptr_t)0xFFFFFFFFFFFFFFF0;
    }
}

static inline void check_neighbor(HANDLE heap)
{
    CHECK_EQUAL(200, HeapSize(heap, 0, bad_address_neighbor));
    CHECK(all_bytes(bad_address_neighbor, 200, 'n'));
    CHECK(HeapValidate(heap, 0, NULL));
    CHECK(HeapValidate(bad_address_other_heap, 0, NULL));
}

#endif
