/* A program that links libprivateheaps.so and runs with libprivateheaps-malloc.so preloaded: both faces must be one engine. */
#include "heap_check.h"
#include <malloc.h>

TEST("malloc allocates from the heap that GetProcessHeap names")
{
    void *block = malloc(345);
    CHECK_EQUAL(345, HeapSize(GetProcessHeap(), 0, block));
    CHECK(HeapValidate(GetProcessHeap(), 0, block));
    CHECK(HeapFree(GetProcessHeap(), 0, block));
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !HeapFree(GetProcessHeap(), 0, block));
}

TEST("free takes blocks of HeapAlloc on the process heap")
{
    void *block = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, 678);
    CHECK_EQUAL(678, malloc_usable_size(block));
    block = realloc(block, 800);
    CHECK_EQUAL(800, HeapSize(GetProcessHeap(), 0, block));
    free(block);
    CHECK(HeapValidate(GetProcessHeap(), 0, NULL));
}

TEST("private heaps are apart from malloc")
{
    HANDLE heap = new_heap();
    void *block = HeapAlloc(heap, 0, 100), *other = malloc(100);
    CHECK_EQUAL(0, malloc_usable_size(block));
    CHECK(!HeapFree(heap, 0, other));
    free(other);
    CHECK(HeapDestroy(heap));
}
