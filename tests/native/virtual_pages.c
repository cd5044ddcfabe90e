/* Pages in their states: VirtualProtect, long random histories, threads and forks. */
#include "virtual_check.h"
#include <pthread.h>
#include <stdatomic.h>

static int is_protection(DWORD protection)
{
    static const DWORD plain[] = { PAGE_NOACCESS, PAGE_READONLY, PAGE_READWRITE, PAGE_EXECUTE, PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE };
    static const DWORD modifiers[] = { 0, PAGE_GUARD, PAGE_NOCACHE, PAGE_WRITECOMBINE };
    for (int p = 0; p < 6; p++)
        for (int m = 0; m < (p == 0 ? 1 : 4); m++)
            if (protection == (plain[p] | modifiers[m]) || (p >= 3 && protection == (plain[p] | modifiers[m] | PAGE_TARGETS_INVALID)))
                return 1;
    return 0;
}

TEST("a protection is one constant and at most one modifier: others are error 87")
{
    char *start = must_alloc(PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    for (DWORD bits = 0; bits < 1 << 13; bits++) {
        DWORD protection = (bits & 0xFFF) | (bits >> 12 ? PAGE_TARGETS_INVALID : 0), old = UNTOUCHED;
        if (is_protection(protection)) {
            CHECK_ERROR(UNTOUCHED, VirtualAlloc(start, PAGE, MEM_COMMIT, protection) == start);
            check_region(start, start, PAGE_READWRITE, PAGE, protection & ~PAGE_TARGETS_INVALID);
            CHECK_ERROR(UNTOUCHED, VirtualProtect(start, PAGE, PAGE_READWRITE, &old));
            CHECK_EQUAL(protection & ~PAGE_TARGETS_INVALID, old);
            CHECK_ERROR(UNTOUCHED, VirtualProtect(start, PAGE, protection, &old));
        } else {
            CHECK_ERROR(ERROR_INVALID_PARAMETER, VirtualAlloc(NULL, PAGE, MEM_RESERVE, protection) == NULL);
            CHECK_ERROR(ERROR_INVALID_PARAMETER, VirtualAlloc(start, PAGE, MEM_COMMIT, protection) == NULL);
            CHECK_ERROR(ERROR_INVALID_PARAMETER, !VirtualProtect(start, PAGE, protection, &old));
            CHECK_EQUAL(UNTOUCHED, old);
        }
    }
    must_release(start);
}

TEST("pages have the access that their protection says")
{
    static const struct { DWORD protection; int reads, writes; } cases[] = {
        { PAGE_NOACCESS, 0, 0 }, { PAGE_READONLY, 1, 0 }, { PAGE_READWRITE, 1, 1 }, { PAGE_EXECUTE, 1, 0 }, { PAGE_EXECUTE_READ, 1, 0 },
        { PAGE_EXECUTE_READWRITE, 1, 1 }, { PAGE_READWRITE | PAGE_GUARD, 0, 0 }, { PAGE_READWRITE | PAGE_NOCACHE, 1, 1 },
        { PAGE_READONLY | PAGE_WRITECOMBINE, 1, 0 },
    };
    for (int i = 0; i < 9; i++) {
        DWORD old;
        char *start = must_alloc(PAGE, MEM_RESERVE | MEM_COMMIT, cases[i].protection);
        CHECK(can_read(start) == cases[i].reads && can_write(start) == cases[i].writes);
        CHECK(VirtualProtect(start, PAGE, PAGE_READWRITE, &old) && can_write(start));
        *start = 5;
        CHECK(VirtualProtect(start, PAGE, cases[i].protection, &old));
        CHECK(can_read(start) == cases[i].reads && can_write(start) == cases[i].writes);
        CHECK(VirtualProtect(start, PAGE, PAGE_READONLY, &old) && *start == 5);
        must_release(start);
    }
}

TEST("code runs where it may be executed")
{
#if defined __x86_64__
    static const unsigned char code[] = { 0xB8, 42, 0, 0, 0, 0xC3 }; /* mov eax, 42; ret */
    DWORD old;
    char *start = must_alloc(PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    memcpy(start, code, sizeof code);
    CHECK(VirtualProtect(start, sizeof code, PAGE_EXECUTE, &old));
    CHECK_EQUAL(PAGE_READWRITE, old);
    CHECK_EQUAL(42, ((int (*)(void))start)());
    must_release(start);
#endif
}

TEST("VirtualProtect reports the first page's protection and changes every page with a byte of the range")
{
    char *start = must_alloc(8 * PAGE, MEM_RESERVE, PAGE_NOACCESS);
    DWORD old;
    CHECK(VirtualAlloc(start, 4 * PAGE, MEM_COMMIT, PAGE_READWRITE) && VirtualAlloc(start + PAGE, PAGE, MEM_COMMIT, PAGE_EXECUTE_READ));
    CHECK_ERROR(UNTOUCHED, VirtualProtect(start + PAGE - 1, 2, PAGE_READONLY, &old));
    CHECK_EQUAL(PAGE_READWRITE, old);
    check_region(start, start, PAGE_NOACCESS, 2 * PAGE, PAGE_READONLY);
    CHECK_ERROR(UNTOUCHED, VirtualProtect(start + PAGE, 3 * PAGE, PAGE_READWRITE, &old));
    CHECK_EQUAL(PAGE_READONLY, old);
    check_region(start + PAGE, start, PAGE_NOACCESS, 3 * PAGE, PAGE_READWRITE);
    must_release(start);
}

TEST("VirtualProtect refuses what is not committed, and changes nothing")
{
    char *start = must_alloc(8 * PAGE, MEM_RESERVE, PAGE_NOACCESS);
    char *next = must_alloc(PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    DWORD old = UNTOUCHED;
    CHECK(VirtualAlloc(start, 4 * PAGE, MEM_COMMIT, PAGE_READWRITE) == start);
    CHECK_ERROR(ERROR_INVALID_ADDRESS, !VirtualProtect(start, 5 * PAGE, PAGE_READONLY, &old));
    CHECK_ERROR(ERROR_INVALID_ADDRESS, !VirtualProtect(start + 4 * PAGE, PAGE, PAGE_READONLY, &old));
    CHECK_ERROR(ERROR_INVALID_ADDRESS, !VirtualProtect(start, 8 * PAGE + 1, PAGE_READONLY, &old));
    CHECK_ERROR(ERROR_INVALID_ADDRESS, !VirtualProtect(next, PAGE + 1, PAGE_READONLY, &old));
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !VirtualProtect(start, 0, PAGE_READONLY, &old));
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !VirtualProtect(start, (SIZE_T)-1, PAGE_READONLY, &old));
    CHECK_EQUAL(UNTOUCHED, old);
    CHECK_ERROR(ERROR_NOACCESS, !VirtualProtect(start, PAGE, PAGE_READONLY, NULL));
    check_region(start, start, PAGE_NOACCESS, 4 * PAGE, PAGE_READWRITE);
    check_region(next, next, PAGE_READWRITE, PAGE, PAGE_READWRITE);
    must_release(start);
    must_release(next);
}

/* One reservation against a model of it: the protection of each page, 0 for reserved, and the byte that fills it. */
enum { MODEL_PAGES = 64 };
static struct { DWORD protection; char fill; } model[MODEL_PAGES];

static int writable(DWORD protection) { return protection == PAGE_READWRITE || protection == PAGE_EXECUTE_READWRITE; }

static void check_model(const char *start)
{
    for (int page = 0; page < MODEL_PAGES;) {
        int end = page;
        while (end < MODEL_PAGES && model[end].protection == model[page].protection)
            end++;
        for (int i = page; i < end; i++)
            check_region(start + i * PAGE, start, PAGE_EXECUTE, (SIZE_T)(end - i) * PAGE, model[i].protection);
        page = end;
    }
}

TEST("random operations agree with a model of the pages")
{
    static const DWORD protections[] = { PAGE_READWRITE, PAGE_READWRITE, PAGE_READONLY, PAGE_EXECUTE_READWRITE, PAGE_NOACCESS, PAGE_READWRITE | PAGE_GUARD };
    char *start = must_alloc(MODEL_PAGES * PAGE, MEM_RESERVE, PAGE_EXECUTE);
    unsigned seed = 11;
    for (int round = 0; round < 3000; round++) {
        int first = rand_r(&seed) % MODEL_PAGES, count = 1 + rand_r(&seed) % (round % 2 ? 4 : MODEL_PAGES), operation = rand_r(&seed) % 3;
        count = first + count > MODEL_PAGES ? MODEL_PAGES - first : count;
        DWORD protection = protections[rand_r(&seed) % 6], old = 0;
        int committed = 1;
        for (int page = first; page < first + count; page++)
            committed &= model[page].protection != 0;
        char *address = start + first * PAGE;
        SIZE_T bytes = (SIZE_T)count * PAGE;
        if (operation == 0)
            CHECK(VirtualAlloc(address, bytes, MEM_COMMIT, protection) == address);
        else if (operation == 1)
            CHECK(VirtualFree(address, bytes, MEM_DECOMMIT));
        else
            CHECK(VirtualProtect(address, bytes, protection, &old) == committed && old == (committed ? model[first].protection : 0));
        for (int page = first; page < first + count; page++) {
            char *contents = start + page * PAGE;
            if (operation == 0 || (operation == 2 && committed))
                model[page].protection = protection;
            if (operation == 1)
                model[page].protection = model[page].fill = 0;
            if (writable(model[page].protection)) {
                CHECK(all_bytes(contents, PAGE, model[page].fill));
                memset(contents, model[page].fill = round, PAGE);
            }
        }
        if (round % 10 == 0)
            check_model(start);
    }
    check_model(start);
    must_release(start);
}

TEST("when the system has no more mappings a commit fails with error 8 and changes nothing")
{
    SIZE_T pages = (SIZE_T)mapping_limit() * 2 + 100;
    if (pages > 1000000)
        return;
    char *start = must_alloc(pages * PAGE, MEM_RESERVE, PAGE_NOACCESS), *address = start;
    while (address < start + pages * PAGE && VirtualAlloc(address, PAGE, MEM_COMMIT, PAGE_READWRITE) == address)
        address += 2 * PAGE;
    CHECK_ERROR(ERROR_NOT_ENOUGH_MEMORY, VirtualAlloc(address, PAGE, MEM_COMMIT, PAGE_READWRITE) == NULL);
    check_region(address - PAGE, start, PAGE_NOACCESS, start + pages * PAGE - address + PAGE, 0);
    check_region(address - 2 * PAGE, start, PAGE_NOACCESS, PAGE, PAGE_READWRITE);
    CHECK_ERROR(UNTOUCHED, VirtualFree(address - 4 * PAGE, PAGE, MEM_DECOMMIT));
    CHECK_ERROR(UNTOUCHED, VirtualAlloc(address - 4 * PAGE, PAGE, MEM_COMMIT, PAGE_READWRITE) && address[-4 * PAGE] == 0);
    must_release(start);
}

static atomic_int stop;
static char *shared;

static void *work(void *argument)
{
    unsigned number = (unsigned)(uintptr_t)argument, seed = number;
    for (int round = 0; !atomic_load(&stop) && round < 3000; round++) {
        /* A page of its own in the reservation of all, and a reservation of its own. */
        char *page = shared + number * PAGE;
        DWORD old;
        CHECK(VirtualAlloc(page, PAGE, MEM_COMMIT, PAGE_READWRITE) == page && *page == 0);
        *page = (char)number;
        CHECK(VirtualProtect(page, PAGE, PAGE_READONLY, &old) && old == PAGE_READWRITE && *page == (char)number);
        CHECK(VirtualFree(page, PAGE, MEM_DECOMMIT));
        SIZE_T bytes = 1 + rand_r(&seed) % (4 * GRANULARITY);
        char *own = VirtualAlloc(NULL, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
        CHECK(own != NULL && own[0] == 0 && own[bytes - 1] == 0);
        memset(own, (char)number, bytes);
        MEMORY_BASIC_INFORMATION information;
        CHECK(VirtualQuery(own, &information, sizeof information) && information.AllocationBase == own);
        CHECK_EQUAL((bytes + PAGE - 1) / PAGE * PAGE, information.RegionSize);
        CHECK(all_bytes(own, bytes, (unsigned char)number) && VirtualFree(own, 0, MEM_RELEASE));
    }
    return NULL;
}

static void with_threads(void (*meanwhile)(void))
{
    pthread_t threads[4];
    atomic_store(&stop, 0);
    shared = must_alloc(16 * PAGE, MEM_RESERVE, PAGE_NOACCESS);
    for (uintptr_t i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, work, (void *)(i + 1));
    if (meanwhile != NULL) {
        meanwhile();
        atomic_store(&stop, 1);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    check_region(shared, shared, PAGE_NOACCESS, 16 * PAGE, 0);
    must_release(shared);
}

TEST("threads work in one reservation and in their own") { with_threads(NULL); }

static char *inherited;

static void use_in_child(void)
{
    alarm(10);
    check_region(inherited, inherited, PAGE_NOACCESS, PAGE, PAGE_READWRITE);
    CHECK(all_bytes(inherited, PAGE, 9));
    CHECK(VirtualAlloc(inherited + 8 * PAGE, PAGE, MEM_COMMIT, PAGE_READWRITE) && inherited[8 * PAGE] == 0);
    for (int i = 0; i < 20; i++) {
        char *own = must_alloc(i * PAGE + 1, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
        memset(own, 1, i * PAGE + 1);
        must_release(own);
    }
    memset(inherited, 1, PAGE);
    must_release(inherited);
}

static void fork_often(void)
{
    char errors[2000];
    inherited = must_alloc(16 * PAGE, MEM_RESERVE, PAGE_NOACCESS);
    CHECK(VirtualAlloc(inherited, PAGE, MEM_COMMIT, PAGE_READWRITE) == inherited);
    memset(inherited, 9, PAGE);
    for (int round = 0; round < 100; round++) {
        int status = run_in_child(use_in_child, errors, sizeof errors);
        CHECK_EQUAL(0, status);
        if (status != 0)
            fputs(errors, stderr);
    }
    check_region(inherited, inherited, PAGE_NOACCESS, PAGE, PAGE_READWRITE);
    check_region(inherited + PAGE, inherited, PAGE_NOACCESS, 15 * PAGE, 0);
    CHECK(all_bytes(inherited, PAGE, 9));
    must_release(inherited);
}

TEST("a child of fork has reservations of its own while the parent's threads change theirs") { with_threads(fork_often); }
