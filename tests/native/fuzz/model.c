/* Pools of arguments, and the model of blocks. */
#include "fuzz.h"

#include <sys/mman.h>

SIZE_T random_size(struct actor *actor)
{
    switch (below(actor, 20)) {
        case 0: return 0;
        case 1: case 2: return below(actor, 3000);
        case 3: return below(actor, 40000);
        case 4: return once_in(actor, 8) ? below(actor, 2 * MiB) : below(actor, 300 * KiB);
        case 5: return once_in(actor, 4) ? NO_SIZE - below(actor, 100000) : (SIZE_T)1 << (47 + below(actor, 17));
        case 6: return 0x7FFF8 - 16 + below(actor, 32);
        default: return below(actor, 200);
    }
}

DWORD random_flags(struct actor *actor, const struct heap *heap)
{
    DWORD flags = once_in(actor, 3) ? (DWORD)random_bits(actor) : once_in(actor, 2) ? 0 : 1u << below(actor, 32);
    /* Who says HEAP_NO_SERIALIZE promises that no other thread uses the heap. */
    return heap != NULL && heap - actor->heaps < SHARED_HEAPS ? flags & ~HEAP_NO_SERIALIZE : flags;
}

static char *unreadable_memory(void)
{
    static char *volatile memory;
    if (memory == NULL)
        memory = mmap(NULL, 16 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory;
}

void *nobodys_address(struct actor *actor)
{
    switch (below(actor, 5)) {
        case 0: return (void *)(uintptr_t)(1 + below(actor, 65535));
        case 1: return (void *)(uintptr_t)(0xFFFF800000000000 | random_bits(actor) >> 17);
        case 2: return (void *)(uintptr_t)(0x0000800000000000 | random_bits(actor) >> 17 | (uintptr_t)1 << 62);
        case 3: return (void *)~(uintptr_t)below(actor, 4096);
        default: return (void *)(uintptr_t)0xFFFFFFFFDEADBEE0;
    }
}

HANDLE bad_handle(struct actor *actor)
{
    static char memory[64];
    switch (below(actor, 7)) {
        case 0: return INVALID_HANDLE_VALUE;
        case 1: return nobodys_address(actor);
        case 2: return memory;
        case 3: return unreadable_memory();
        case 4: { struct block *block = any_block(actor); return block != NULL ? (HANDLE)block->address : memory; }
        /* A handle is a random number of the right look only once in 2^32 times. */
        case 5: return (HANDLE)(uintptr_t)(random_bits(actor) | 1);
        default: { HANDLE dead = actor->dead[below(actor, DEAD)]; return dead != NULL ? dead : memory; }
    }
}

struct heap *any_heap(struct actor *actor)
{
    struct heap *heap = &actor->heaps[favorite_heap == SHARED_HEAPS || once_in(actor, 8) ? (int)below(actor, HEAPS) : favorite_heap];
    return heap->handle != NULL ? heap : &actor->heaps[below(actor, SHARED_HEAPS)];
}

struct heap *own_heap(struct actor *actor)
{
    struct heap *heap = &actor->heaps[SHARED_HEAPS + below(actor, OWN_HEAPS)];
    return heap->handle != NULL ? heap : NULL;
}

struct block *any_block(struct actor *actor) { return actor->block_count == 0 ? NULL : &actor->blocks[below(actor, actor->block_count)]; }

void *no_block_of(struct actor *actor, const struct heap *heap)
{
    static char memory[256];
    char local[64];
    char *volatile address;
    struct block *block = any_block(actor);
    switch (below(actor, 8)) {
        case 0: address = local + below(actor, 64); return address;
        case 1: return memory + below(actor, 256);
        case 2: return unreadable_memory() + below(actor, 16 * PAGE);
        case 3: case 4: /* inside a block, aligned or not */
            if (block == NULL || block->bytes < 2)
                return nobodys_address(actor);
            return block->address + 1 + below(actor, block->bytes < MiB ? (unsigned)block->bytes - 1 : MiB - 1);
        case 5: /* another heap's */
            return block != NULL && block->heap->handle != heap->handle ? block->address : nobodys_address(actor);
        case 6: { /* freed */
            unsigned char *freed = heap - actor->heaps >= SHARED_HEAPS && heap - actor->heaps < HEAPS ? heap->freed[below(actor, FREED)] : NULL;
            return freed != NULL ? freed : nobodys_address(actor);
        }
        default: return nobodys_address(actor);
    }
}

int all_bytes(const void *block, SIZE_T count, unsigned char value)
{
    const unsigned char *bytes = block;
    return count == 0 || (bytes[0] == value && memcmp(bytes, bytes + 1, count - 1) == 0);
}

void check_block(struct actor *actor, const struct block *block)
{
    if (all_bytes(block->address, block->bytes, block->fill))
        return;
    SIZE_T first = 0, last = block->bytes - 1;
    while (block->address[first] == block->fill)
        first++;
    while (block->address[last] == block->fill)
        last--;
    fprintf(stderr, "fuzz: %s block %p of %zu bytes of 0x%02X in heap %d: bytes %zu to %zu have changed, the first to 0x%02X\n", actor->function, block->address,
        (size_t)block->bytes, block->fill, (int)(block->heap - actor->heaps), (size_t)first, (size_t)last, block->address[first]);
    MUST(!"a live block has changed");
}

void fill_block(struct actor *actor, struct block *block)
{
    block->fill = (unsigned char)random_bits(actor);
    memset(block->address, block->fill, block->bytes);
}

struct block *add_block(struct actor *actor, struct heap *heap, void *address, SIZE_T bytes)
{
    unsigned char *begin = address;
    MUST((uintptr_t)address % MEMORY_ALLOCATION_ALIGNMENT == 0);
    for (int i = 0; i < actor->block_count; i++) {
        struct block *other = &actor->blocks[i];
        if (begin + bytes > other->address && begin < other->address + other->bytes)
            fprintf(stderr, "fuzz: %p of %zu bytes in heap %d (%p), and %p of %zu bytes in heap %d (%p) is live\n", address, (size_t)bytes,
                (int)(heap - actor->heaps), heap->handle, other->address, (size_t)other->bytes, (int)(other->heap - actor->heaps), other->heap->handle);
        MUST(begin + bytes <= other->address || begin >= other->address + other->bytes);
        MUST(begin != other->address);
    }
    for (int i = 0; i < FREED; i++)
        if (heap->freed[i] != NULL && heap->freed[i] == begin)
            heap->freed[i] = NULL;
    struct block *block = &actor->blocks[actor->block_count++];
    *block = (struct block){ .heap = heap, .address = address, .bytes = bytes };
    actor->live_bytes += bytes;
    fill_block(actor, block);
    return block;
}

void remove_block(struct actor *actor, struct block *block, int is_freed)
{
    if (is_freed)
        block->heap->freed[below(actor, FREED)] = block->address;
    actor->live_bytes -= block->bytes;
    *block = actor->blocks[--actor->block_count];
}

/* By the process's handler, or by a __try block: both are to be tried. */
static int is_by_handler(struct actor *actor) { return once_in(actor, 2); }

void on_raise(DWORD code, HANDLE heap, SIZE_T bytes, void *context)
{
    (void)heap, (void)bytes, (void)context;
    if (self == NULL || !self->is_guarded)
        return;
    self->is_guarded = 0;
    self->raised = code;
    longjmp(self->place, 1);
}

void *guarded_allocate(struct actor *actor, allocation *allocate, HANDLE heap, DWORD flags, SIZE_T bytes)
{
    void *volatile block = NULL;
    actor->raised = 0;
    if (is_by_handler(actor)) {
        if (setjmp(actor->place) == 0) {
            actor->is_guarded = 1;
            block = allocate(heap, flags, bytes);
        }
        actor->is_guarded = 0;
        return block;
    }
    __try {
        block = allocate(heap, flags, bytes);
    }
    __except (EXCEPTION_EXECUTE_HANDLER) {
        self->raised = GetExceptionCode();
    }
    return block;
}

void *guarded_reallocate(struct actor *actor, reallocation *reallocate, HANDLE heap, DWORD flags, void *block, SIZE_T bytes)
{
    void *volatile resized = NULL;
    actor->raised = 0;
    if (is_by_handler(actor)) {
        if (setjmp(actor->place) == 0) {
            actor->is_guarded = 1;
            resized = reallocate(heap, flags, block, bytes);
        }
        actor->is_guarded = 0;
        return resized;
    }
    __try {
        resized = reallocate(heap, flags, block, bytes);
    }
    __except (EXCEPTION_EXECUTE_HANDLER) {
        self->raised = GetExceptionCode();
    }
    return resized;
}
