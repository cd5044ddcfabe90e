/* Pages for the groups of memory functions to look at. */
#include "memory.h"

const char *where(const void *result, const void *expected) { return result == NULL ? "NULL" : result == expected ? "where expected" : "elsewhere"; }

const char *state_name(DWORD state) { return state == MEM_COMMIT ? "committed" : state == MEM_RESERVE ? "reserved" : state == MEM_FREE ? "free" : number(state); }

static const char *type_name(DWORD type)
{
    return type == MEM_PRIVATE ? "private" : type == MEM_IMAGE ? "image" : type == MEM_MAPPED ? "mapped" : type == 0 ? "no type" : number(type);
}

const char *described(const void *address)
{
    MEMORY_BASIC_INFORMATION range;
    memset(&range, 0xCD, sizeof range);
    SIZE_T length = VirtualQuery(address, &range, sizeof range);
    if (length != sizeof range)
        return named("length %s", size(length));
    if (range.State == MEM_FREE)
        return named("free, %s, base %s, %s", number(range.Protect), range.AllocationBase == NULL ? "NULL" : "not NULL", type_name(range.Type));
    return named("%s, %s, %lld pages, %lld before, reserved with %s, %s", state_name(range.State), number(range.Protect), (long long)range.RegionSize / PAGE,
        (long long)((char *)range.BaseAddress - (char *)range.AllocationBase) / PAGE, number(range.AllocationProtect), type_name(range.Type));
}

char *reserve_pages(void) { return VirtualAlloc(NULL, 16 * PAGE, MEM_RESERVE, PAGE_READWRITE); }

char *commit_pages(void)
{
    char *pages = VirtualAlloc(NULL, 16 * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    memset(pages, 'x', 16 * PAGE);
    return pages;
}

void release_pages(void *pages)
{
    if (!VirtualFree(pages, 0, MEM_RELEASE))
        observe("pages are released", "no");
}

static const char *read_byte(const void *address)
{
    (void)*(const volatile char *)address;
    return "yes";
}

static const char *write_byte(void *address)
{
    volatile char *byte = address;
    *byte = *byte;
    return "yes";
}

int is_readable(const void *address)
{
    const char *result = RAISED_OR(read_byte(address));
    return strcmp(result, "yes") == 0;
}

int is_writable(void *address)
{
    const char *result = RAISED_OR(write_byte(address));
    return strcmp(result, "yes") == 0;
}
