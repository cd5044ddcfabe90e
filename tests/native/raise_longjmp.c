/* Raising heaps and calls in C: the handler leaves by longjmp; without one the process aborts with one line. */
#include "heap_check.h"
#include <setjmp.h>
#include <signal.h>

static struct raised { jmp_buf target; int count; DWORD code; HANDLE heap; SIZE_T bytes; } raised;

static void leave(DWORD code, HANDLE heap, SIZE_T bytes, void *context)
{
    struct raised *to = context;
    to->count++;
    to->code = code;
    to->heap = heap;
    to->bytes = bytes;
    longjmp(to->target, 1);
}

static void come_back(DWORD code, HANDLE heap, SIZE_T bytes, void *context) { (void)code, (void)heap, (void)bytes, (void)context; }

/* Whether the expression raised. */
#define RAISES(expression) (setjmp(raised.target) == 0 ? ((void)(expression), 0) : 1)

static volatile SIZE_T huge = (SIZE_T)1 << 60;

TEST("a call with HEAP_GENERATE_EXCEPTIONS raises STATUS_NO_MEMORY")
{
    SetHeapRaiseHandler(leave, &raised);
    HANDLE heap = new_heap();
    SetLastError(UNTOUCHED);
    CHECK(RAISES(HeapAlloc(heap, HEAP_GENERATE_EXCEPTIONS, huge)));
    CHECK_EQUAL(1, raised.count);
    CHECK_EQUAL(STATUS_NO_MEMORY, raised.code);
    CHECK(raised.heap == heap);
    CHECK_EQUAL(huge, raised.bytes);
    CHECK_EQUAL(UNTOUCHED, GetLastError());
    CHECK(!RAISES(HeapAlloc(heap, 0, huge)));
    CHECK(!RAISES(HeapAlloc(heap, HEAP_GENERATE_EXCEPTIONS, 100)));
    CHECK(HeapValidate(heap, 0, NULL) && HeapDestroy(heap));
}

TEST("a heap with HEAP_GENERATE_EXCEPTIONS raises on every call")
{
    SetHeapRaiseHandler(leave, &raised);
    HANDLE heap = HeapCreate(HEAP_GENERATE_EXCEPTIONS, 0, 64 * KiB);
    char *block = HeapAlloc(heap, 0, 100);
    CHECK(HeapAlloc(heap, 0, 2 * KiB) != NULL);
    memset(block, 'r', 100);
    CHECK(RAISES(HeapAlloc(heap, 0, 100 * KiB)));
    CHECK_EQUAL(STATUS_NO_MEMORY, raised.code);
    CHECK(RAISES(HeapReAlloc(heap, 0, block, 100 * KiB)));
    CHECK_EQUAL(STATUS_NO_MEMORY, raised.code);
    CHECK_EQUAL(100 * KiB, raised.bytes);
    CHECK(RAISES(HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, block, 63 * KiB)));
    CHECK_EQUAL(100, HeapSize(heap, 0, block));
    CHECK(all_bytes(block, 100, 'r'));
    CHECK_EQUAL(3, raised.count);
    CHECK(HeapSize(heap, 0, block + 16) == FAILED);
    CHECK(!HeapFree(heap, 0, block + 16));
    CHECK(HeapReAlloc(heap, 0, block + 16, 10) == NULL);
    CHECK_EQUAL(3, raised.count);
    CHECK(HeapDestroy(heap));
}

TEST("a raising call with a bad handle raises STATUS_ACCESS_VIOLATION")
{
    SetHeapRaiseHandler(leave, &raised);
    for (int i = 0; i < BAD_HANDLES; i++) {
        HANDLE volatile handle = bad_handle(i);
        CHECK(RAISES(HeapAlloc(handle, HEAP_GENERATE_EXCEPTIONS, 10)));
        CHECK_EQUAL(STATUS_ACCESS_VIOLATION, raised.code);
    }
}

TEST("the heap stays usable after many raises")
{
    SetHeapRaiseHandler(leave, &raised);
    HANDLE heap = HeapCreate(HEAP_GENERATE_EXCEPTIONS, 0, 128 * KiB);
    for (int volatile round = 0; round < 20; round++) {
        void *volatile first = NULL;
        while (!RAISES(first = HeapAlloc(heap, 0, 1000)))
            CHECK(first != NULL);
        PROCESS_HEAP_ENTRY entry = { 0 };
        void *blocks[200];
        int count = 0;
        while (HeapWalk(heap, &entry))
            if (entry.wFlags & PROCESS_HEAP_ENTRY_BUSY)
                blocks[count++] = entry.lpData;
        CHECK(count > 90);
        while (count > 0)
            CHECK(HeapFree(heap, 0, blocks[--count]));
    }
    CHECK_EQUAL(20, raised.count);
    CHECK(HeapLock(heap) && HeapUnlock(heap) && HeapDestroy(heap));
}

TEST("SetHeapRaiseHandler returns the handler before it")
{
    CHECK(SetHeapRaiseHandler(leave, &raised) == NULL);
    CHECK(SetHeapRaiseHandler(come_back, NULL) == leave);
    CHECK(SetHeapRaiseHandler(NULL, NULL) == come_back);
}

static void raise_unhandled(void) { HeapAlloc(GetProcessHeap(), HEAP_GENERATE_EXCEPTIONS, huge); }
static void raise_with_returning_handler(void) { SetHeapRaiseHandler(come_back, NULL); raise_unhandled(); }

TEST("an unhandled raise prints one line and aborts")
{
    void (*cases[])(void) = { raise_unhandled, raise_with_returning_handler };
    for (int i = 0; i < 2; i++) {
        char errors[500];
        int status = run_in_child(cases[i], errors, sizeof errors);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
        CHECK(strncmp(errors, "privateheaps: heap 0x", 21) == 0);
        CHECK(strstr(errors, "raised status 0xC0000017 for 1152921504606846976 bytes") != NULL);
        CHECK(strchr(errors, '\n') == errors + strlen(errors) - 1);
    }
}
