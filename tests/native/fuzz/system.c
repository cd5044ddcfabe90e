/* What is asked of the machine and the process; physical pages: frames that show at one page of a window at a time, and keep their bytes meanwhile. */
#include "pages.h"

static void system_info(struct actor *actor)
{
    SYSTEM_INFO info, again;
    memset(&info, 0xAB, sizeof info);
    memset(&again, 0xCD, sizeof again);
    forget_error();
    GetSystemInfo(&info);
    GetSystemInfo(&again);
    MUST_LEAVE(UNTOUCHED);
    MUST(memcmp(&info, &again, sizeof info) == 0);
    MUST(info.dwPageSize == PAGE && info.dwAllocationGranularity == 64 * KiB && info.dwNumberOfProcessors > 0);
}

static void memory_status(struct actor *actor)
{
    MEMORYSTATUSEX status = { .dwLength = sizeof status };
    forget_error();
    if (once_in(actor, 2)) {
        status.dwLength = (DWORD)random_bits(actor) & ~(DWORD)64;
        MUST(!GlobalMemoryStatusEx(&status));
        MUST_LEAVE(ERROR_INVALID_PARAMETER);
        return;
    }
    MUST(GlobalMemoryStatusEx(&status));
    MUST_LEAVE(UNTOUCHED);
    MUST(status.dwMemoryLoad <= 100 && status.ullAvailPhys <= status.ullTotalPhys && status.ullAvailVirtual <= status.ullTotalVirtual);
}

static void process(struct actor *actor)
{
    forget_error();
    MUST(GetCurrentProcess() == INVALID_HANDLE_VALUE && GetCurrentProcessId() == (DWORD)getpid());
    MUST(GetLargePageMinimum() == 0);
    MUST_LEAVE(UNTOUCHED);
}

/* One window and some frames for each actor. shown[page] is the frame that shows there, or -1; fills are the frames' bytes. */
enum { FRAMES = 12, WINDOW_PAGES = 16 };
struct frames {
    char *window;
    ULONG_PTR numbers[FRAMES];
    unsigned char fills[FRAMES];
    int count, shown[WINDOW_PAGES];
};
static __thread struct frames frames;

static int page_of(int frame)
{
    for (int page = 0; page < WINDOW_PAGES; page++)
        if (frames.shown[page] == frame)
            return page;
    return -1;
}

static void check_window(struct actor *actor)
{
    for (int page = 0; page < WINDOW_PAGES; page++)
        if (frames.shown[page] >= 0)
            MUST(all_bytes(frames.window + page * PAGE, PAGE, frames.fills[frames.shown[page]]));
}

static void need_window(struct actor *actor)
{
    if (frames.window != NULL)
        return;
    frames.window = VirtualAlloc(NULL, WINDOW_PAGES * PAGE, MEM_RESERVE | MEM_PHYSICAL, PAGE_READWRITE);
    MUST(frames.window != NULL);
    for (int page = 0; page < WINDOW_PAGES; page++)
        frames.shown[page] = -1;
}

static void allocate_frames(struct actor *actor)
{
    ULONG_PTR count = below(actor, FRAMES - frames.count + 1), wanted = count;
    need_window(actor);
    forget_error();
    if (once_in(actor, 4)) {
        MUST(!AllocateUserPhysicalPages(once_in(actor, 2) ? NULL : bad_handle(actor) == INVALID_HANDLE_VALUE ? NULL : (HANDLE)0x1234, &count, frames.numbers));
        MUST_LEAVE(ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER);
        count = 1;
        forget_error();
        MUST(!AllocateUserPhysicalPages(GetCurrentProcess(), once_in(actor, 2) ? NULL : &count, NULL));
        MUST_LEAVE(ERROR_NOACCESS, ERROR_INVALID_PARAMETER);
        return;
    }
    BOOL done = AllocateUserPhysicalPages(GetCurrentProcess(), &count, frames.numbers + frames.count);
    MUST_LEAVE(done ? UNTOUCHED : ERROR_NO_SYSTEM_RESOURCES);
    if (!done)
        return;
    MUST(count <= wanted && (count > 0 || wanted == 0));
    for (int i = 0; i < (int)count; i++) {
        for (int k = 0; k < frames.count; k++)
            MUST(frames.numbers[k] != frames.numbers[frames.count]);
        frames.fills[frames.count++] = 0;
    }
}

/* Shows frames at neighboring pages or takes what is there away; a frame that shows elsewhere is refused, and so is one that comes twice. */
static void map_frames(struct actor *actor, int is_scattered)
{
    need_window(actor);
    int first = (int)below(actor, WINDOW_PAGES), count = 1 + (int)below(actor, WINDOW_PAGES - first), is_empty = once_in(actor, 4), is_good = 1;
    ULONG_PTR numbers[WINDOW_PAGES];
    int wanted[WINDOW_PAGES];
    void *addresses[WINDOW_PAGES];
    if (frames.count == 0)
        is_empty = 1;
    for (int i = 0; i < count; i++) {
        addresses[i] = frames.window + (first + i) * PAGE;
        wanted[i] = is_empty ? -1 : (int)below(actor, frames.count);
        numbers[i] = is_empty ? 0 : frames.numbers[wanted[i]];
        int page = is_empty ? -1 : page_of(wanted[i]);
        /* A frame that shows in the range may be said to be free, or not: the documents leave it open. */
        is_good &= page < 0;
        for (int k = 0; k < i; k++)
            is_good &= is_empty || wanted[k] != wanted[i];
    }
    check_window(actor);
    forget_error();
    ULONG_PTR *array = is_empty ? NULL : numbers;
    BOOL done = is_scattered ? MapUserPhysicalPagesScatter(addresses, count, array) : MapUserPhysicalPages(addresses[0], count, array);
    MUST(done || !is_good);
    MUST_LEAVE(done ? UNTOUCHED : ERROR_INVALID_PARAMETER);
    for (int i = 0; done && i < count; i++) {
        int before = wanted[i] >= 0 ? page_of(wanted[i]) : -1;
        MUST(before < 0 || (before >= first && before < first + count));
    }
    for (int i = 0; done && i < count; i++)
        frames.shown[first + i] = -1;
    for (int i = 0; done && i < count; i++)
        frames.shown[first + i] = wanted[i];
    check_window(actor);
    for (int i = 0; done && i < count; i++)
        if (wanted[i] >= 0) {
            frames.fills[wanted[i]] = (unsigned char)random_bits(actor);
            memset(addresses[i], frames.fills[wanted[i]], PAGE);
        }
}

static void map_neighbors(struct actor *actor)
{
    if (once_in(actor, 4)) {
        ULONG_PTR wrong = (ULONG_PTR)random_bits(actor) | (ULONG_PTR)1 << 62;
        need_window(actor);
        forget_error();
        MUST(!MapUserPhysicalPages(once_in(actor, 2) ? nobodys_address(actor) : frames.window, 1, &wrong));
        MUST_LEAVE(ERROR_INVALID_PARAMETER);
        MUST(!MapUserPhysicalPages(frames.window, WINDOW_PAGES + 1 + below(actor, 1000), NULL));
    }
    map_frames(actor, 0);
}

static void map_scattered(struct actor *actor) { map_frames(actor, 1); }

static void free_frames(struct actor *actor)
{
    if (once_in(actor, 4)) {
        ULONG_PTR wrong = (ULONG_PTR)random_bits(actor) | (ULONG_PTR)1 << 62, count = 1;
        forget_error();
        MUST(!FreeUserPhysicalPages(GetCurrentProcess(), &count, &wrong));
        MUST(count == 0);
        MUST_LEAVE(ERROR_INVALID_PARAMETER);
    }
    ULONG_PTR count = below(actor, frames.count + 1);
    need_window(actor);
    check_window(actor);
    frames.count -= (int)count;
    forget_error();
    MUST(FreeUserPhysicalPages(GetCurrentProcess(), &count, frames.numbers + frames.count));
    MUST_LEAVE(UNTOUCHED);
    for (int page = 0; page < WINDOW_PAGES; page++)
        if (frames.shown[page] >= frames.count)
            frames.shown[page] = -1;
    check_window(actor);
}

void finish_frames(struct actor *actor)
{
    ULONG_PTR count = frames.count;
    MUST(count == 0 || FreeUserPhysicalPages(GetCurrentProcess(), &count, frames.numbers));
    MUST(frames.window == NULL || VirtualFree(frames.window, 0, MEM_RELEASE));
}

static const struct action actions[] = {
    { "GetSystemInfo", system_info, 2 }, { "GlobalMemoryStatusEx", memory_status, 2 }, { "GetCurrentProcess", process, 1 }, { "GetCurrentProcessId", process, 1 },
    { "GetLargePageMinimum", process, 1 }, { "AllocateUserPhysicalPages", allocate_frames, 5 }, { "MapUserPhysicalPages", map_neighbors, 8 },
    { "MapUserPhysicalPagesScatter", map_scattered, 6 }, { "FreeUserPhysicalPages", free_frames, 4 },
};
PART(system_part, actions);
