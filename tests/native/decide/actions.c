/* What a step does: a call whose answer the model knows. */
#include "decide.h"

#include <errno.h>
#include <malloc.h>

void free_sized(void *block, size_t bytes);
void free_aligned_sized(void *block, size_t alignment, size_t bytes);
void *_Znwm(size_t bytes);
void _ZdlPvm(void *block, size_t bytes);

/* Where the sizes of blocks change kind. */
SIZE_T random_size(void)
{
    switch (below(24)) {
        case 0: return 0;
        case 1: case 2: case 3: return below(3000);
        case 4: return below(40000);
        case 5: return once_in(4) ? below(5 * MiB) : below(300 * KiB);
        case 6: return ONE_OF(SIZE_T, 16, 32, 48, 64, 128, 256, 512, 1 * KiB, 2 * KiB, 4 * KiB, 8 * KiB, 32 * KiB, 64 * KiB, 256 * KiB, 0x7FFF8, 0xFF000) + below(5) - 2;
        case 7: return once_in(3) ? NO_SIZE - below(100000) : once_in(8) ? (SIZE_T)1 << (47 + below(17)) : 16 * (1 + below(64));
        default: return below(200);
    }
}

static int is_hopeless(SIZE_T bytes) { return bytes > (SIZE_T)1 << 46; }
static int may_be_refused(int heap, SIZE_T bytes) { return is_hopeless(bytes) || heaps[heap].maximum != 0; }

static int any_heap(void)
{
    int heap = (int)below(HEAPS);
    return heaps[heap].handle != NULL ? heap : PROCESS;
}

static int any_block(void) { return live_count == 0 ? -1 : live[below((unsigned)live_count)]; }

static void release(int index)
{
    check_block(index);
    struct block *block = &blocks[index];
    if (block->heap == PROCESS && once_in(2)) {
        calling("a free of malloc's", PROCESS, block->address, block->bytes);
        errno = UNTOUCHED;
        switch (below(5)) {
            case 0: free_sized(block->address, block->bytes); break;
            case 1: free_aligned_sized(block->address, 16, block->bytes); break;
            case 2: _ZdlPvm(block->address, block->bytes); break;
            default: free(block->address);
        }
        MUST(errno == UNTOUCHED);
    } else {
        calling("HeapFree", block->heap, block->address, block->bytes);
        MUST(HeapFree(heaps[block->heap].handle, 0, block->address));
    }
    remove_block(index);
}

static void make_room(void)
{
    while (live_count > BLOCKS - 20 || live_bytes > LIVE_LIMIT)
        release(any_block());
}

static void allocate(void)
{
    make_room();
    int heap = any_heap(), is_zero = once_in(3);
    SIZE_T bytes = random_size();
    calling("HeapAlloc", heap, NULL, bytes);
    SetLastError(UNTOUCHED);
    unsigned char *address = HeapAlloc(heaps[heap].handle, is_zero ? HEAP_ZERO_MEMORY : 0, bytes);
    if (address == NULL) {
        MUST(may_be_refused(heap, bytes));
        return;
    }
    MUST(!is_hopeless(bytes) && GetLastError() == UNTOUCHED);
    if (is_zero)
        check_zero(address, 0, bytes);
    add_block(heap, address, bytes);
}

static void allocate_by_malloc(void)
{
    make_room();
    SIZE_T bytes = random_size(), alignment = (SIZE_T)16 << below(once_in(20) ? 12 : 6), size = bytes;
    unsigned way = below(12);
    void *address = NULL;
    if (way == 11 && is_hopeless(bytes))
        way = 0; /* operator new would throw */
    calling("an allocation of malloc's", PROCESS, (void *)(uintptr_t)way, bytes);
    errno = UNTOUCHED;
    switch (way) {
        case 0: case 1: address = malloc(bytes); break;
        case 2: address = calloc(1, bytes); break;
        case 3: address = bytes % 7 == 0 && bytes != 0 ? calloc(7, bytes / 7) : calloc(bytes, 1); break;
        case 4: address = realloc(NULL, bytes); break;
        case 5: address = reallocarray(NULL, bytes, 1); break;
        case 6: errno = posix_memalign(&address, alignment, bytes); errno = errno == 0 ? UNTOUCHED : errno; break;
        case 7: address = aligned_alloc(alignment, bytes); break;
        case 8: address = memalign(alignment, bytes); break;
        case 9: address = valloc(bytes); alignment = PAGE; break;
        case 10: address = pvalloc(bytes); alignment = PAGE; size = (bytes + PAGE - 1) / PAGE * PAGE; break;
        default: address = _Znwm(bytes);
    }
    MUST((address == NULL) == is_hopeless(bytes));
    MUST(errno == (address == NULL ? ENOMEM : UNTOUCHED));
    if (address == NULL)
        return;
    MUST(way < 6 || way > 10 || (uintptr_t)address % alignment == 0);
    MUST(malloc_usable_size(address) == size);
    if (way == 2 || way == 3)
        check_zero(address, 0, bytes);
    add_block(PROCESS, address, size);
}

static void release_any(void)
{
    if (live_count != 0)
        release(any_block());
}

void resize_block(int index, int by_malloc)
{
    struct block before = blocks[index];
    check_block(index);
    SIZE_T bytes = once_in(3) ? before.bytes + below(64) : random_size(), kept = bytes < before.bytes ? bytes : before.bytes;
    DWORD flags = by_malloc ? 0 : (once_in(3) ? HEAP_REALLOC_IN_PLACE_ONLY : 0) | (once_in(2) ? HEAP_ZERO_MEMORY : 0);
    calling(by_malloc ? "realloc" : "HeapReAlloc", before.heap, before.address, bytes);
    errno = UNTOUCHED;
    SetLastError(UNTOUCHED);
    int is_array = by_malloc && once_in(3);
    unsigned char *address = is_array ? reallocarray(before.address, bytes, 1) : by_malloc ? realloc(before.address, bytes)
        : HeapReAlloc(heaps[before.heap].handle, flags, before.address, bytes);
    if (by_malloc && bytes == 0) {
        MUST(address == NULL && errno == UNTOUCHED);
        remove_block(index);
        return;
    }
    if (address == NULL) {
        MUST(may_be_refused(before.heap, bytes) || (flags & HEAP_REALLOC_IN_PLACE_ONLY) != 0);
        MUST(!by_malloc || errno == ENOMEM);
        MUST(HeapSize(heaps[before.heap].handle, 0, before.address) == before.bytes);
        check_block(index);
        return;
    }
    MUST(!is_hopeless(bytes) && (by_malloc ? errno : (int)GetLastError()) == UNTOUCHED);
    MUST((flags & HEAP_REALLOC_IN_PLACE_ONLY) == 0 || address == before.address);
    MUST(HeapSize(heaps[before.heap].handle, 0, address) == bytes);
    check_kept(address, kept, &before);
    if ((flags & HEAP_ZERO_MEMORY) != 0 && bytes > kept)
        check_zero(address, kept, bytes);
    remove_block(index);
    add_block(before.heap, address, bytes);
}

static void resize_any(void)
{
    int index = any_block();
    make_room();
    if (index >= 0 && block_at(blocks[index].address) == index)
        resize_block(index, blocks[index].heap == PROCESS && once_in(2));
}

long decided[2];

/* Any function that takes an address, with any address, of any heap: it is done if a block of that heap starts there, else refused. */
static void decide(void)
{
    int is_certain, heap = once_in(4) ? (int)below(HEAPS) : any_heap();
    unsigned char *address = any_address(&is_certain);
    HANDLE handle = heaps[heap].handle != NULL ? heaps[heap].handle : heaps[heap].last;
    if (handle == NULL)
        return;
    int index = block_at(address), is_heap = heaps[heap].handle != NULL, lives = is_heap && index >= 0 && blocks[index].heap == heap;
    if (heap == PROCESS && !lives && !is_certain)
        return;
    decided[lives]++;
    SIZE_T bytes = random_size();
    SetLastError(UNTOUCHED);
    switch (below(7)) {
        case 0:
            calling("HeapSize", heap, address, 0);
            MUST(HeapSize(handle, 0, address) == (lives ? blocks[index].bytes : NO_SIZE));
            break;
        case 1:
            calling("HeapValidate", heap, address, 0);
            MUST(HeapValidate(handle, 0, address) == lives);
            MUST(GetLastError() == UNTOUCHED);
            break;
        case 2:
            if (lives && once_in(2)) {
                resize_block(index, 0);
                break;
            }
            if (lives)
                break;
            calling("HeapReAlloc", heap, address, bytes);
            MUST(HeapReAlloc(handle, once_in(2) ? HEAP_REALLOC_IN_PLACE_ONLY : once_in(2) ? HEAP_ZERO_MEMORY : 0, address, bytes) == NULL);
            MUST(GetLastError() == (DWORD)(is_heap ? ERROR_INVALID_PARAMETER : ERROR_INVALID_HANDLE));
            break;
        case 3:
            calling("malloc_usable_size", heap, address, 0);
            if (heap == PROCESS)
                MUST(malloc_usable_size(address) == (lives ? blocks[index].bytes : 0));
            break;
        default:
            if (lives) {
                release(index);
                break;
            }
            calling("HeapFree", heap, address, 0);
            MUST(!HeapFree(handle, 0, address));
            MUST(GetLastError() == (DWORD)(is_heap ? ERROR_INVALID_PARAMETER : ERROR_INVALID_HANDLE));
    }
}

/* Every granule about a block of an own heap: one is a block if and only if the model says so. */
static void sweep(void)
{
    int index = any_block();
    if (index < 0 || blocks[index].heap == PROCESS)
        return;
    int heap = blocks[index].heap;
    HANDLE handle = heaps[heap].handle;
    unsigned char *from = (unsigned char *)((uintptr_t)blocks[index].address & ~(uintptr_t)(PAGE - 1)) - PAGE;
    calling("HeapSize of every granule of three pages from", heap, from, 3 * PAGE);
    for (unsigned char *address = from; address < from + 3 * PAGE; address += 16) {
        int at = block_at(address);
        MUST(HeapSize(handle, 0, address) == (at >= 0 && blocks[at].heap == heap ? blocks[at].bytes : NO_SIZE));
        MUST(!HeapValidate(handle, 0, address + 1 + below(15)));
    }
}

/* At once again: the block is in this thread's magazine, in another's after a while, in a slab, or gone with its mapping. */
static void release_twice(void)
{
    int index = any_block();
    if (index < 0)
        return;
    struct block block = blocks[index];
    release(index);
    calling("HeapFree again", block.heap, block.address, block.bytes);
    SetLastError(UNTOUCHED);
    MUST(!HeapFree(heaps[block.heap].handle, 0, block.address));
    MUST(GetLastError() == ERROR_INVALID_PARAMETER);
    MUST(HeapSize(heaps[block.heap].handle, 0, block.address) == NO_SIZE);
    MUST(!HeapValidate(heaps[block.heap].handle, 0, block.address));
}

static void create(void)
{
    int heap = 1 + (int)below(HEAPS - 1);
    if (heaps[heap].handle != NULL)
        return;
    SIZE_T maximum = ONE_OF(SIZE_T, 0, 0, 0, 1, 4 * KiB, 64 * KiB, 300 * KiB, 1 * MiB, 8 * MiB, 8 * MiB + 1, 32 * MiB);
    SIZE_T initial = once_in(3) ? below(200 * KiB) : 0;
    DWORD options = once_in(3) ? HEAP_NO_SERIALIZE : 0;
    calling("HeapCreate", heap, (void *)(uintptr_t)options, maximum);
    HANDLE handle = HeapCreate(options, initial, maximum);
    MUST(handle != NULL);
    for (int i = 0; i < HEAPS; i++)
        MUST(heaps[i].handle != handle && heaps[i].last != handle);
    heaps[heap] = (struct heap){ .handle = handle, .last = heaps[heap].last, .options = options, .maximum = maximum == 0 ? 0 : maximum > initial ? maximum : initial };
}

static void destroy(void)
{
    int heap = 1 + (int)below(HEAPS - 1);
    if (heaps[heap].handle == NULL)
        return;
    if (once_in(4))
        check_heap(heap);
    HANDLE handle = heaps[heap].handle;
    calling("HeapDestroy", heap, NULL, 0);
    forget_heap(heap);
    MUST(HeapDestroy(handle));
    MUST(!HeapDestroy(handle) && GetLastError() == ERROR_INVALID_HANDLE);
}

static void check_any_heap(void) { check_heap(any_heap()); }

static void give_back(void)
{
    int heap = any_heap();
    HEAP_OPTIMIZE_RESOURCES_INFORMATION request = { .Version = HEAP_OPTIMIZE_RESOURCES_CURRENT_VERSION };
    switch (below(4)) {
        case 0:
            calling("HeapCompact", heap, NULL, 0);
            HeapCompact(heaps[heap].handle, 0);
            break;
        case 1:
            calling("HeapSetInformation", heap, NULL, 0);
            MUST(HeapSetInformation(once_in(3) ? NULL : heaps[heap].handle, HeapOptimizeResources, &request, sizeof request));
            break;
        case 2:
            calling("malloc_trim", PROCESS, NULL, 0);
            malloc_trim(0);
            break;
        default:
            if (heap != PROCESS)
                check_heap(heap);
    }
}

/* Under the heap's lock everything is as without. */
static void act_locked(void)
{
    int heap = any_heap(), locks = 1 + (int)below(2);
    HANDLE handle = heaps[heap].handle;
    for (int i = 0; i < locks; i++) {
        calling("HeapLock", heap, NULL, 0);
        MUST(HeapLock(handle));
    }
    for (unsigned i = below(8); i > 0; i--)
        ONE_OF(unsigned, 0, 1, 2, 3) == 0 ? allocate() : once_in(2) ? decide() : once_in(2) ? release_any() : resize_any();
    for (int i = 0; i < locks; i++) {
        calling("HeapUnlock", heap, NULL, 0);
        MUST(HeapUnlock(handle));
    }
}

const struct action actions[] = {
    { allocate, 250 }, { allocate_by_malloc, 120 }, { release_any, 220 }, { release_twice, 40 },
    { resize_any, 120 }, { decide, 400 }, { sweep, 4 }, { create, 6 }, { destroy, 3 }, { check_any_heap, 3 },
    { give_back, 6 }, { act_locked, 20 }, { end_by_malloc, 1 },
};
const int action_count = sizeof actions / sizeof *actions;
