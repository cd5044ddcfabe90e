/* HeapAlloc, HeapReAlloc, HeapFree, HeapSize and HeapValidate against the model of blocks. */
#include "blocks.h"

/* Blocks that a thread keeps stay below these. */
enum { LIVE_LIMIT = 8 * MiB };

/* A request that a sound heap may refuse: too much for its maximum, or for any machine. */
static int may_be_refused(const struct heap *heap, SIZE_T bytes) { return heap->maximum != 0 || bytes >= 16 * (SIZE_T)MiB; }

static int must_be_refused(const struct heap *heap, SIZE_T bytes)
{
    return bytes > (SIZE_T)1 << 47 || (heap->maximum != 0 && bytes > heap->maximum + 64 * KiB) || (heap->maximum != 0 && !is_observed_contract && bytes >= 0x7FFF8);
}

/* After a refusal for lack of room: raised if that was asked for, else the last error of the contract. */
static void check_refusal(struct actor *actor, const struct block_functions *functions, const struct heap *heap, DWORD flags)
{
    int raises = ((flags | heap->options) & HEAP_GENERATE_EXCEPTIONS) != 0;
    MUST(actor->raised == (raises ? STATUS_NO_MEMORY : 0));
    if (raises)
        MUST_LEAVE(UNTOUCHED, ERROR_NOT_ENOUGH_MEMORY);
    else if (functions->is_rtl)
        MUST_LEAVE(UNTOUCHED, ERROR_NOT_ENOUGH_MEMORY);
    else
        MUST_LEAVE(is_observed_contract ? ERROR_NOT_ENOUGH_MEMORY : UNTOUCHED);
}

static void make_room(struct actor *actor, const struct block_functions *functions)
{
    while (actor->block_count > BLOCKS - 40 || actor->live_bytes > LIVE_LIMIT) {
        struct block *block = any_block(actor);
        check_block(actor, block);
        MUST(functions->release(block->heap->handle, 0, block->address));
        remove_block(actor, block, 1);
    }
}

static void allocate_in_no_heap(struct actor *actor, const struct block_functions *functions)
{
    DWORD flags = random_flags(actor, NULL);
    HANDLE handle = once_in(actor, 4) ? NULL : bad_handle(actor);
    forget_error();
    MUST(guarded_allocate(actor, functions->allocate, handle, flags, random_size(actor)) == NULL);
    MUST_LEAVE(UNTOUCHED, ERROR_INVALID_HANDLE, ERROR_NOT_ENOUGH_MEMORY, ERROR_INVALID_PARAMETER);
    MUST(actor->raised == 0 || (flags & HEAP_GENERATE_EXCEPTIONS) != 0);
}

void fuzz_allocate(struct actor *actor, const struct block_functions *functions)
{
    if (once_in(actor, 20)) {
        allocate_in_no_heap(actor, functions);
        return;
    }
    make_room(actor, functions);
    struct heap *heap = any_heap(actor);
    SIZE_T bytes = random_size(actor);
    DWORD flags = random_flags(actor, heap);
    forget_error();
    unsigned char *address = guarded_allocate(actor, functions->allocate, heap->handle, flags, bytes);
    if (address == NULL) {
        MUST(may_be_refused(heap, bytes));
        check_refusal(actor, functions, heap, flags);
        return;
    }
    MUST_LEAVE(UNTOUCHED);
    MUST(actor->raised == 0 && !must_be_refused(heap, bytes));
    MUST(functions->size(heap->handle, 0, address) == bytes);
    if (((flags | heap->options) & HEAP_ZERO_MEMORY) != 0)
        MUST(all_bytes(address, bytes, 0));
    struct block *block = add_block(actor, heap, address, bytes);
    block->has_value = (flags & ANY_ATTACHABLE) == 0 ? 0 : functions->is_rtl ? 1 : -1;
}

static void reallocate_nothing(struct actor *actor, const struct block_functions *functions)
{
    struct heap *heap = any_heap(actor);
    DWORD flags = random_flags(actor, heap);
    SIZE_T bytes = random_size(actor);
    forget_error();
    switch (below(actor, 3)) {
        case 0:
            MUST(guarded_reallocate(actor, functions->reallocate, heap->handle, flags, no_block_of(actor, heap), bytes) == NULL);
            MUST_LEAVE(ERROR_INVALID_PARAMETER);
            break;
        case 1:
            MUST(guarded_reallocate(actor, functions->reallocate, once_in(actor, 2) ? heap->handle : bad_handle(actor), flags, NULL, bytes) == NULL);
            MUST_LEAVE(NO_ERROR);
            break;
        default: {
            struct block *block = any_block(actor);
            void *address = block != NULL ? block->address : nobodys_address(actor);
            MUST(guarded_reallocate(actor, functions->reallocate, once_in(actor, 4) ? NULL : bad_handle(actor), flags, address, bytes) == NULL);
            MUST_LEAVE(ERROR_INVALID_HANDLE);
        }
    }
    MUST(actor->raised == 0);
}

void fuzz_reallocate(struct actor *actor, const struct block_functions *functions)
{
    struct block *block = any_block(actor);
    if (block == NULL || once_in(actor, 6)) {
        reallocate_nothing(actor, functions);
        return;
    }
    check_block(actor, block);
    struct heap *heap = block->heap;
    SIZE_T bytes = random_size(actor), old_bytes = block->bytes, kept = bytes < old_bytes ? bytes : old_bytes;
    DWORD flags = random_flags(actor, heap);
    forget_error();
    unsigned char *address = guarded_reallocate(actor, functions->reallocate, heap->handle, flags, block->address, bytes);
    if (address == NULL) {
        MUST(may_be_refused(heap, bytes) || ((flags | heap->options) & HEAP_REALLOC_IN_PLACE_ONLY) != 0);
        check_refusal(actor, functions, heap, flags);
        MUST(functions->size(heap->handle, 0, block->address) == old_bytes);
        check_block(actor, block);
        return;
    }
    MUST_LEAVE(UNTOUCHED);
    MUST(actor->raised == 0 && !must_be_refused(heap, bytes));
    MUST(((flags | heap->options) & HEAP_REALLOC_IN_PLACE_ONLY) == 0 || address == block->address);
    MUST(functions->size(heap->handle, 0, address) == bytes);
    MUST(all_bytes(address, kept, block->fill));
    if (((flags | heap->options) & HEAP_ZERO_MEMORY) != 0 && bytes > kept)
        MUST(all_bytes(address + kept, bytes - kept, 0));
    remove_block(actor, block, address != block->address);
    add_block(actor, heap, address, bytes)->has_value = -1;
}

void fuzz_release(struct actor *actor, const struct block_functions *functions)
{
    struct heap *heap = any_heap(actor);
    struct block *block = any_block(actor);
    DWORD flags = random_flags(actor, heap);
    forget_error();
    switch (below(actor, 8)) {
        case 0:
            MUST(!functions->release(heap->handle, flags, no_block_of(actor, heap)));
            MUST_LEAVE(ERROR_INVALID_PARAMETER);
            break;
        case 1:
            MUST(functions->release(once_in(actor, 2) ? bad_handle(actor) : once_in(actor, 2) ? NULL : heap->handle, flags, NULL));
            MUST_LEAVE(UNTOUCHED);
            break;
        case 2:
            MUST(!functions->release(bad_handle(actor), flags, block != NULL ? block->address : nobodys_address(actor)));
            MUST_LEAVE(ERROR_INVALID_HANDLE);
            break;
        case 3:
            MUST(!functions->release(NULL, flags, block != NULL ? block->address : nobodys_address(actor)));
            MUST_LEAVE(ERROR_INVALID_PARAMETER);
            break;
        default:
            if (block == NULL)
                break;
            check_block(actor, block);
            MUST(functions->release(block->heap->handle, random_flags(actor, block->heap), block->address));
            MUST_LEAVE(UNTOUCHED);
            remove_block(actor, block, 1);
    }
}

void fuzz_size(struct actor *actor, const struct block_functions *functions)
{
    struct heap *heap = any_heap(actor);
    struct block *block = any_block(actor);
    DWORD error = is_observed_contract || functions->is_rtl ? ERROR_INVALID_PARAMETER : UNTOUCHED;
    forget_error();
    switch (below(actor, 4)) {
        case 0:
            MUST(functions->size(heap->handle, random_flags(actor, heap), once_in(actor, 8) ? NULL : no_block_of(actor, heap)) == NO_SIZE);
            MUST_LEAVE(error, functions->is_rtl ? UNTOUCHED : error);
            break;
        case 1:
            MUST(functions->size(once_in(actor, 4) ? NULL : bad_handle(actor), random_flags(actor, NULL),
                block != NULL ? block->address : nobodys_address(actor)) == NO_SIZE);
            MUST_LEAVE(error, ERROR_INVALID_HANDLE, functions->is_rtl ? UNTOUCHED : error);
            break;
        default:
            if (block == NULL)
                break;
            MUST(functions->size(block->heap->handle, random_flags(actor, block->heap), block->address) == block->bytes);
            MUST_LEAVE(UNTOUCHED);
    }
}

void fuzz_validate(struct actor *actor, const struct block_functions *functions)
{
    struct heap *heap = any_heap(actor);
    struct block *block = any_block(actor);
    forget_error();
    switch (below(actor, 6)) {
        case 0:
            MUST(!functions->validate(heap->handle, random_flags(actor, heap), no_block_of(actor, heap)));
            break;
        case 1:
            MUST(!functions->validate(once_in(actor, 4) ? NULL : bad_handle(actor), random_flags(actor, NULL), block != NULL ? block->address : NULL));
            break;
        case 2:
            if (once_in(actor, 10))
                MUST(functions->validate(heap->handle, random_flags(actor, heap), NULL));
            break;
        default:
            if (block != NULL)
                MUST(functions->validate(block->heap->handle, random_flags(actor, block->heap), block->address));
    }
    MUST_LEAVE(UNTOUCHED);
}

static const struct block_functions heap_functions = { HeapAlloc, HeapReAlloc, HeapFree, HeapSize, HeapValidate, 0 };
static void heap_alloc(struct actor *actor) { fuzz_allocate(actor, &heap_functions); }
static void heap_realloc(struct actor *actor) { fuzz_reallocate(actor, &heap_functions); }
static void heap_free(struct actor *actor) { fuzz_release(actor, &heap_functions); }
static void heap_size(struct actor *actor) { fuzz_size(actor, &heap_functions); }
static void heap_validate(struct actor *actor) { fuzz_validate(actor, &heap_functions); }

static const struct action actions[] = {
    { "HeapAlloc", heap_alloc, 300 }, { "HeapReAlloc", heap_realloc, 200 }, { "HeapFree", heap_free, 250 }, { "HeapSize", heap_size, 100 },
    { "HeapValidate", heap_validate, 40 },
};
PART(block_part, actions);

void finish_blocks(struct actor *actor)
{
    while (actor->block_count > 0) {
        struct block *block = &actor->blocks[0];
        check_block(actor, block);
        MUST(HeapSize(block->heap->handle, 0, block->address) == block->bytes);
        MUST(HeapFree(block->heap->handle, 0, block->address));
        remove_block(actor, block, 1);
    }
    for (int i = SHARED_HEAPS; i < HEAPS; i++)
        if (actor->heaps[i].handle != NULL) {
            MUST(HeapValidate(actor->heaps[i].handle, 0, NULL));
            MUST(HeapDestroy(actor->heaps[i].handle));
        }
}
