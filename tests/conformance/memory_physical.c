/* AllocateUserPhysicalPages, MapUserPhysicalPages, MapUserPhysicalPagesScatter and FreeUserPhysicalPages. */
#include "memory.h"

static char *window(int pages) { return VirtualAlloc(NULL, (SIZE_T)pages * PAGE, MEM_RESERVE | MEM_PHYSICAL, PAGE_READWRITE); }

/* Frames for the groups that need some; 0 where the system gives none. */
static ULONG_PTR take(ULONG_PTR count, ULONG_PTR *frames)
{
    ULONG_PTR got = count;
    return AllocateUserPhysicalPages(GetCurrentProcess(), &got, frames) ? got : 0;
}

static void give_back(ULONG_PTR count, ULONG_PTR *frames)
{
    if (count != 0)
        FreeUserPhysicalPages(GetCurrentProcess(), &count, frames);
}

static int are_different(const ULONG_PTR *frames, ULONG_PTR count)
{
    for (ULONG_PTR i = 0; i < count; i++)
        for (ULONG_PTR k = 0; k < i; k++)
            if (frames[i] == frames[k])
                return 0;
    return 1;
}

void allocate_user_physical_pages(void)
{
    ULONG_PTR frames[32] = { 0 }, count = 8;
    OBSERVE_BOOL("8 pages", AllocateUserPhysicalPages(GetCurrentProcess(), &count, frames));
    observe("8 pages, how many come", "%s", number(count));
    observe("8 pages, frames are different", "%s", yes(count == 8 && are_different(frames, count)));
    observe("8 pages, the rest of the array is left alone", "%s", yes(frames[8] == 0));
    if (count == 8)
        give_back(count, frames);
    count = 0;
    OBSERVE_BOOL("no page", AllocateUserPhysicalPages(GetCurrentProcess(), &count, frames));
    count = 4;
    OBSERVE_BOOL("no array", AllocateUserPhysicalPages(GetCurrentProcess(), &count, NULL));
    OBSERVE_BOOL("no count", AllocateUserPhysicalPages(GetCurrentProcess(), NULL, frames));
    count = 4;
    OBSERVE_BOOL("no process", AllocateUserPhysicalPages(NULL, &count, frames));
}

void map_user_physical_pages(void)
{
    ULONG_PTR frames[8] = { 0 }, count = take(8, frames);
    char *first = window(8), *second = window(8);
    observe("a window", "%s", yes(first != NULL && second != NULL));
    observe("a window, what it is", "%s", described(first));
    int usable = first != NULL && second != NULL && count == 8;
    OBSERVE_BOOL("8 pages", MapUserPhysicalPages(first, 8, frames));
    observe("8 pages, can be written", "%s", yes(usable && is_writable(first) && is_writable(first + 7 * PAGE)));
    if (usable)
        memset(first, 'x', 8 * PAGE);
    OBSERVE_BOOL("none there", MapUserPhysicalPages(first, 8, NULL));
    observe("none there, can be read", "%s", yes(usable && is_readable(first)));
    OBSERVE_BOOL("elsewhere", MapUserPhysicalPages(second, 8, frames));
    observe("elsewhere, what was written is there", "%s", yes(usable && all_bytes(second, 8 * PAGE, 'x')));
    OBSERVE_BOOL("the same frame at a second address", MapUserPhysicalPages(first, 1, frames));
    OBSERVE_BOOL("0 pages", MapUserPhysicalPages(first, 0, frames));
    OBSERVE_BOOL("more pages than the window", MapUserPhysicalPages(first, 9, NULL));
    OBSERVE_BOOL("a frame that is none", MapUserPhysicalPages(first, 1, &(ULONG_PTR){ 0x7FFFFFFF }));
    OBSERVE_BOOL("not at a window", MapUserPhysicalPages(LOW_ADDRESS, 1, frames));
    char *ordinary = reserve_pages();
    OBSERVE_BOOL("at an ordinary reservation", MapUserPhysicalPages(ordinary, 1, frames));
    release_pages(ordinary);
    if (usable) {
        MapUserPhysicalPages(second, 8, NULL);
        VirtualFree(first, 0, MEM_RELEASE);
        VirtualFree(second, 0, MEM_RELEASE);
    }
    give_back(count, frames);
}

void map_user_physical_pages_scatter(void)
{
    ULONG_PTR frames[3] = { 0 }, count = take(3, frames), none[3] = { 0, 0, 0 };
    char *view = window(8);
    PVOID addresses[3] = { view, view + 5 * PAGE, view + 2 * PAGE }, wrong[3] = { view, LOW_ADDRESS, view };
    int usable = view != NULL && count == 3;
    OBSERVE_BOOL("3 pages", MapUserPhysicalPagesScatter(addresses, 3, frames));
    observe("3 pages, can be written", "%s", yes(usable && is_writable(view) && is_writable(view + 5 * PAGE) && is_writable(view + 2 * PAGE)));
    observe("3 pages, what lies between can be read", "%s", yes(usable && is_readable(view + PAGE)));
    OBSERVE_BOOL("none there", MapUserPhysicalPagesScatter(addresses, 3, NULL));
    observe("none there, can be read", "%s", yes(usable && is_readable(view)));
    OBSERVE_BOOL("frames 0", MapUserPhysicalPagesScatter(addresses, 3, none));
    OBSERVE_BOOL("an address that is no window's", MapUserPhysicalPagesScatter(wrong, 3, frames));
    observe("an address that is no window's, nothing is mapped", "%s", yes(usable && is_readable(view)));
    OBSERVE_BOOL("0 pages", MapUserPhysicalPagesScatter(addresses, 0, frames));
    if (view != NULL)
        VirtualFree(view, 0, MEM_RELEASE);
    give_back(count, frames);
}

void free_user_physical_pages(void)
{
    ULONG_PTR frames[8] = { 0 }, count = take(8, frames), number_freed = count != 0 ? count : 8;
    char *view = window(8);
    if (view != NULL)
        MapUserPhysicalPages(view, 8, frames);
    OBSERVE_BOOL("8 mapped pages", FreeUserPhysicalPages(GetCurrentProcess(), &number_freed, frames));
    observe("8 mapped pages, how many", "%s", number(number_freed));
    observe("8 mapped pages, can be read", "%s", yes(view != NULL && is_readable(view)));
    number_freed = 8;
    OBSERVE_BOOL("8 pages that are freed already", FreeUserPhysicalPages(GetCurrentProcess(), &number_freed, frames));
    observe("8 pages that are freed already, how many", "%s", number(number_freed));
    number_freed = 0;
    OBSERVE_BOOL("no page", FreeUserPhysicalPages(GetCurrentProcess(), &number_freed, frames));
    number_freed = 1;
    OBSERVE_BOOL("no array", FreeUserPhysicalPages(GetCurrentProcess(), &number_freed, NULL));
    OBSERVE_BOOL("no count", FreeUserPhysicalPages(GetCurrentProcess(), NULL, frames));
    if (view != NULL)
        VirtualFree(view, 0, MEM_RELEASE);
}
