/* The paths of the heap library. */
#include "paths.h"
#include <windows.h>

static HANDLE heap;

static void tight(void)
{
    for (int call = 0; call < CALLS; call++)
        HeapFree(heap, 0, sure(HeapAlloc(heap, 0, 64)));
}

static void counted_tight(HANDLE of)
{
    heap = sure(of);
    tight();
    COUNTED tight();
}

PATH("process heap, tight 64 B") { counted_tight(GetProcessHeap()); }
PATH("private heap, tight 64 B") { counted_tight(HeapCreate(0, 0, 0)); }
PATH("unserialized heap, tight 64 B") { counted_tight(HeapCreate(HEAP_NO_SERIALIZE, 0, 0)); }
PATH("bounded heap, tight 64 B") { counted_tight(HeapCreate(0, 0, 1 << 20)); }

static void fill(void)
{
    for (int index = 0; index < BATCH; index++)
        blocks[index] = sure(HeapAlloc(heap, 0, 64));
}

static void clear(void)
{
    for (int index = 0; index < BATCH; index++)
        HeapFree(heap, 0, blocks[order[index]]);
}

PATH("private heap, batch in random order 64 B")
{
    heap = sure(HeapCreate(0, 0, 0));
    fill();
    clear();
    COUNTED {
        fill();
        clear();
    }
}

PATH("private heap, zeroed 64 B")
{
    heap = sure(HeapCreate(0, 0, 0));
    tight();
    COUNTED for (int call = 0; call < CALLS; call++)
        HeapFree(heap, 0, sure(HeapAlloc(heap, HEAP_ZERO_MEMORY, 64)));
}

PATH("private heap, size 64 B")
{
    heap = sure(HeapCreate(0, 0, 0));
    fill();
    COUNTED for (int index = 0; index < BATCH; index++)
        if (HeapSize(heap, 0, blocks[order[index]]) != 64)
            abort();
}

PATH("private heap, is a block 64 B")
{
    heap = sure(HeapCreate(0, 0, 0));
    fill();
    COUNTED for (int index = 0; index < BATCH; index++)
        if (!HeapValidate(heap, 0, blocks[order[index]]))
            abort();
}

PATH("private heap, in place 97 to 112 B")
{
    heap = sure(HeapCreate(0, 0, 0));
    tight();
    void *block = sure(HeapAlloc(heap, 0, 97));
    COUNTED for (int call = 0; call < CALLS; call++)
        sure(HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, block, 97 + call % 16));
}

PATH("private heap, walk")
{
    heap = sure(HeapCreate(0, 0, 0));
    fill();
    PROCESS_HEAP_ENTRY entry = { 0 };
    HeapLock(heap);
    COUNTED while (HeapWalk(heap, &entry))
        continue;
    HeapUnlock(heap);
}

static void live(int count)
{
    for (int call = 0; call < count; call++) {
        heap = sure(HeapCreate(0, 0, 0));
        sure(HeapAlloc(heap, 0, 64));
        HeapDestroy(heap);
    }
}

PATH("heap of one block 64 B")
{
    live(100);
    COUNTED live(1000);
}

PATH("heap of 10,000 blocks 64 B")
{
    live(1);
    COUNTED for (int turn = 0; turn < 5; turn++) {
        heap = sure(HeapCreate(0, 0, 0));
        fill();
        HeapDestroy(heap);
    }
}

PATH("private heap, handed to another thread 64 B")
{
    heap = sure(HeapCreate(0, 0, 0));
    hand_over(fill, clear);
}
