/* VirtualProtect and VirtualQuery. */
#include "memory.h"

static const char *protected(void *address, SIZE_T bytes, DWORD protection)
{
    DWORD before = 0x77;
    BOOL done = VirtualProtect(address, bytes, protection, &before);
    return named("%s, before it %s", yes(done), number(before));
}

#define OBSERVE_PROTECTION(name, ...) observe_result(name, RAISED_OR((forget_error(), protected(__VA_ARGS__))))

static void to_protection(char *pages, DWORD protection)
{
    OBSERVE_PROTECTION(named("to %s", number(protection)), pages + 2 * PAGE, PAGE, protection);
    observe(named("to %s, what it is", number(protection)), "%s", described(pages + 2 * PAGE));
}

static void to_accessible(char *pages, DWORD protection)
{
    DWORD before;
    VirtualProtect(pages + 2 * PAGE, PAGE, protection, &before);
    observe(named("to %s, can be read", number(protection)), "%s", yes(is_readable(pages + 2 * PAGE)));
    observe(named("to %s, can be written", number(protection)), "%s", yes(is_writable(pages + 2 * PAGE)));
}

void virtual_protect(void)
{
    static const DWORD protections[] = {
        PAGE_NOACCESS, PAGE_READONLY, PAGE_EXECUTE, PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE, PAGE_READWRITE | PAGE_GUARD, PAGE_READWRITE | PAGE_NOCACHE,
        PAGE_READWRITE, 0, PAGE_GUARD, PAGE_READWRITE | PAGE_READONLY, PAGE_WRITECOPY, PAGE_EXECUTE_WRITECOPY, PAGE_NOACCESS | PAGE_GUARD, 0x1000, 0xFFFFFFFF,
    };
    char *pages = commit_pages();
    DWORD before;
    for (size_t i = 0; i < sizeof protections / sizeof *protections; i++)
        to_protection(pages, protections[i]);
    to_accessible(pages, PAGE_NOACCESS);
    to_accessible(pages, PAGE_READONLY);
    to_accessible(pages, PAGE_EXECUTE_READ);
    to_accessible(pages, PAGE_EXECUTE_READWRITE);
    to_accessible(pages, PAGE_READWRITE);
    observe("what was there stays", "%s", yes(all_bytes(pages, 16 * PAGE, 'x')));
    OBSERVE_PROTECTION("2 bytes across a page's end", pages + 4 * PAGE - 1, 2, PAGE_READONLY);
    observe("2 bytes across a page's end, both pages", "%s", described(pages + 3 * PAGE));
    observe("2 bytes across a page's end, the page before", "%s", described(pages + 2 * PAGE));
    OBSERVE_PROTECTION("over pages of two kinds, the first counts", pages + 4 * PAGE, 4 * PAGE, PAGE_EXECUTE_READ);
    OBSERVE_PROTECTION("0 bytes", pages + 8 * PAGE, 0, PAGE_READONLY);
    OBSERVE_PROTECTION("beyond the end", pages + 15 * PAGE, 2 * PAGE, PAGE_READONLY);
    OBSERVE_PROTECTION("impossible size", pages + 15 * PAGE, NO_SIZE, PAGE_READONLY);
    observe("beyond the end, the last page", "%s", described(pages + 15 * PAGE));
    OBSERVE_BOOL("nowhere to say what it was", VirtualProtect(pages + 9 * PAGE, PAGE, PAGE_READONLY, NULL));
    VirtualFree(pages + 12 * PAGE, PAGE, MEM_DECOMMIT);
    OBSERVE_PROTECTION("a decommitted page", pages + 12 * PAGE, PAGE, PAGE_READONLY);
    OBSERVE_PROTECTION("across a decommitted page", pages + 11 * PAGE, 3 * PAGE, PAGE_READONLY);
    observe("across a decommitted page, the page before it", "%s", described(pages + 11 * PAGE));
    release_pages(pages);
    OBSERVE_PROTECTION("released pages", pages, PAGE, PAGE_READONLY);
    OBSERVE_PROTECTION("NULL", NULL, PAGE, PAGE_READONLY);
    OBSERVE_PROTECTION("the kernel's half", KERNEL_ADDRESS, PAGE, PAGE_READONLY);
    pages = reserve_pages();
    OBSERVE_PROTECTION("reserved pages", pages, PAGE, PAGE_READONLY);
    OBSERVE_BOOL("reserved pages, 0 bytes", VirtualProtect(pages, 0, PAGE_READONLY, &before));
    release_pages(pages);
}

static SIZE_T asked(const void *address, SIZE_T bytes)
{
    MEMORY_BASIC_INFORMATION ranges[2];
    return VirtualQuery(address, ranges, bytes);
}

void virtual_query(void)
{
    char *pages = reserve_pages(), *other = VirtualAlloc(NULL, 16 * PAGE, MEM_RESERVE, PAGE_READONLY);
    observe("reserved, the first page", "%s", described(pages));
    observe("reserved, the last byte", "%s", described(pages + 16 * PAGE - 1));
    observe("reserved with another protection", "%s", described(other));
    VirtualAlloc(pages + 4 * PAGE, 4 * PAGE, MEM_COMMIT, PAGE_READWRITE);
    observe("partly committed, before it", "%s", described(pages));
    observe("partly committed, it", "%s", described(pages + 4 * PAGE));
    observe("partly committed, inside its second page", "%s", described(pages + 5 * PAGE + 77));
    observe("partly committed, behind it", "%s", described(pages + 8 * PAGE));
    DWORD before;
    VirtualProtect(pages + 6 * PAGE, PAGE, PAGE_READONLY, &before);
    observe("partly read only, before it", "%s", described(pages + 4 * PAGE));
    observe("partly read only, it", "%s", described(pages + 6 * PAGE));
    observe("partly read only, behind it", "%s", described(pages + 7 * PAGE));
    MEMORY_BASIC_INFORMATION range;
    VirtualQuery(pages + 5 * PAGE + 77, &range, sizeof range);
    observe("base address is the page's", "%s", yes(range.BaseAddress == pages + 5 * PAGE));
    observe("base of the allocation", "%s", yes(range.AllocationBase == pages));
    OBSERVE_SIZE("length of the answer", asked(pages, sizeof range));
    OBSERVE_SIZE("length of the answer, buffer of two", asked(pages, 2 * sizeof range));
    OBSERVE_SIZE("buffer too short by one", asked(pages, sizeof range - 1));
    OBSERVE_SIZE("buffer of no length", asked(pages, 0));
    release_pages(other);
    release_pages(pages);
    observe("released", "%s", described(pages));
    observe("the first page of all", "%s", described(NULL));
    OBSERVE_SIZE("the kernel's half", asked(KERNEL_ADDRESS, sizeof range));
    OBSERVE_SIZE("the last address of all", asked((void *)~(uintptr_t)0, sizeof range));
    VirtualQuery(&range, &range, sizeof range);
    observe("the stack", "%s, %s", state_name(range.State), number(range.Protect));
    VirtualQuery((void *)(uintptr_t)virtual_query, &range, sizeof range);
    observe("code", "%s, %s", state_name(range.State), number(range.Protect));
    static const char constant[] = "constant";
    VirtualQuery(constant, &range, sizeof range);
    observe("constants", "%s, %s", state_name(range.State), number(range.Protect));
    observe("code and constants are an image", "%s", yes(range.Type == MEM_IMAGE));
    void *block = HeapAlloc(GetProcessHeap(), 0, 100);
    VirtualQuery(block, &range, sizeof range);
    observe("a heap block", "%s, %s", state_name(range.State), number(range.Protect));
    HeapFree(GetProcessHeap(), 0, block);
}

/* Wine keeps a lock when it fails like this, and no thread can be created any more. */
void virtual_query_nowhere(void) { OBSERVE_SIZE("no buffer", VirtualQuery(&virtual_query_nowhere, NULL, sizeof(MEMORY_BASIC_INFORMATION))); }
