/* The heap functions, the handles and VirtualAlloc when every call to the system may fail. */
#include "faults.h"
#include <windows.h>

enum { MOST = 300, KiB = 1024, MiB = 1024 * 1024, PAGE = 4096, SAMPLE = 128 * 1024 };

static struct { unsigned char *at; size_t bytes; unsigned char value; } blocks[MOST];
static int block_count;
static HANDLE heap;

static void check_blocks(void)
{
    for (int i = 0; i < block_count; i++) {
        HOLDS(HeapSize(heap, 0, blocks[i].at) == blocks[i].bytes, "a block of %zu bytes is live", blocks[i].bytes);
        for (size_t at = 0; at < blocks[i].bytes; at += at < 64 ? 1 : SAMPLE)
            HOLDS(blocks[i].at[at] == blocks[i].value, "byte %zu of %zu", at, blocks[i].bytes);
    }
    HOLDS(heap == NULL || HeapValidate(heap, 0, NULL), "the heap is sound");
}

static void allocate(size_t bytes, DWORD flags)
{
    int before = refusals;
    errno = UNTOUCHED_ERRNO;
    unsigned char *block = HeapAlloc(heap, flags, bytes);
    HOLDS(errno == UNTOUCHED_ERRNO, "HeapAlloc leaves errno %d", errno);
    HOLDS(block != NULL || refusals != before, "HeapAlloc of %zu bytes is refused", bytes);
    if (block != NULL) {
        HOLDS((flags & HEAP_ZERO_MEMORY) == 0 || (all_bytes(block, bytes < PAGE ? bytes : PAGE, 0)), "%zu bytes are zero", bytes);
        blocks[block_count].at = block;
        blocks[block_count].bytes = bytes;
        blocks[block_count].value = (unsigned char)(block_count * 7 + 1);
        for (size_t at = 0; at < bytes; at += at < 64 ? 1 : SAMPLE)
            block[at] = blocks[block_count].value;
        block_count++;
    }
    if (refusals != before)
        check_blocks();
}

static void resize(int i, size_t bytes)
{
    if (i >= block_count)
        return;
    int before = refusals;
    size_t kept = blocks[i].bytes < bytes ? blocks[i].bytes : bytes;
    unsigned char *block = HeapReAlloc(heap, 0, blocks[i].at, bytes);
    HOLDS(block != NULL || refusals != before, "HeapReAlloc to %zu bytes is refused", bytes);
    if (block != NULL) {
        blocks[i].at = block;
        blocks[i].bytes = bytes;
        for (size_t at = 0; at < bytes; at += at < 64 ? 1 : SAMPLE) {
            HOLDS(at >= kept || block[at] == blocks[i].value, "byte %zu of %zu after HeapReAlloc", at, bytes);
            block[at] = blocks[i].value;
        }
    }
    if (refusals != before)
        check_blocks();
}

static void use_heap(size_t largest)
{
    for (size_t i = 0; i < 60; i++)
        allocate(i * 97 % 1024, i % 3 == 0 ? HEAP_ZERO_MEMORY : 0);
    for (size_t bytes = 2000; bytes < largest; bytes = bytes * 2 + 77)
        allocate(bytes, bytes & 1 ? HEAP_ZERO_MEMORY : 0);
    for (int i = 0; i < block_count; i += 2) {
        resize(i, blocks[i].bytes < largest / 3 ? blocks[i].bytes * 2 + 1 : blocks[i].bytes / 2);
        resize(i + 1, i + 1 < block_count ? blocks[i + 1].bytes / 3 : 0);
    }
    PROCESS_HEAP_ENTRY entry = { 0 };
    int busy = 0;
    HOLDS(HeapLock(heap), "HeapLock");
    while (HeapWalk(heap, &entry))
        busy += (entry.wFlags & PROCESS_HEAP_ENTRY_BUSY) != 0;
    HOLDS(GetLastError() == ERROR_NO_MORE_ITEMS && (heap == GetProcessHeap() || busy == block_count), "a walk shows %d of %d blocks", busy, block_count);
    HOLDS(HeapUnlock(heap), "HeapUnlock");
    for (int i = 0; i < block_count; i++) {
        HOLDS(HeapFree(heap, 0, blocks[i].at), "HeapFree");
        blocks[i] = blocks[--block_count];
    }
    HeapCompact(heap, 0);
    HEAP_OPTIMIZE_RESOURCES_INFORMATION all = { HEAP_OPTIMIZE_RESOURCES_CURRENT_VERSION, 0 };
    HOLDS(HeapSetInformation(heap, HeapOptimizeResources, &all, sizeof all), "HeapOptimizeResources");
    for (size_t bytes = 16; bytes < largest; bytes = bytes * 3 + 5)
        allocate(bytes, HEAP_ZERO_MEMORY);
}

static void one_heap(DWORD options, size_t initial, size_t maximum, size_t largest)
{
    int before = refusals;
    SetLastError(0);
    heap = HeapCreate(options, initial, maximum);
    HOLDS(heap != NULL || refusals != before, "HeapCreate is refused");
    HOLDS(heap != NULL || GetLastError() == ERROR_NOT_ENOUGH_MEMORY, "HeapCreate leaves error %u", (unsigned)GetLastError());
    if (heap != NULL) {
        use_heap(largest);
        HOLDS(HeapDestroy(heap), "HeapDestroy");
        heap = NULL;
    }
    block_count = 0;
}

static void use_handles(void)
{
    HGLOBAL handles[30];
    for (int i = 0; i < 30; i++) {
        int before = refusals;
        handles[i] = GlobalAlloc(GMEM_MOVEABLE | GMEM_ZEROINIT, (SIZE_T)i * 1000);
        HOLDS(handles[i] != NULL || (refusals != before && GetLastError() == ERROR_NOT_ENOUGH_MEMORY), "GlobalAlloc is refused");
        char *block = handles[i] == NULL ? NULL : GlobalLock(handles[i]);
        if (block != NULL && i > 0) {
            memset(block, i, (size_t)i * 1000);
            GlobalUnlock(handles[i]);
            before = refusals;
            HGLOBAL grown = GlobalReAlloc(handles[i], (SIZE_T)i * 5000, GMEM_MOVEABLE);
            HOLDS(grown == handles[i] || refusals != before, "GlobalReAlloc is refused");
            HOLDS(GlobalSize(handles[i]) == (SIZE_T)i * (grown != NULL ? 5000 : 1000), "GlobalSize");
            block = GlobalLock(handles[i]);
            HOLDS(all_bytes(block, (size_t)i * 1000, (unsigned char)i), "a handle's block keeps its contents");
            GlobalUnlock(handles[i]);
        }
    }
    for (int i = 0; i < 30; i++)
        HOLDS(handles[i] == NULL || GlobalFree(handles[i]) == NULL, "GlobalFree");
}

static void life_of_heaps(void)
{
    one_heap(0, 0, 0, 6 * MiB);
    one_heap(0, PAGE, 64 * MiB, 0x70000);
    one_heap(0, PAGE, 4 * MiB, 100 * KiB);
    one_heap(HEAP_CREATE_ENABLE_EXECUTE | HEAP_NO_SERIALIZE, PAGE, 0, 40 * KiB);
    use_handles();
}

TEST("every call to the system may fail, and no heap loses anything by it") { with_every_refusal(life_of_heaps); }

/* One page of a reservation: in this state, with this access, holding this byte if it can be read. */
static void check_page(char *page, DWORD state, DWORD protection, int value)
{
    MEMORY_BASIC_INFORMATION information;
    HOLDS(VirtualQuery(page, &information, sizeof information) == sizeof information, "VirtualQuery");
    HOLDS(information.State == state && (state != MEM_COMMIT || information.Protect == protection), "state %X, protection %X", (unsigned)information.State, (unsigned)information.Protect);
    if (state == MEM_COMMIT && protection != PAGE_NOACCESS)
        HOLDS(page[0] == value && page[PAGE - 1] == value, "a page holds %d, not %d", page[0], value);
}

static void check_answer(const char *name, int answer, int before)
{
    HOLDS(answer || (refusals != before && GetLastError() == ERROR_NOT_ENOUGH_MEMORY), "%s is refused with error %u", name, (unsigned)GetLastError());
}

static void life_of_pages(void)
{
    enum { PAGES = 64 };
    for (int round = 0; round < 3; round++) {
        int before = refusals, middle = 0, emptied = 0;
        DWORD old, protection = PAGE_READWRITE;
        char *range = VirtualAlloc(NULL, PAGES * PAGE, MEM_RESERVE, PAGE_NOACCESS);
        check_answer("VirtualAlloc (reserve)", range != NULL, before);
        if (range == NULL)
            continue;
        before = refusals;
        int committed = VirtualAlloc(range + 8 * PAGE, 16 * PAGE, MEM_COMMIT, PAGE_READWRITE) != NULL;
        check_answer("VirtualAlloc (commit)", committed, before);
        if (committed) {
            memset(range + 8 * PAGE, 5, 16 * PAGE);
            before = refusals;
            middle = VirtualAlloc(range + 20 * PAGE, 20 * PAGE, MEM_COMMIT, PAGE_READWRITE) != NULL;
            check_answer("VirtualAlloc (commit over committed)", middle, before);
            check_page(range + 8 * PAGE, MEM_COMMIT, PAGE_READWRITE, 5);
            check_page(range + 22 * PAGE, MEM_COMMIT, PAGE_READWRITE, 5);
            check_page(range + 30 * PAGE, middle ? MEM_COMMIT : MEM_RESERVE, PAGE_READWRITE, 0);
            before = refusals;
            int protected = VirtualProtect(range + 9 * PAGE, 3 * PAGE, PAGE_READONLY, &old);
            check_answer("VirtualProtect", protected, before);
            protection = protected ? PAGE_READONLY : PAGE_READWRITE;
            check_page(range + 10 * PAGE, MEM_COMMIT, protection, 5);
            before = refusals;
            emptied = VirtualFree(range + 12 * PAGE, 4 * PAGE, MEM_DECOMMIT);
            check_answer("VirtualFree (decommit)", emptied, before);
            check_page(range + 13 * PAGE, emptied ? MEM_RESERVE : MEM_COMMIT, PAGE_READWRITE, 5);
            if (emptied) {
                before = refusals;
                int again = VirtualAlloc(range + 12 * PAGE, 4 * PAGE, MEM_COMMIT, PAGE_READWRITE) != NULL;
                check_answer("VirtualAlloc (commit again)", again, before);
                check_page(range + 13 * PAGE, again ? MEM_COMMIT : MEM_RESERVE, PAGE_READWRITE, 0);
            }
        }
        check_page(range, MEM_RESERVE, 0, 0);
        check_page(range + 60 * PAGE, MEM_RESERVE, 0, 0);
        HOLDS(VirtualFree(range, 0, MEM_RELEASE), "VirtualFree (release) is refused");
        MEMORY_BASIC_INFORMATION information;
        HOLDS(VirtualQuery(range, &information, sizeof information) == sizeof information, "VirtualQuery of what was released");
    }
}

TEST("every call to the system may fail, and VirtualAlloc's pages are as they were") { with_every_refusal(life_of_pages); }
