/* A heap with a maximum is how a program stays below a limit under which the system would end it. */
#include "heap_check.h"

enum { HEAP_MiB = 48 };

TEST("a heap with a maximum refuses instead, whatever the process may have")
{
    static void *blocks[100000];
    HANDLE heap = HeapCreate(0, 0, HEAP_MiB * MiB);
    CHECK(heap != NULL);
    for (int round = 0; round < 3; round++) {
        size_t bytes = 0;
        int count = 0;
        for (; count < 100000; count++) {
            size_t size = 100 + (size_t)count * 7919 % 20000;
            if ((blocks[count] = HeapAlloc(heap, 0, size)) == NULL)
                break;
            memset(blocks[count], count, size);
            bytes += size;
        }
        CHECK(count < 100000 && bytes > (size_t)HEAP_MiB * MiB / 2 && bytes < (size_t)HEAP_MiB * MiB);

        /* Every further call meets the maximum. */
        for (int i = 0; i < 100; i++) {
            CHECK(HeapAlloc(heap, 0, 30000 + (size_t)i) == NULL);
            CHECK(HeapReAlloc(heap, 0, blocks[i], 200000) == NULL);
            CHECK(HeapValidate(heap, 0, blocks[i]));
        }
        CHECK(HeapValidate(heap, 0, NULL));
        for (int i = 0; i < count; i++) {
            CHECK(all_bytes(blocks[i], 100, (unsigned char)i));
            CHECK(HeapFree(heap, 0, blocks[i]));
        }
    }
    CHECK(HeapDestroy(heap));
}
