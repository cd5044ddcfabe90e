/* Sizes that no memory can have: refused by every function, and nothing changes. */
#include "heap_check.h"

static const SIZE_T impossible[] = {
    SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 7, SIZE_MAX - 15, SIZE_MAX - 16, SIZE_MAX - 24, SIZE_MAX - 4094, SIZE_MAX - 4095, SIZE_MAX - 4096, SIZE_MAX - 65535, SIZE_MAX - 65536,
    (SIZE_T)1 << 63, ((SIZE_T)1 << 63) - 1, ((SIZE_T)1 << 63) + 1, (SIZE_T)1 << 62, (SIZE_T)1 << 48, (SIZE_T)1 << 47, ((SIZE_T)1 << 44) + 1, ((SIZE_T)1 << 42) + 1,
};
static const SIZE_T kinds[] = { 0, 1, 24, 1000, 5000, 40 * KiB, 300 * KiB, 2 * MiB };
enum { IMPOSSIBLE = sizeof impossible / sizeof *impossible, KINDS = sizeof kinds / sizeof *kinds };

static void check_heap(HANDLE heap, SIZE_T largest)
{
    for (int kind = 0; kind < KINDS && kinds[kind] <= largest; kind++) {
        SIZE_T bytes = kinds[kind];
        char *block = HeapAlloc(heap, 0, bytes);
        CHECK(block != NULL);
        memset(block, 0x3D, bytes);
        for (int i = 0; i < IMPOSSIBLE; i++) {
            CHECK_ERROR(UNTOUCHED, HeapAlloc(heap, 0, impossible[i]) == NULL);
            CHECK_ERROR(UNTOUCHED, HeapAlloc(heap, HEAP_ZERO_MEMORY, impossible[i]) == NULL);
            CHECK(HeapReAlloc(heap, 0, block, impossible[i]) == NULL);
            CHECK(HeapReAlloc(heap, HEAP_ZERO_MEMORY, block, impossible[i]) == NULL);
            CHECK(HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, block, impossible[i]) == NULL);
            CHECK_EQUAL(bytes, HeapSize(heap, 0, block));
        }
        CHECK(all_bytes(block, bytes, 0x3D));
        CHECK(HeapValidate(heap, 0, NULL));
        CHECK(HeapFree(heap, 0, block));
    }
}

TEST("no heap serves a size that no memory can have, and every block is as it was")
{
    check_heap(GetProcessHeap(), SIZE_MAX);
    for (int kind = 0; kind < 5; kind++) {
        HANDLE heap = HeapCreate(kind == 3 ? HEAP_NO_SERIALIZE : kind == 4 ? HEAP_CREATE_ENABLE_EXECUTE : 0, 0, kind == 1 ? 4 * MiB : kind == 2 ? 64 * MiB : 0);
        CHECK(heap != NULL);
        check_heap(heap, kind == 1 || kind == 2 ? 300 * KiB : SIZE_MAX);
        CHECK(HeapDestroy(heap));
    }
}

TEST("no heap can be made with a size that no memory can have")
{
    for (int i = 0; i < IMPOSSIBLE; i++) {
        CHECK(HeapCreate(0, impossible[i], 0) == NULL);
        CHECK(HeapCreate(0, 0, impossible[i]) == NULL);
        CHECK(HeapCreate(0, impossible[i], impossible[i]) == NULL);
    }
}

TEST("no handle and no reservation serves a size that no memory can have")
{
    HGLOBAL handle = GlobalAlloc(GMEM_MOVEABLE, 1000);
    for (int i = 0; i < IMPOSSIBLE; i++) {
        CHECK(GlobalAlloc(GMEM_FIXED, impossible[i]) == NULL);
        CHECK(GlobalAlloc(GMEM_MOVEABLE | GMEM_ZEROINIT, impossible[i]) == NULL);
        CHECK(GlobalReAlloc(handle, impossible[i], GMEM_MOVEABLE) == NULL);
        CHECK_EQUAL(1000, GlobalSize(handle));
        if (impossible[i] >> 47 != 0) {
            CHECK(VirtualAlloc(NULL, impossible[i], MEM_RESERVE, PAGE_NOACCESS) == NULL);
            CHECK(VirtualAlloc(NULL, impossible[i], MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE) == NULL);
        }
    }
    CHECK(GlobalFree(handle) == NULL);
}
