/* VirtualAlloc and VirtualFree; VirtualQuery tells what they did. */
#include "virtual_check.h"
#include <sys/mman.h>

TEST("a reservation is rounded to pages, starts at a multiple of 64 KiB and is inaccessible")
{
    SIZE_T sizes[] = { 1, PAGE, PAGE + 1, GRANULARITY, GRANULARITY + 1, 10 * MiB };
    for (int i = 0; i < 6; i++) {
        char *start = must_alloc(sizes[i], MEM_RESERVE, PAGE_EXECUTE_READ);
        check_region(start, start, PAGE_EXECUTE_READ, (sizes[i] + PAGE - 1) / PAGE * PAGE, 0);
        CHECK(!can_read(start));
        must_release(start);
        check_free(start);
    }
}

TEST("an address is rounded down to 64 KiB to reserve and to a page to commit")
{
    char *base = free_address(), *start;
    CHECK_ERROR(UNTOUCHED, (start = VirtualAlloc(base + 0x12345, PAGE, MEM_RESERVE, PAGE_READWRITE)) == base + 0x10000);
    check_region(start, start, PAGE_READWRITE, 4 * PAGE, 0);
    CHECK_ERROR(UNTOUCHED, VirtualAlloc(start + PAGE + 5, 1, MEM_COMMIT, PAGE_READWRITE) == start + PAGE);
    check_region(start, start, PAGE_READWRITE, PAGE, 0);
    check_region(start + PAGE, start, PAGE_READWRITE, PAGE, PAGE_READWRITE);
    check_region(start + 2 * PAGE, start, PAGE_READWRITE, 2 * PAGE, 0);
    must_release(start);
    CHECK_ERROR(UNTOUCHED, (start = VirtualAlloc(base + 0x1FFFF, 2, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)) == base + 0x10000);
    check_region(start, start, PAGE_READWRITE, 17 * PAGE, PAGE_READWRITE);
    must_release(start);
}

TEST("a commit includes every page with a byte of the range, and the pages are zero")
{
    char *start = must_alloc(16 * PAGE, MEM_RESERVE, PAGE_NOACCESS);
    CHECK_ERROR(UNTOUCHED, VirtualAlloc(start + 2 * PAGE - 1, 2, MEM_COMMIT, PAGE_READWRITE) == start + PAGE);
    check_region(start + PAGE, start, PAGE_NOACCESS, 2 * PAGE, PAGE_READWRITE);
    CHECK(all_bytes(start + PAGE, 2 * PAGE, 0));
    memset(start + PAGE, 7, 2 * PAGE);
    CHECK(!can_read(start + PAGE - 1) && !can_read(start + 3 * PAGE));
    must_release(start);
}

TEST("committing again keeps the contents and sets the protection")
{
    char *start = must_alloc(16 * PAGE, MEM_RESERVE, PAGE_NOACCESS);
    CHECK(VirtualAlloc(start + PAGE, PAGE, MEM_COMMIT, PAGE_READWRITE) != NULL);
    memset(start + PAGE, 7, PAGE);
    CHECK_ERROR(UNTOUCHED, VirtualAlloc(start, 16 * PAGE, MEM_COMMIT, PAGE_READONLY) == start);
    check_region(start, start, PAGE_NOACCESS, 16 * PAGE, PAGE_READONLY);
    CHECK(all_bytes(start + PAGE, PAGE, 7) && all_bytes(start, PAGE, 0) && all_bytes(start + 2 * PAGE, 14 * PAGE, 0));
    CHECK(!can_write(start + PAGE));
    must_release(start);
}

TEST("a commit without an address reserves too")
{
    char *start = must_alloc(3 * PAGE, MEM_COMMIT | MEM_TOP_DOWN, PAGE_READWRITE);
    check_region(start, start, PAGE_READWRITE, 3 * PAGE, PAGE_READWRITE);
    CHECK(all_bytes(start, 3 * PAGE, 0));
    must_release(start);
}

TEST("a commit that is not all in one reservation fails with error 487 and commits nothing")
{
    char *base = free_address();
    char *first = VirtualAlloc(base, GRANULARITY, MEM_RESERVE, PAGE_NOACCESS);
    char *second = VirtualAlloc(base + GRANULARITY, GRANULARITY, MEM_RESERVE, PAGE_NOACCESS);
    CHECK(first == base && second == base + GRANULARITY);
    CHECK_ERROR(ERROR_INVALID_ADDRESS, VirtualAlloc(first, GRANULARITY + 1, MEM_COMMIT, PAGE_READWRITE) == NULL);
    CHECK_ERROR(ERROR_INVALID_ADDRESS, VirtualAlloc(first + GRANULARITY - 1, 2, MEM_COMMIT, PAGE_READWRITE) == NULL);
    CHECK_ERROR(ERROR_INVALID_ADDRESS, VirtualAlloc(second + GRANULARITY, 1, MEM_COMMIT, PAGE_READWRITE) == NULL);
    CHECK_ERROR(ERROR_INVALID_ADDRESS, VirtualAlloc(first - 1, 1, MEM_COMMIT, PAGE_READWRITE) == NULL);
    check_region(first, first, PAGE_NOACCESS, GRANULARITY, 0);
    check_region(second, second, PAGE_NOACCESS, GRANULARITY, 0);
    must_release(first);
    must_release(second);
}

TEST("what is taken cannot be reserved: error 487")
{
    char *start = must_alloc(3 * GRANULARITY, MEM_RESERVE, PAGE_NOACCESS), local;
    CHECK_ERROR(ERROR_INVALID_ADDRESS, VirtualAlloc(start, PAGE, MEM_RESERVE, PAGE_NOACCESS) == NULL);
    CHECK_ERROR(ERROR_INVALID_ADDRESS, VirtualAlloc(start, PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE) == NULL);
    CHECK_ERROR(ERROR_INVALID_ADDRESS, VirtualAlloc(start + 2 * GRANULARITY, 4 * GRANULARITY, MEM_RESERVE, PAGE_NOACCESS) == NULL);
    CHECK_ERROR(ERROR_INVALID_ADDRESS, VirtualAlloc(&local, 1, MEM_RESERVE, PAGE_NOACCESS) == NULL);
    CHECK_ERROR(ERROR_INVALID_ADDRESS, VirtualAlloc(HeapAlloc(GetProcessHeap(), 0, 10), 1, MEM_RESERVE, PAGE_NOACCESS) == NULL);
    check_region(start, start, PAGE_NOACCESS, 3 * GRANULARITY, 0);
    must_release(start);
}

TEST("sizes: none and more than there are addresses are error 87, more than there is room error 8")
{
    DWORD types[] = { MEM_RESERVE, MEM_COMMIT, MEM_RESERVE | MEM_COMMIT, MEM_RESET };
    char *start = must_alloc(GRANULARITY, MEM_RESERVE, PAGE_NOACCESS);
    for (int i = 0; i < 4; i++) {
        CHECK_ERROR(ERROR_INVALID_PARAMETER, VirtualAlloc(NULL, 0, types[i], PAGE_READWRITE) == NULL);
        CHECK_ERROR(ERROR_INVALID_PARAMETER, VirtualAlloc(start, 0, types[i], PAGE_READWRITE) == NULL);
        CHECK_ERROR(ERROR_INVALID_PARAMETER, VirtualAlloc(NULL, (SIZE_T)-1, types[i], PAGE_READWRITE) == NULL);
        CHECK_ERROR(ERROR_INVALID_PARAMETER, VirtualAlloc(NULL, (SIZE_T)1 << 62, types[i], PAGE_READWRITE) == NULL);
        CHECK_ERROR(ERROR_INVALID_PARAMETER, VirtualAlloc(start, (SIZE_T)1 << 62, types[i], PAGE_READWRITE) == NULL);
        CHECK_ERROR(ERROR_INVALID_PARAMETER, VirtualAlloc(start, -(SIZE_T)start, types[i], PAGE_READWRITE) == NULL);
        CHECK_ERROR(ERROR_INVALID_PARAMETER, VirtualAlloc((void *)1, PAGE, types[i], PAGE_READWRITE) == NULL);
        CHECK_ERROR(ERROR_INVALID_PARAMETER, VirtualAlloc((void *)0xFFFF, PAGE, types[i], PAGE_READWRITE) == NULL);
        CHECK_ERROR(ERROR_INVALID_PARAMETER, VirtualAlloc((void *)(uintptr_t)0xFFFFFFFFFFFF0000, PAGE, types[i], PAGE_READWRITE) == NULL);
    }
    SYSTEM_INFO system;
    GetSystemInfo(&system);
    CHECK_ERROR(ERROR_NOT_ENOUGH_MEMORY, VirtualAlloc(NULL, (SIZE_T)system.lpMaximumApplicationAddress, MEM_RESERVE, PAGE_READWRITE) == NULL);
    must_release(start);
}

TEST("only the documented kinds of allocation exist: others are error 87")
{
    static const DWORD good[] = { MEM_RESERVE, MEM_COMMIT, MEM_RESERVE | MEM_COMMIT, MEM_RESERVE | MEM_TOP_DOWN, MEM_COMMIT | MEM_TOP_DOWN,
        MEM_RESERVE | MEM_COMMIT | MEM_TOP_DOWN, MEM_RESERVE | MEM_PHYSICAL, MEM_RESERVE | MEM_PHYSICAL | MEM_TOP_DOWN };
    for (int i = 0; i < 8; i++) {
        void *start;
        CHECK_ERROR(UNTOUCHED, (start = VirtualAlloc(NULL, PAGE, good[i], PAGE_READWRITE)) != NULL);
        must_release(start);
    }
    for (DWORD bits = 0; bits < 1 << 13; bits++) {
        /* Every combination of the documented constants and of a bit that is none. */
        static const DWORD flags[] = { MEM_COMMIT, MEM_RESERVE, MEM_DECOMMIT, MEM_RELEASE, MEM_FREE, MEM_PRIVATE, MEM_RESET, MEM_TOP_DOWN,
            MEM_WRITE_WATCH, MEM_PHYSICAL, MEM_RESET_UNDO, MEM_LARGE_PAGES, 1 };
        DWORD type = 0, is_good = 0;
        for (int flag = 0; flag < 13; flag++)
            type |= bits >> flag & 1 ? flags[flag] : 0;
        for (int i = 0; i < 8; i++)
            is_good |= type == good[i];
        /* The two that are for memory that is there are told that there is none. */
        DWORD error = type == MEM_RESET || type == MEM_RESET_UNDO ? ERROR_INVALID_ADDRESS : ERROR_INVALID_PARAMETER;
        if (!is_good)
            CHECK_ERROR(error, VirtualAlloc(NULL, PAGE, type, PAGE_READWRITE) == NULL);
    }
}

TEST("MEM_RELEASE wants the first page and no size")
{
    char *start = must_alloc(3 * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !VirtualFree(start, PAGE, MEM_RELEASE));
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !VirtualFree(start, 3 * PAGE, MEM_RELEASE));
    CHECK_ERROR(ERROR_INVALID_ADDRESS, !VirtualFree(start + PAGE, 0, MEM_RELEASE));
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !VirtualFree(start, 0, MEM_RELEASE | MEM_DECOMMIT));
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !VirtualFree(start, 0, 0));
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !VirtualFree(start, 0, MEM_COMMIT));
    for (int bit = 0; bit < 32; bit++)
        if ((DWORD)1 << bit != MEM_RELEASE)
            CHECK_ERROR(ERROR_INVALID_PARAMETER, !VirtualFree(start, 0, MEM_RELEASE | (DWORD)1 << bit));
    memset(start, 1, 3 * PAGE);
    CHECK_ERROR(UNTOUCHED, VirtualFree(start + 5, 0, MEM_RELEASE));
    check_free(start);
    CHECK_ERROR(ERROR_INVALID_ADDRESS, !VirtualFree(start, 0, MEM_RELEASE));
    CHECK_ERROR(ERROR_INVALID_ADDRESS, !VirtualFree(start, 0, MEM_DECOMMIT));
}

TEST("a reservation of pages in all states is released whole")
{
    char *start = must_alloc(16 * PAGE, MEM_RESERVE, PAGE_NOACCESS);
    DWORD old;
    CHECK(VirtualAlloc(start + 3 * PAGE, 5 * PAGE, MEM_COMMIT, PAGE_READWRITE) && VirtualProtect(start + 4 * PAGE, PAGE, PAGE_READONLY, &old));
    must_release(start);
    for (int page = 0; page < 16; page++)
        check_free(start + page * PAGE);
}

TEST("decommitted pages are inaccessible, and zero when they are committed again")
{
    char *start = must_alloc(8 * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    unsigned char resident;
    memset(start, 7, 8 * PAGE);
    CHECK_ERROR(UNTOUCHED, VirtualFree(start + 2 * PAGE - 1, 2, MEM_DECOMMIT));
    check_region(start, start, PAGE_READWRITE, PAGE, PAGE_READWRITE);
    check_region(start + PAGE, start, PAGE_READWRITE, 2 * PAGE, 0);
    check_region(start + 3 * PAGE, start, PAGE_READWRITE, 5 * PAGE, PAGE_READWRITE);
    CHECK(!can_read(start + PAGE) && !can_read(start + 2 * PAGE));
    CHECK(mincore(start + PAGE, PAGE, &resident) == 0 && resident % 2 == 0);
    CHECK(all_bytes(start, PAGE, 7) && all_bytes(start + 3 * PAGE, 5 * PAGE, 7));
    CHECK_ERROR(UNTOUCHED, VirtualFree(start + PAGE, 2 * PAGE, MEM_DECOMMIT));
    CHECK(VirtualAlloc(start, 8 * PAGE, MEM_COMMIT, PAGE_READWRITE) == start);
    CHECK(all_bytes(start + PAGE, 2 * PAGE, 0) && all_bytes(start, PAGE, 7) && all_bytes(start + 3 * PAGE, 5 * PAGE, 7));
    CHECK_ERROR(UNTOUCHED, VirtualFree(start + 5, 0, MEM_DECOMMIT));
    check_region(start, start, PAGE_READWRITE, 8 * PAGE, 0);
    CHECK(VirtualAlloc(start, 8 * PAGE, MEM_COMMIT, PAGE_READONLY) == start && all_bytes(start, 8 * PAGE, 0));
    must_release(start);
}

TEST("MEM_DECOMMIT keeps to one reservation")
{
    char *start = must_alloc(8 * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    memset(start, 7, 8 * PAGE);
    CHECK_ERROR(ERROR_INVALID_ADDRESS, !VirtualFree(start + PAGE, 0, MEM_DECOMMIT));
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !VirtualFree(start, 8 * PAGE + 1, MEM_DECOMMIT));
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !VirtualFree(start + 7 * PAGE, 2 * PAGE, MEM_DECOMMIT));
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !VirtualFree(start, (SIZE_T)-1, MEM_DECOMMIT));
    CHECK_ERROR(ERROR_INVALID_ADDRESS, !VirtualFree(start - 1, 2, MEM_DECOMMIT));
    CHECK(all_bytes(start, 8 * PAGE, 7));
    must_release(start);
}

TEST("MEM_RESET keeps what MEM_RESET_UNDO gives back")
{
    char *start = must_alloc(8 * PAGE, MEM_RESERVE, PAGE_NOACCESS);
    CHECK(VirtualAlloc(start, 4 * PAGE, MEM_COMMIT, PAGE_READWRITE) == start);
    memset(start, 7, 4 * PAGE);
    CHECK_ERROR(UNTOUCHED, VirtualAlloc(start + 5, 2 * PAGE, MEM_RESET, PAGE_NOACCESS) == start);
    CHECK_ERROR(UNTOUCHED, VirtualAlloc(start, 2 * PAGE, MEM_RESET_UNDO, PAGE_NOACCESS) == start);
    CHECK(all_bytes(start, 4 * PAGE, 7));
    check_region(start, start, PAGE_NOACCESS, 4 * PAGE, PAGE_READWRITE);
    CHECK_ERROR(ERROR_INVALID_ADDRESS, VirtualAlloc(start, 8 * PAGE + 1, MEM_RESET, PAGE_NOACCESS) == NULL);
    CHECK_ERROR(ERROR_INVALID_PARAMETER, VirtualAlloc(start, PAGE, MEM_RESET, 0) == NULL);
    CHECK_ERROR(ERROR_INVALID_PARAMETER, VirtualAlloc(start, PAGE, MEM_RESET | MEM_COMMIT, PAGE_READWRITE) == NULL);
    must_release(start);
}

TEST("wild addresses are refused")
{
    DWORD old;
    for (int i = 0; i < WILD_ADDRESSES; i++) {
        char *address = wild_address(i);
        DWORD error = (uintptr_t)address >> 47 ? ERROR_INVALID_PARAMETER : ERROR_INVALID_ADDRESS;
        CHECK_ERROR(error, !VirtualFree(address, 0, MEM_RELEASE));
        CHECK_ERROR(error, !VirtualFree(address, 0, MEM_DECOMMIT));
        CHECK_ERROR(error, !VirtualFree(address, PAGE, MEM_DECOMMIT));
        if (address != NULL) {
            CHECK_ERROR(error, VirtualAlloc(address, PAGE, MEM_COMMIT, PAGE_READWRITE) == NULL);
            CHECK_ERROR(error, VirtualAlloc(address, PAGE, MEM_RESET, PAGE_READWRITE) == NULL);
        }
        if (i != 2 && i != 6)
            CHECK_ERROR(error, !VirtualProtect(address, PAGE, PAGE_READONLY, &old));
    }
}
