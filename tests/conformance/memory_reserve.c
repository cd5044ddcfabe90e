/* VirtualAlloc and VirtualFree. */
#include "memory.h"

/* Allocates anywhere and releases. */
static const char *allocated(SIZE_T bytes, DWORD type, DWORD protection)
{
    void *pages = VirtualAlloc(NULL, bytes, type, protection);
    if (pages == NULL)
        return "NULL";
    const char *text = described(pages);
    return VirtualFree(pages, 0, MEM_RELEASE) ? text : "what cannot be released";
}

#define OBSERVE_PAGES(name, ...) observe_result(name, RAISED_OR((forget_error(), allocated(__VA_ARGS__))))

static void observe_types(void)
{
    OBSERVE_PAGES("reserve, 1 byte", 1, MEM_RESERVE, PAGE_READWRITE);
    OBSERVE_PAGES("reserve, 16 pages", 16 * PAGE, MEM_RESERVE, PAGE_READWRITE);
    OBSERVE_PAGES("reserve, 16 pages and a byte", 16 * PAGE + 1, MEM_RESERVE, PAGE_READWRITE);
    OBSERVE_PAGES("commit, 1 byte", 1, MEM_COMMIT, PAGE_READWRITE);
    OBSERVE_PAGES("commit, 16 pages", 16 * PAGE, MEM_COMMIT, PAGE_READWRITE);
    OBSERVE_PAGES("commit, a page and a byte", PAGE + 1, MEM_COMMIT, PAGE_READWRITE);
    OBSERVE_PAGES("reserve and commit, 16 pages", 16 * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    OBSERVE_PAGES("reserve, 1 GiB", (SIZE_T)1 << 30, MEM_RESERVE, PAGE_NOACCESS);
    OBSERVE_PAGES("reserve, 0 bytes", 0, MEM_RESERVE, PAGE_READWRITE);
    OBSERVE_PAGES("commit, 0 bytes", 0, MEM_COMMIT, PAGE_READWRITE);
    OBSERVE_PAGES("no type", PAGE, 0, PAGE_READWRITE);
    OBSERVE_PAGES("reserve, impossible size", NO_SIZE, MEM_RESERVE, PAGE_READWRITE);
    OBSERVE_PAGES("reserve, all addresses", (SIZE_T)1 << 47, MEM_RESERVE, PAGE_READWRITE);
    OBSERVE_PAGES("reserve, from the top", PAGE, MEM_RESERVE | MEM_TOP_DOWN, PAGE_READWRITE);
    OBSERVE_PAGES("top down alone", PAGE, MEM_TOP_DOWN, PAGE_READWRITE);
    OBSERVE_PAGES("reserve and commit, from the top", PAGE, MEM_RESERVE | MEM_COMMIT | MEM_TOP_DOWN, PAGE_READWRITE);
    OBSERVE_PAGES("decommit", PAGE, MEM_DECOMMIT, PAGE_READWRITE);
    OBSERVE_PAGES("release", PAGE, MEM_RELEASE, PAGE_READWRITE);
    OBSERVE_PAGES("reset and commit", PAGE, MEM_RESET | MEM_COMMIT, PAGE_READWRITE);
    OBSERVE_PAGES("physical without reserve", PAGE, MEM_PHYSICAL, PAGE_READWRITE);
    OBSERVE_PAGES("physical and commit", PAGE, MEM_RESERVE | MEM_PHYSICAL | MEM_COMMIT, PAGE_READWRITE);
    OBSERVE_PAGES("physical, read only", PAGE, MEM_RESERVE | MEM_PHYSICAL, PAGE_READONLY);
    OBSERVE_PAGES("physical", PAGE, MEM_RESERVE | MEM_PHYSICAL, PAGE_READWRITE);
}

static void by_protection(DWORD protection) { OBSERVE_PAGES(named("commit with protection %s", number(protection)), PAGE, MEM_COMMIT, protection); }

static void reserve_by_protection(DWORD protection) { OBSERVE_PAGES(named("reserve with protection %s", number(protection)), PAGE, MEM_RESERVE, protection); }

/* Commits pages and says what can be done with them. */
static void access_by_protection(DWORD protection)
{
    char *page = VirtualAlloc(NULL, PAGE, MEM_COMMIT, protection);
    observe(named("protection %s, can be read", number(protection)), "%s", yes(is_readable(page)));
    observe(named("protection %s, can be written", number(protection)), "%s", yes(is_writable(page)));
    release_pages(page);
}

static void observe_protections(void)
{
    static const DWORD protections[] = {
        0, PAGE_NOACCESS, PAGE_READONLY, PAGE_READWRITE, PAGE_WRITECOPY, PAGE_EXECUTE, PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE, PAGE_EXECUTE_WRITECOPY,
        PAGE_GUARD, PAGE_NOCACHE, PAGE_READWRITE | PAGE_GUARD, PAGE_READONLY | PAGE_GUARD, PAGE_NOACCESS | PAGE_GUARD, PAGE_READWRITE | PAGE_NOCACHE,
        PAGE_READWRITE | PAGE_READONLY, PAGE_READWRITE | PAGE_EXECUTE, 0x10000, 0xFFFFFFFF,
    };
    for (size_t i = 0; i < sizeof protections / sizeof *protections; i++)
        by_protection(protections[i]);
    reserve_by_protection(0);
    reserve_by_protection(PAGE_NOACCESS);
    reserve_by_protection(PAGE_READONLY);
    reserve_by_protection(PAGE_EXECUTE_READWRITE);
    reserve_by_protection(PAGE_READWRITE | PAGE_GUARD);
    access_by_protection(PAGE_NOACCESS);
    access_by_protection(PAGE_READONLY);
    access_by_protection(PAGE_READWRITE);
    access_by_protection(PAGE_EXECUTE_READ);
    access_by_protection(PAGE_EXECUTE_READWRITE);
}

static void observe_addresses(void)
{
    char *pages = reserve_pages();
    observe("a reservation begins at a multiple of 64 KiB", "%s", yes((uintptr_t)pages % UNIT == 0));
    OBSERVE_ADDRESS("commit page 3", VirtualAlloc(pages + 3 * PAGE, PAGE, MEM_COMMIT, PAGE_READWRITE), pages + 3 * PAGE);
    observe("commit page 3, is zero", "%s", yes(all_bytes(pages + 3 * PAGE, PAGE, 0)));
    observe("commit page 3, page 0", "%s", described(pages));
    observe("commit page 3, page 3", "%s", described(pages + 3 * PAGE));
    observe("commit page 3, page 4", "%s", described(pages + 4 * PAGE));
    memset(pages + 3 * PAGE, 'x', PAGE);
    OBSERVE_ADDRESS("commit it again", VirtualAlloc(pages + 3 * PAGE, PAGE, MEM_COMMIT, PAGE_READWRITE), pages + 3 * PAGE);
    observe("commit it again, what was there stays", "%s", yes(all_bytes(pages + 3 * PAGE, PAGE, 'x')));
    OBSERVE_ADDRESS("commit it with neighbors", VirtualAlloc(pages + 2 * PAGE, 3 * PAGE, MEM_COMMIT, PAGE_READWRITE), pages + 2 * PAGE);
    observe("commit it with neighbors, what was there stays", "%s", yes(all_bytes(pages + 3 * PAGE, PAGE, 'x')));
    OBSERVE_ADDRESS("commit from inside a page", VirtualAlloc(pages + 6 * PAGE + 100, 1, MEM_COMMIT, PAGE_READWRITE), pages + 6 * PAGE);
    OBSERVE_ADDRESS("commit 2 bytes across a page's end", VirtualAlloc(pages + 8 * PAGE - 1, 2, MEM_COMMIT, PAGE_READWRITE), pages + 7 * PAGE);
    observe("commit 2 bytes across a page's end, both pages", "%s", described(pages + 7 * PAGE));
    OBSERVE_ADDRESS("commit with another protection", VirtualAlloc(pages + 10 * PAGE, PAGE, MEM_COMMIT, PAGE_READONLY), pages + 10 * PAGE);
    observe("commit with another protection, what it is", "%s", described(pages + 10 * PAGE));
    OBSERVE_ADDRESS("commit it with a third", VirtualAlloc(pages + 10 * PAGE, PAGE, MEM_COMMIT, PAGE_READWRITE), pages + 10 * PAGE);
    observe("commit it with a third, what it is", "%s", described(pages + 10 * PAGE));
    OBSERVE_ADDRESS("commit beyond the end", VirtualAlloc(pages + 15 * PAGE, 2 * PAGE, MEM_COMMIT, PAGE_READWRITE), pages + 15 * PAGE);
    OBSERVE_ADDRESS("reserve what is reserved", VirtualAlloc(pages, PAGE, MEM_RESERVE, PAGE_READWRITE), pages);
    OBSERVE_ADDRESS("reserve and commit what is reserved", VirtualAlloc(pages + 4 * PAGE, PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE), pages + 4 * PAGE);
    OBSERVE_ADDRESS("reset a committed page", VirtualAlloc(pages + 3 * PAGE, PAGE, MEM_RESET, PAGE_READWRITE), pages + 3 * PAGE);
    observe("reset a committed page, stays committed", "%s", yes(is_writable(pages + 3 * PAGE)));
    OBSERVE_ADDRESS("reset a reserved page", VirtualAlloc(pages + 15 * PAGE, PAGE, MEM_RESET, PAGE_READWRITE), pages + 15 * PAGE);
    release_pages(pages);
    OBSERVE_ADDRESS("commit what was released", VirtualAlloc(pages, PAGE, MEM_COMMIT, PAGE_READWRITE), pages);
    OBSERVE_ADDRESS("reserve at that address", VirtualAlloc(pages, 16 * PAGE, MEM_RESERVE, PAGE_READWRITE), pages);
    release_pages(pages);
    OBSERVE_ADDRESS("reserve at an address within 64 KiB", VirtualAlloc(pages + PAGE, PAGE, MEM_RESERVE, PAGE_READWRITE), pages);
    observe("reserve at an address within 64 KiB, what it is", "%s", described(pages));
    release_pages(pages);
    OBSERVE_ADDRESS("commit at an address that nobody reserved", VirtualAlloc(LOW_ADDRESS, PAGE, MEM_COMMIT, PAGE_READWRITE), LOW_ADDRESS);
    OBSERVE_ADDRESS("reserve the first page", VirtualAlloc(LOW_ADDRESS, PAGE, MEM_RESERVE, PAGE_READWRITE), NULL);
    OBSERVE_ADDRESS("reserve in the kernel's half", VirtualAlloc(KERNEL_ADDRESS, PAGE, MEM_RESERVE, PAGE_READWRITE), NULL);
    OBSERVE_ADDRESS("commit in the kernel's half", VirtualAlloc(KERNEL_ADDRESS, PAGE, MEM_COMMIT, PAGE_READWRITE), NULL);
    OBSERVE_ADDRESS("reset at an address that nobody reserved", VirtualAlloc(LOW_ADDRESS, PAGE, MEM_RESET, PAGE_READWRITE), LOW_ADDRESS);
}

void virtual_alloc(void)
{
    observe_types();
    observe_protections();
    observe_addresses();
}

static void observe_decommit(void)
{
    char *pages = commit_pages();
    OBSERVE_BOOL("decommit page 3", VirtualFree(pages + 3 * PAGE, PAGE, MEM_DECOMMIT));
    observe("decommit page 3, page 2", "%s", described(pages + 2 * PAGE));
    observe("decommit page 3, page 3", "%s", described(pages + 3 * PAGE));
    observe("decommit page 3, can be read", "%s", yes(is_readable(pages + 3 * PAGE)));
    observe("decommit page 3, its neighbors stay", "%s", yes(all_bytes(pages, 3 * PAGE, 'x') && all_bytes(pages + 4 * PAGE, 12 * PAGE, 'x')));
    OBSERVE_BOOL("decommit it again", VirtualFree(pages + 3 * PAGE, PAGE, MEM_DECOMMIT));
    VirtualAlloc(pages + 3 * PAGE, PAGE, MEM_COMMIT, PAGE_READWRITE);
    observe("decommit page 3, committed again it is zero", "%s", yes(all_bytes(pages + 3 * PAGE, PAGE, 0)));
    OBSERVE_BOOL("decommit 2 bytes across a page's end", VirtualFree(pages + 6 * PAGE - 1, 2, MEM_DECOMMIT));
    observe("decommit 2 bytes across a page's end, both pages", "%s", described(pages + 5 * PAGE));
    OBSERVE_BOOL("decommit beyond the end", VirtualFree(pages + 15 * PAGE, 2 * PAGE, MEM_DECOMMIT));
    OBSERVE_BOOL("decommit from inside, 0 bytes", VirtualFree(pages + 8 * PAGE, 0, MEM_DECOMMIT));
    observe("the last page stays", "%s", yes(all_bytes(pages + 15 * PAGE, PAGE, 'x')));
    OBSERVE_BOOL("decommit from the beginning, 0 bytes", VirtualFree(pages, 0, MEM_DECOMMIT));
    observe("decommit from the beginning, 0 bytes, what it is", "%s", described(pages));
    release_pages(pages);
}

void virtual_free(void)
{
    observe_decommit();
    char *pages = commit_pages();
    OBSERVE_BOOL("release with a size", VirtualFree(pages, 16 * PAGE, MEM_RELEASE));
    OBSERVE_BOOL("release from inside", VirtualFree(pages + PAGE, 0, MEM_RELEASE));
    OBSERVE_BOOL("release and decommit", VirtualFree(pages, 0, MEM_RELEASE | MEM_DECOMMIT));
    OBSERVE_BOOL("no type", VirtualFree(pages, 0, 0));
    OBSERVE_BOOL("another type", VirtualFree(pages, 0, MEM_COMMIT));
    OBSERVE_BOOL("type of all bits", VirtualFree(pages, 0, 0xFFFFFFFF));
    observe("refused, all is as it was", "%s", yes(all_bytes(pages, 16 * PAGE, 'x')));
    OBSERVE_BOOL("release from inside the first page", VirtualFree(pages + 100, 0, MEM_RELEASE));
    pages = commit_pages();
    OBSERVE_BOOL("release", VirtualFree(pages, 0, MEM_RELEASE));
    observe("release, what it is", "%s", described(pages));
    observe("release, can be read", "%s", yes(is_readable(pages)));
    OBSERVE_BOOL("release again", VirtualFree(pages, 0, MEM_RELEASE));
    OBSERVE_BOOL("decommit what was released", VirtualFree(pages, PAGE, MEM_DECOMMIT));
    OBSERVE_BOOL("release NULL", VirtualFree(NULL, 0, MEM_RELEASE));
    OBSERVE_BOOL("decommit NULL", VirtualFree(NULL, 0, MEM_DECOMMIT));
    OBSERVE_BOOL("release in the kernel's half", VirtualFree(KERNEL_ADDRESS, 0, MEM_RELEASE));
    OBSERVE_BOOL("decommit in the kernel's half", VirtualFree(KERNEL_ADDRESS, PAGE, MEM_DECOMMIT));
    pages = reserve_pages();
    OBSERVE_BOOL("release what is only reserved", VirtualFree(pages, 0, MEM_RELEASE));
}
