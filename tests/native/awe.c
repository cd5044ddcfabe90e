/* Address Windowing Extensions: frames, and the windows that show them. */
#include "virtual_check.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>

static const HANDLE me = (HANDLE)(LONG_PTR)-1;

static char *must_open(SIZE_T pages) { return must_alloc(pages * PAGE, MEM_RESERVE | MEM_PHYSICAL, PAGE_READWRITE); }

static void must_take(ULONG_PTR count, ULONG_PTR *frames)
{
    ULONG_PTR granted = count;
    CHECK_ERROR(UNTOUCHED, AllocateUserPhysicalPages(me, &granted, frames));
    CHECK_EQUAL(count, granted);
    for (ULONG_PTR i = 0; i < count; i++)
        CHECK(frames[i] != 0);
}

static void must_map(void *address, ULONG_PTR count, ULONG_PTR *frames)
{
    CHECK_ERROR(UNTOUCHED, MapUserPhysicalPages(address, count, frames));
}

static void must_give(ULONG_PTR count, ULONG_PTR *frames)
{
    ULONG_PTR freed = count;
    CHECK_ERROR(UNTOUCHED, FreeUserPhysicalPages(me, &freed, frames));
    CHECK_EQUAL(count, freed);
}

static void fill(char *window, int first, int count)
{
    for (int i = 0; i < count; i++)
        memset(window + i * PAGE, first + i, PAGE);
}

static int shows(const char *page, int value) { return can_read(page) && all_bytes(page, PAGE, (unsigned char)value); }

TEST("frames are zero, and keep their contents while they are mapped nowhere")
{
    ULONG_PTR frames[8], other[2];
    char *window = must_open(8), *second = must_open(8);
    must_take(8, frames);
    must_map(window, 8, frames);
    CHECK(all_bytes(window, 8 * PAGE, 0) && can_write(window));
    fill(window, 1, 8);
    must_map(window, 8, NULL);
    CHECK(!can_read(window) && !can_read(window + 7 * PAGE));
    must_map(second + 2 * PAGE, 1, &frames[5]);
    must_map(second, 2, &frames[0]);
    must_map(second + 7 * PAGE + 123, 1, &frames[3]);
    CHECK(shows(second, 1) && shows(second + PAGE, 2) && shows(second + 2 * PAGE, 6) && !can_read(second + 3 * PAGE) && shows(second + 7 * PAGE, 4));
    must_give(8, frames);
    CHECK(!can_read(second) && !can_read(second + 7 * PAGE));
    must_take(2, other);
    must_map(window, 2, other);
    CHECK(all_bytes(window, 2 * PAGE, 0));
    must_give(2, other);
    must_release(window);
    must_release(second);
}

TEST("a frame is mapped at one page at most, and a refused call maps nothing")
{
    ULONG_PTR frames[6], wrong[3];
    char *window = must_open(8);
    must_take(6, frames);
    must_map(window, 2, frames);
    fill(window, 1, 2);
    struct { ULONG_PTR a, b, c; } cases[] = {
        { frames[2], frames[3], frames[0] }, /* mapped elsewhere */
        { frames[2], frames[3], frames[2] }, /* twice in one call */
        { frames[2], frames[3], 0 },
        { frames[2], 1, frames[3] },
        { frames[2], frames[3], (ULONG_PTR)-1 },
        { frames[2], frames[3], frames[5] + 1 },
    };
    for (int i = 0; i < 6; i++) {
        memcpy(wrong, &cases[i], sizeof wrong);
        CHECK_ERROR(ERROR_INVALID_PARAMETER, !MapUserPhysicalPages(window + 4 * PAGE, 3, wrong));
        CHECK(!can_read(window + 4 * PAGE) && !can_read(window + 5 * PAGE));
        CHECK_ERROR(ERROR_INVALID_PARAMETER, !MapUserPhysicalPages(window, 3, wrong));
        CHECK(shows(window, 1) && shows(window + PAGE, 2) && !can_read(window + 2 * PAGE));
    }
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !MapUserPhysicalPages(window, 1, frames));
    must_map(window + 4 * PAGE, 3, &frames[2]);
    must_give(6, frames);
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !MapUserPhysicalPages(window, 1, frames));
    must_release(window);
}

TEST("mapping replaces what was mapped, which is then free to be mapped elsewhere")
{
    ULONG_PTR frames[6];
    char *window = must_open(6);
    must_take(6, frames);
    must_map(window, 4, frames);
    fill(window, 1, 4);
    must_map(window + PAGE, 2, &frames[4]);
    CHECK(shows(window, 1) && shows(window + PAGE, 0) && shows(window + 2 * PAGE, 0) && shows(window + 3 * PAGE, 4));
    must_map(window + 4 * PAGE, 2, &frames[1]);
    CHECK(shows(window + 4 * PAGE, 2) && shows(window + 5 * PAGE, 3));
    must_give(6, frames);
    must_release(window);
}

TEST("pages are mapped only in one window")
{
    ULONG_PTR frames[4];
    char *window = must_open(4), *plain = must_alloc(4 * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    must_take(4, frames);
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !MapUserPhysicalPages(window + PAGE, 4, frames));
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !MapUserPhysicalPages(window + PAGE, 4, NULL));
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !MapUserPhysicalPages(window - 1, 1, frames));
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !MapUserPhysicalPages(window + 4 * PAGE, 1, frames));
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !MapUserPhysicalPages(window, (ULONG_PTR)-1, frames));
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !MapUserPhysicalPages(plain, 1, frames));
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !MapUserPhysicalPages(plain, 1, NULL));
    for (int i = 0; i < WILD_ADDRESSES; i++) {
        CHECK_ERROR(ERROR_INVALID_PARAMETER, !MapUserPhysicalPages(wild_address(i), 1, frames));
        CHECK_ERROR(ERROR_INVALID_PARAMETER, !MapUserPhysicalPages(wild_address(i), 1, NULL));
    }
    CHECK_ERROR(ERROR_NOACCESS, !MapUserPhysicalPages(window, 4, (ULONG_PTR *)0x1234));
    must_map(window, 0, frames);
    CHECK(!can_read(window));
    must_map(window, 4, frames);
    must_give(4, frames);
    must_release(window);
    must_release(plain);
}

TEST("a window is only reserved, mapped and released")
{
    ULONG_PTR frames[2];
    DWORD old;
    char *window = must_open(8);
    must_take(2, frames);
    check_region(window, window, PAGE_READWRITE, 8 * PAGE, 0);
    must_map(window + 2 * PAGE, 2, frames);
    check_region(window, window, PAGE_READWRITE, 2 * PAGE, 0);
    check_region(window + 2 * PAGE, window, PAGE_READWRITE, 2 * PAGE, PAGE_READWRITE);
    check_region(window + 4 * PAGE, window, PAGE_READWRITE, 4 * PAGE, 0);
    CHECK_ERROR(ERROR_INVALID_ADDRESS, VirtualAlloc(window, PAGE, MEM_COMMIT, PAGE_READWRITE) == NULL);
    CHECK_ERROR(ERROR_INVALID_ADDRESS, VirtualAlloc(window, PAGE, MEM_RESET, PAGE_READWRITE) == NULL);
    CHECK_ERROR(ERROR_INVALID_ADDRESS, !VirtualProtect(window + 2 * PAGE, PAGE, PAGE_READONLY, &old));
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !VirtualFree(window, 0, MEM_DECOMMIT));
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !VirtualFree(window, PAGE, MEM_DECOMMIT));
    CHECK_ERROR(ERROR_INVALID_ADDRESS, !VirtualFree(window + PAGE, 0, MEM_RELEASE));
    CHECK_ERROR(ERROR_INVALID_PARAMETER, VirtualAlloc(NULL, PAGE, MEM_RESERVE | MEM_PHYSICAL, PAGE_READONLY) == NULL);
    CHECK_ERROR(ERROR_INVALID_PARAMETER, VirtualAlloc(NULL, PAGE, MEM_RESERVE | MEM_COMMIT | MEM_PHYSICAL, PAGE_READWRITE) == NULL);
    fill(window + 2 * PAGE, 1, 2);
    must_release(window);
    check_free(window);
    window = must_open(2);
    must_map(window, 2, frames);
    CHECK(shows(window, 1) && shows(window + PAGE, 2));
    must_give(2, frames);
    check_region(window, window, PAGE_READWRITE, 2 * PAGE, 0);
    must_release(window);
}

TEST("freeing stops at the first number that is none and tells how many were freed")
{
    ULONG_PTR frames[600], count = 600;
    char *window = must_open(600);
    must_take(600, frames);
    must_map(window, 600, frames);
    ULONG_PTR good = frames[500];
    frames[500] = frames[20];
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !FreeUserPhysicalPages(me, &count, frames));
    CHECK_EQUAL(500, count);
    CHECK(!can_read(window + 499 * PAGE) && can_read(window + 500 * PAGE) && can_read(window + 599 * PAGE));
    frames[500] = good;
    must_give(100, &frames[500]);
    CHECK(!can_read(window + 500 * PAGE) && !can_read(window + 599 * PAGE));
    count = 1;
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !FreeUserPhysicalPages(me, &count, frames));
    CHECK_EQUAL(0, count);
    must_release(window);
}

TEST("other processes and null pointers are refused, no pages are not")
{
    ULONG_PTR frame = 7, count = 1, none = 0;
    HANDLE others[] = { NULL, (HANDLE)1, (HANDLE)(LONG_PTR)-2, (HANDLE)0x1234 };
    for (int i = 0; i < 4; i++) {
        CHECK_ERROR(ERROR_INVALID_HANDLE, !AllocateUserPhysicalPages(others[i], &count, &frame));
        CHECK_ERROR(ERROR_INVALID_HANDLE, !FreeUserPhysicalPages(others[i], &count, &frame));
    }
    CHECK_ERROR(ERROR_NOACCESS, !AllocateUserPhysicalPages(me, NULL, &frame));
    CHECK_ERROR(ERROR_NOACCESS, !AllocateUserPhysicalPages(me, (ULONG_PTR *)0x1234, &frame));
    CHECK_ERROR(ERROR_NOACCESS, !AllocateUserPhysicalPages(me, &count, NULL));
    CHECK_ERROR(ERROR_NOACCESS, !FreeUserPhysicalPages(me, NULL, &frame));
    CHECK_ERROR(ERROR_NOACCESS, !FreeUserPhysicalPages(me, &count, NULL));
    CHECK(frame == 7 && count == 1);
    CHECK_ERROR(ERROR_NOACCESS, !FreeUserPhysicalPages(me, &count, (ULONG_PTR *)0x1234));
    CHECK_EQUAL(0, count);
    CHECK_ERROR(UNTOUCHED, AllocateUserPhysicalPages(me, &none, NULL) && FreeUserPhysicalPages(me, &none, NULL));
    CHECK_ERROR(UNTOUCHED, MapUserPhysicalPagesScatter(NULL, 0, NULL));
    CHECK_ERROR(ERROR_NOACCESS, !MapUserPhysicalPagesScatter(NULL, 1, NULL));
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !MapUserPhysicalPagesScatter((PVOID[]){ &frame }, 1, NULL));
    count = (ULONG_PTR)-1;
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !AllocateUserPhysicalPages(me, &count, &frame));
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !FreeUserPhysicalPages(me, &count, &frame));
}

static void take_under_a_limit(void)
{
    enum { LIMIT = 300 };
    static ULONG_PTR frames[1000];
    struct rlimit limit = { LIMIT * PAGE, LIMIT * PAGE };
    ULONG_PTR count = 1000;
    CHECK_EQUAL(0, setrlimit(RLIMIT_FSIZE, &limit));
    CHECK_ERROR(UNTOUCHED, AllocateUserPhysicalPages(me, &count, frames));
    CHECK_EQUAL(LIMIT, count);
    CHECK(frames[LIMIT - 1] != 0 && frames[LIMIT] == 0);
    CHECK_ERROR(ERROR_NO_SYSTEM_RESOURCES, !AllocateUserPhysicalPages(me, &count, frames + LIMIT));
    CHECK_EQUAL(LIMIT, count);
    must_give(1, &frames[100]);
    count = 5;
    CHECK_ERROR(UNTOUCHED, AllocateUserPhysicalPages(me, &count, &frames[100]));
    CHECK_EQUAL(1, count);
}

TEST("fewer frames are granted than asked for when there are no more")
{
    char errors[1000];
    CHECK_EQUAL(0, run_in_child(take_under_a_limit, errors, sizeof errors));
    fputs(errors, stderr);
}

TEST("pages of several windows are mapped and emptied in one call")
{
    ULONG_PTR frames[6], numbers[5];
    char *first = must_open(4), *second = must_open(4);
    must_take(6, frames);
    must_map(first, 4, frames);
    fill(first, 1, 4);
    must_map(second, 1, &frames[4]);
    fill(second, 5, 1);
    must_map(first + PAGE, 1, NULL);
    PVOID pages[] = { second + 3 * PAGE, first + 7, second + PAGE, first + 3 * PAGE, second };
    memcpy(numbers, (ULONG_PTR[]){ frames[1], 0, frames[5], frames[5], 0 }, sizeof numbers);
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !MapUserPhysicalPagesScatter(pages, 5, numbers));
    numbers[3] = 0;
    pages[2] = second + 4 * PAGE;
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !MapUserPhysicalPagesScatter(pages, 5, numbers));
    CHECK(shows(first, 1) && shows(first + 3 * PAGE, 4) && shows(second, 5) && !can_read(second + 3 * PAGE));
    pages[2] = second + PAGE;
    CHECK_ERROR(UNTOUCHED, MapUserPhysicalPagesScatter(pages, 5, numbers));
    CHECK(!can_read(first) && !can_read(first + PAGE) && shows(first + 2 * PAGE, 3) && !can_read(first + 3 * PAGE));
    CHECK(!can_read(second) && shows(second + PAGE, 0) && !can_read(second + 2 * PAGE) && shows(second + 3 * PAGE, 2));
    CHECK_ERROR(UNTOUCHED, MapUserPhysicalPagesScatter(pages, 5, NULL));
    CHECK(!can_read(second + PAGE) && !can_read(second + 3 * PAGE));
    /* The same page twice: the last one counts, and the first frame is mapped nowhere. */
    CHECK_ERROR(UNTOUCHED, MapUserPhysicalPagesScatter((PVOID[]){ first, first }, 2, &frames[0]));
    CHECK(shows(first, 2));
    must_map(second, 1, &frames[0]);
    CHECK(shows(second, 1));
    must_give(6, frames);
    must_release(first);
    must_release(second);
}

TEST("when the system has no more mappings nothing is mapped, and what was stays")
{
    enum { STEP = 1000 };
    SIZE_T pages = (SIZE_T)mapping_limit() + 1000;
    if (pages > 100000)
        return;
    char *window = must_open(pages);
    ULONG_PTR *frames = HeapAlloc(GetProcessHeap(), 0, pages * sizeof *frames);
    must_take(pages, frames);
    for (SIZE_T i = 0; i < pages / 2; i++) {
        ULONG_PTR frame = frames[i];
        frames[i] = frames[pages - 1 - i];
        frames[pages - 1 - i] = frame;
    }
    CHECK_ERROR(ERROR_NOT_ENOUGH_MEMORY, !MapUserPhysicalPages(window, pages, frames));
    check_region(window, window, PAGE_READWRITE, pages * PAGE, 0);
    CHECK(!can_read(window) && !can_read(window + pages / 2 * PAGE));
    must_map(window + 20 * PAGE, STEP, frames);
    fill(window + 20 * PAGE, 0, STEP);
    CHECK_ERROR(ERROR_NOT_ENOUGH_MEMORY, !MapUserPhysicalPages(window, pages - STEP, frames + STEP));
    for (int i = 0; i < STEP; i++)
        CHECK(shows(window + (20 + i) * PAGE, i));
    check_region(window, window, PAGE_READWRITE, 20 * PAGE, 0);
    check_region(window + 20 * PAGE, window, PAGE_READWRITE, STEP * PAGE, PAGE_READWRITE);
    must_give(pages, frames);
    check_region(window, window, PAGE_READWRITE, pages * PAGE, 0);
    must_release(window);
    CHECK(HeapFree(GetProcessHeap(), 0, frames));
}
