/* HeapCreate, HeapDestroy, GetProcessHeap, GetProcessHeaps, HeapLock, HeapUnlock, HeapWalk, HeapCompact and HeapSummary. */
#include "fuzz.h"
#include "heaps.h"

static struct heap *empty_slot(struct actor *actor)
{
    for (int i = SHARED_HEAPS; i < HEAPS; i++)
        if (actor->heaps[i].handle == NULL)
            return &actor->heaps[i];
    return NULL;
}

static SIZE_T random_limit(struct actor *actor)
{
    switch (below(actor, 8)) {
        case 0: case 1: case 2: return 0;
        case 3: return below(actor, 100);
        case 4: return below(actor, 200 * KiB);
        case 5: return below(actor, 16 * MiB);
        case 6: return below(actor, 2 * MiB);
        default: return once_in(actor, 12) ? NO_SIZE >> below(actor, 30) : below(actor, 64 * MiB); /* a large maximum takes time */
    }
}

void keep_heap(struct actor *actor, HANDLE handle, DWORD options, SIZE_T maximum)
{
    struct heap *slot = empty_slot(actor);
    for (int i = 0; i < HEAPS; i++)
        MUST(actor->heaps[i].handle != handle);
    if (slot == NULL) {
        MUST(HeapDestroy(handle));
        return;
    }
    *slot = (struct heap){ .handle = handle, .options = options & (HEAP_NO_SERIALIZE | HEAP_GENERATE_EXCEPTIONS | FORCED_FLAGS), .maximum = maximum };
}

static void create(struct actor *actor)
{
    /* A heap that is checked ends the process over the first wrong address. */
    DWORD options = random_flags(actor, NULL) & ~(DWORD)(HEAP_TAIL_CHECKING_ENABLED | HEAP_FREE_CHECKING_ENABLED);
    SIZE_T initial = random_limit(actor), maximum = random_limit(actor);
    forget_error();
    HANDLE handle = HeapCreate(options, initial, maximum);
    if (handle == NULL) {
        MUST_LEAVE(ERROR_NOT_ENOUGH_MEMORY);
        MUST(initial > (SIZE_T)MiB * 16 || maximum > (SIZE_T)MiB * 16);
        return;
    }
    MUST_LEAVE(UNTOUCHED);
    keep_heap(actor, handle, options & ~FORCED_FLAGS, maximum == 0 || maximum > initial ? maximum : initial); /* an initial size above the maximum raises it */
}

void forget_heap(struct actor *actor, struct heap *heap)
{
    for (int i = actor->block_count - 1; i >= 0; i--)
        if (actor->blocks[i].heap == heap) {
            check_block(actor, &actor->blocks[i]);
            remove_block(actor, &actor->blocks[i], 0);
        }
    actor->dead[below(actor, DEAD)] = heap->handle;
    memset(heap, 0, sizeof *heap);
}

static void destroy(struct actor *actor)
{
    struct heap *heap = own_heap(actor);
    forget_error();
    switch (below(actor, 6)) {
        case 0:
            MUST(!HeapDestroy(GetProcessHeap()));
            MUST_LEAVE(ERROR_INVALID_HANDLE);
            break;
        case 1:
            MUST(HeapDestroy(NULL));
            MUST_LEAVE(UNTOUCHED);
            break;
        case 2: case 3:
            MUST(!HeapDestroy(bad_handle(actor)));
            MUST_LEAVE(ERROR_INVALID_HANDLE);
            break;
        default:
            if (heap == NULL)
                break;
            HANDLE handle = heap->handle;
            forget_heap(actor, heap);
            MUST(HeapDestroy(handle));
            MUST_LEAVE(UNTOUCHED);
            MUST(!HeapValidate(handle, 0, NULL));
    }
}

static void process_heap(struct actor *actor)
{
    forget_error();
    MUST(GetProcessHeap() == shared_heaps[0].handle);
    MUST_LEAVE(UNTOUCHED);
}

void check_heap_list(struct actor *actor, DWORD (*list)(DWORD, HANDLE *))
{
    HANDLE heaps[MAX_LISTED + 1];
    DWORD wanted = below(actor, MAX_LISTED + 1);
    memset(heaps, 0xAB, sizeof heaps);
    HANDLE untouched = heaps[MAX_LISTED];
    forget_error();
    DWORD count = list(wanted, heaps);
    MUST(count >= SHARED_HEAPS);
    MUST(wanted == 0 || heaps[0] == shared_heaps[0].handle);
    MUST(heaps[count < wanted ? count : wanted] == untouched);
    MUST(list(0, NULL) >= SHARED_HEAPS);
    for (int i = 0; i < SHARED_HEAPS && count <= wanted; i++) {
        int found = 0;
        for (DWORD k = 0; k < count; k++)
            found += heaps[k] == shared_heaps[i].handle;
        MUST(found == 1);
    }
    MUST_LEAVE(UNTOUCHED);
}

static void process_heaps(struct actor *actor) { check_heap_list(actor, GetProcessHeaps); }

/* Holds a shared heap for a few allocations, or an own one for longer. */
static void lock(struct actor *actor)
{
    struct heap *heap = own_heap(actor);
    forget_error();
    if (once_in(actor, 4)) {
        int is_null = once_in(actor, 2);
        MUST(!HeapLock(is_null ? NULL : bad_handle(actor)));
        MUST_LEAVE(is_null ? UNTOUCHED : ERROR_INVALID_HANDLE);
    } else if (heap != NULL && once_in(actor, 2)) {
        MUST(HeapLock(heap->handle));
        MUST_LEAVE(UNTOUCHED);
        heap->locks++;
    } else {
        static struct actor *volatile owners[SHARED_HEAPS];
        int shared = below(actor, SHARED_HEAPS);
        HANDLE handle = shared_heaps[shared].handle;
        MUST(HeapLock(handle));
        MUST(owners[shared] == NULL);
        owners[shared] = actor;
        void *block = HeapAlloc(handle, 0, below(actor, 200));
        MUST(owners[shared] == actor);
        MUST(block == NULL || HeapFree(handle, 0, block));
        MUST(HeapLock(handle) && HeapUnlock(handle));
        MUST(owners[shared] == actor);
        owners[shared] = NULL;
        MUST(HeapUnlock(handle));
        MUST(shared == 2 || block != NULL);
    }
}

static void unlock(struct actor *actor)
{
    struct heap *heap = any_heap(actor);
    forget_error();
    if (once_in(actor, 4)) {
        int is_null = once_in(actor, 2);
        MUST(!HeapUnlock(is_null ? NULL : bad_handle(actor)));
        MUST_LEAVE(is_null ? UNTOUCHED : ERROR_INVALID_HANDLE);
        return;
    }
    MUST(HeapUnlock(heap->handle));
    MUST_LEAVE(UNTOUCHED);
    heap->locks -= heap->locks > 0;
}

/* Every block of an own heap comes once, with its size, and nothing else is busy. */
static void walk_whole(struct actor *actor, const struct heap *heap)
{
    PROCESS_HEAP_ENTRY entry = { .lpData = NULL, .cbData = 77, .wFlags = (WORD)random_bits(actor), .iRegionIndex = 9 };
    int expected = 0, busy = 0;
    for (int i = 0; i < actor->block_count; i++)
        expected += actor->blocks[i].heap == heap;
    forget_error();
    while (HeapWalk(heap->handle, &entry)) {
        if ((entry.wFlags & PROCESS_HEAP_ENTRY_BUSY) == 0)
            continue;
        int found = 0;
        for (int i = 0; i < actor->block_count; i++)
            found += actor->blocks[i].heap == heap && actor->blocks[i].address == entry.lpData && (DWORD)actor->blocks[i].bytes == entry.cbData;
        MUST(found == 1);
        busy++;
    }
    MUST_LEAVE(ERROR_NO_MORE_ITEMS);
    MUST(busy == expected);
}

static void walk(struct actor *actor)
{
    struct heap *heap = own_heap(actor), *shared = any_heap(actor);
    struct block *block = any_block(actor);
    PROCESS_HEAP_ENTRY entry, before;
    memset(&entry, (int)random_bits(actor), sizeof entry);
    forget_error();
    switch (below(actor, 8)) {
        case 0:
            MUST(!HeapWalk(NULL, &entry));
            MUST_LEAVE(ERROR_INVALID_HANDLE);
            break;
        case 1:
            entry.lpData = NULL;
            MUST(!HeapWalk(bad_handle(actor), &entry));
            MUST_LEAVE(ERROR_INVALID_HANDLE);
            break;
        case 2:
            MUST(!HeapWalk(shared->handle, NULL));
            MUST_LEAVE(ERROR_INVALID_PARAMETER);
            break;
        case 3: /* what no walk has said; an address inside a region may be taken for an end of something */
            entry.lpData = no_block_of(actor, shared);
            before = entry;
            if (!HeapWalk(shared->handle, &entry)) {
                MUST_LEAVE(ERROR_INVALID_PARAMETER, ERROR_NO_MORE_ITEMS);
                MUST(memcmp(&before, &entry, sizeof entry) == 0);
            }
            break;
        case 4:
            entry.lpData = nobodys_address(actor);
            before = entry;
            MUST(!HeapWalk(shared->handle, &entry));
            MUST_LEAVE(ERROR_INVALID_PARAMETER, ERROR_NO_MORE_ITEMS);
            MUST(memcmp(&before, &entry, sizeof entry) == 0);
            break;
        case 5: /* on from a block */
            if (block == NULL)
                break;
            entry = (PROCESS_HEAP_ENTRY){ .lpData = block->address, .wFlags = PROCESS_HEAP_ENTRY_BUSY };
            MUST(HeapWalk(block->heap->handle, &entry) ? entry.lpData != block->address : GetLastError() == ERROR_NO_MORE_ITEMS);
            break;
        default:
            if (heap != NULL)
                walk_whole(actor, heap);
    }
}

static void compact(struct actor *actor)
{
    struct heap *heap = any_heap(actor);
    forget_error();
    if (once_in(actor, 4)) {
        MUST(HeapCompact(once_in(actor, 4) ? NULL : bad_handle(actor), random_flags(actor, NULL)) == 0);
        MUST_LEAVE(ERROR_INVALID_HANDLE);
        return;
    }
    SIZE_T bytes = HeapCompact(heap->handle, random_flags(actor, heap));
    MUST_LEAVE(bytes == 0 ? NO_ERROR : UNTOUCHED);
}

static void summary(struct actor *actor)
{
    struct heap *heap = any_heap(actor), *own = own_heap(actor);
    HEAP_SUMMARY totals = { .cb = sizeof totals };
    SIZE_T bytes = 0;
    forget_error();
    switch (below(actor, 6)) {
        case 0:
            MUST(!HeapSummary(heap->handle, (DWORD)random_bits(actor) | 2, &totals));
            MUST_LEAVE(ERROR_INVALID_PARAMETER);
            return;
        case 1:
            totals.cb = below(actor, 40);
            MUST(!HeapSummary(heap->handle, 0, once_in(actor, 2) ? NULL : &totals));
            MUST_LEAVE(ERROR_INVALID_PARAMETER);
            return;
        case 2:
            MUST(!HeapSummary(once_in(actor, 4) ? NULL : bad_handle(actor), 0, &totals));
            MUST_LEAVE(ERROR_INVALID_HANDLE);
            return;
        case 3:
            heap = own != NULL ? own : heap;
    }
    MUST(HeapSummary(heap->handle, 0, &totals));
    MUST_LEAVE(UNTOUCHED);
    MUST(totals.cbCommitted <= totals.cbReserved && totals.cbReserved <= totals.cbMaxReserve);
    for (int i = 0; i < actor->block_count; i++)
        bytes += actor->blocks[i].heap == heap ? actor->blocks[i].bytes : 0;
    MUST(totals.cbAllocated >= bytes);
    MUST(totals.cbAllocated <= totals.cbCommitted);
}

static const struct action actions[] = {
    { "HeapCreate", create, 20 }, { "HeapDestroy", destroy, 15 }, { "GetProcessHeap", process_heap, 5 }, { "GetProcessHeaps", process_heaps, 8 },
    { "HeapLock", lock, 15 }, { "HeapUnlock", unlock, 20 }, { "HeapWalk", walk, 20 }, { "HeapCompact", compact, 5 }, { "HeapSummary", summary, 8 },
};
PART(heap_part, actions);
