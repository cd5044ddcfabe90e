/* The Rtl functions: blocks as in blocks.c; heaps, walks, information; values attached to blocks; many blocks at once. */
#include "blocks.h"
#include "heaps.h"

#include <ntrtl.h>

enum {
    STATUS_IS_BAD_HANDLE = (int)0xC0000008, STATUS_IS_BAD_PARAMETER = (int)0xC000000D, STATUS_IS_BAD_CLASS = (int)0xC0000003, STATUS_IS_SHORT = (int)0xC0000023,
    STATUS_IS_NO_ACCESS = (int)0xC0000005, STATUS_IS_UNSUCCESSFUL = (int)0xC0000001, STATUS_IS_END = (int)0x8000001A
};

static void *rtl_allocate(HANDLE heap, DWORD flags, SIZE_T bytes) { return RtlAllocateHeap(heap, flags, bytes); }
static void *rtl_reallocate(HANDLE heap, DWORD flags, void *block, SIZE_T bytes) { return RtlReAllocateHeap(heap, flags, block, bytes); }
static BOOL rtl_release(HANDLE heap, DWORD flags, void *block) { return (BOOL)RtlFreeHeap(heap, flags, block); }
static SIZE_T rtl_size(HANDLE heap, DWORD flags, const void *block) { return RtlSizeHeap(heap, flags, (void *)(uintptr_t)block); }
static BOOL rtl_validate(HANDLE heap, DWORD flags, const void *block) { return RtlValidateHeap(heap, flags, (void *)(uintptr_t)block); }

static const struct block_functions rtl_functions = { rtl_allocate, rtl_reallocate, rtl_release, rtl_size, rtl_validate, 1 };
static void allocate_heap(struct actor *actor) { fuzz_allocate(actor, &rtl_functions); }
static void reallocate_heap(struct actor *actor) { fuzz_reallocate(actor, &rtl_functions); }
static void free_heap(struct actor *actor) { fuzz_release(actor, &rtl_functions); }
static void size_heap(struct actor *actor) { fuzz_size(actor, &rtl_functions); }
static void validate_heap(struct actor *actor) { fuzz_validate(actor, &rtl_functions); }

static void create_heap(struct actor *actor)
{
    DWORD unchecked = ~(DWORD)(HEAP_TAIL_CHECKING_ENABLED | HEAP_FREE_CHECKING_ENABLED);
    DWORD flags = (random_flags(actor, NULL) & unchecked) | (once_in(actor, 2) ? HEAP_GROWABLE : 0);
    SIZE_T reserve = once_in(actor, 3) ? 0 : below(actor, 4 * MiB), commit = once_in(actor, 2) ? 0 : below(actor, 4 * MiB);
    RTL_HEAP_PARAMETERS parameters = { .Length = once_in(actor, 2) ? sizeof parameters : (ULONG)random_bits(actor), .InitialCommit = below(actor, MiB) };
    int has_parameters = once_in(actor, 3);
    void *base = once_in(actor, 10) ? nobodys_address(actor) : NULL, *lock = once_in(actor, 10) ? nobodys_address(actor) : NULL;
    void *unreadable = once_in(actor, 20) ? nobodys_address(actor) : NULL;
    HANDLE handle = RtlCreateHeap(flags, base, reserve, commit, lock, unreadable != NULL ? unreadable : has_parameters ? &parameters : NULL);
    int is_plain = base == NULL && lock == NULL && unreadable == NULL && !has_parameters;
    MUST(handle != NULL || !is_plain);
    /* The reserve is the maximum of a heap that does not grow, whatever becomes of small ones. */
    if (handle != NULL)
        keep_heap(actor, handle, flags, flags & HEAP_GROWABLE ? 0 : 64 * (SIZE_T)MiB);
}

static void destroy_heap(struct actor *actor)
{
    struct heap *heap = own_heap(actor);
    if (heap == NULL || once_in(actor, 2)) {
        HANDLE process = GetProcessHeap(), bad = bad_handle(actor);
        MUST(RtlDestroyHeap(process) == process);
        MUST(RtlDestroyHeap(bad) == bad);
        MUST(RtlDestroyHeap(NULL) == NULL);
        return;
    }
    HANDLE handle = heap->handle;
    forget_heap(actor, heap);
    MUST(RtlDestroyHeap(handle) == NULL);
    MUST(RtlDestroyHeap(handle) == handle);
}

static void lock_heap(struct actor *actor)
{
    struct heap *heap = own_heap(actor);
    MUST(!RtlLockHeap(once_in(actor, 2) ? NULL : bad_handle(actor)));
    if (heap != NULL) {
        MUST(RtlLockHeap(heap->handle));
        heap->locks++;
    }
}

static void unlock_heap(struct actor *actor)
{
    struct heap *heap = any_heap(actor);
    MUST(!RtlUnlockHeap(once_in(actor, 2) ? NULL : bad_handle(actor)));
    MUST(RtlUnlockHeap(heap->handle));
    heap->locks -= heap->locks > 0;
}

static int walk_whole(struct actor *actor, const struct heap *heap)
{
    RTL_HEAP_WALK_ENTRY entry = { .DataAddress = NULL, .Flags = (USHORT)random_bits(actor) };
    int expected = 0, busy = 0;
    NTSTATUS status;
    for (int i = 0; i < actor->block_count; i++)
        expected += actor->blocks[i].heap == heap;
    while ((status = RtlWalkHeap(heap->handle, &entry)) == 0) {
        if ((entry.Flags & RTL_HEAP_BUSY) == 0)
            continue;
        int found = 0;
        for (int i = 0; i < actor->block_count; i++)
            found += actor->blocks[i].heap == heap && actor->blocks[i].address == entry.DataAddress && actor->blocks[i].bytes == entry.DataSize;
        MUST(found == 1);
        busy++;
    }
    MUST(status == STATUS_IS_END);
    return busy == expected;
}

static void walk_heap(struct actor *actor)
{
    struct heap *heap = own_heap(actor), *shared = any_heap(actor);
    RTL_HEAP_WALK_ENTRY entry, before;
    memset(&entry, (int)random_bits(actor), sizeof entry);
    MUST(RtlWalkHeap(shared->handle, NULL) == STATUS_IS_BAD_PARAMETER);
    MUST(RtlWalkHeap(NULL, &entry) == STATUS_IS_BAD_HANDLE);
    entry.DataAddress = NULL;
    MUST(RtlWalkHeap(bad_handle(actor), &entry) == STATUS_IS_BAD_HANDLE);
    entry.DataAddress = no_block_of(actor, shared);
    before = entry;
    NTSTATUS status = RtlWalkHeap(shared->handle, &entry);
    MUST(status == 0 || status == STATUS_IS_BAD_PARAMETER || status == STATUS_IS_END);
    MUST(status == 0 || memcmp(&before, &entry, sizeof entry) == 0);
    if (heap != NULL)
        MUST(walk_whole(actor, heap));
}

static void compact_heap(struct actor *actor)
{
    RtlCompactHeap(any_heap(actor)->handle, 0);
    MUST(RtlCompactHeap(once_in(actor, 4) ? NULL : bad_handle(actor), random_flags(actor, NULL)) == 0);
}

static void zero_heap(struct actor *actor)
{
    struct heap *heap = own_heap(actor);
    MUST(RtlZeroHeap(once_in(actor, 4) ? NULL : bad_handle(actor), random_flags(actor, NULL)) == STATUS_IS_BAD_HANDLE);
    if (heap == NULL)
        return;
    MUST(RtlZeroHeap(heap->handle, random_flags(actor, heap)) == 0);
    for (int i = 0; i < actor->block_count; i++)
        check_block(actor, &actor->blocks[i]);
}

static void query_information(struct actor *actor)
{
    unsigned char buffer[32];
    memset(buffer, 0xAB, sizeof buffer);
    int kind = once_in(actor, 2) ? HeapCompatibilityInformation : (int)below(actor, 10), has_heap = !once_in(actor, 5);
    SIZE_T length = below(actor, 17), returned = 77;
    NTSTATUS status = RtlQueryHeapInformation(has_heap ? any_heap(actor)->handle : once_in(actor, 2) ? NULL : bad_handle(actor), kind, buffer, length, &returned);
    MUST(all_bytes(buffer + length, sizeof buffer - length, 0xAB));
    if (kind == HeapCompatibilityInformation && has_heap) {
        MUST(status == (length < 4 ? STATUS_IS_SHORT : 0));
        MUST(returned == 4);
    } else if (kind == HeapCompatibilityInformation)
        MUST(status == STATUS_IS_NO_ACCESS || status == STATUS_IS_BAD_HANDLE);
    else
        MUST(status <= 0);
}

static void set_information(struct actor *actor)
{
    struct heap *heap = own_heap(actor);
    DWORD value = below(actor, 5);
    MUST(RtlSetHeapInformation(once_in(actor, 2) ? NULL : bad_handle(actor), HeapCompatibilityInformation, &value, sizeof value) == STATUS_IS_BAD_HANDLE);
    if (heap == NULL)
        return;
    MUST(RtlSetHeapInformation(heap->handle, HeapCompatibilityInformation, &value, below(actor, 4)) == STATUS_IS_SHORT);
    NTSTATUS status = RtlSetHeapInformation(heap->handle, HeapCompatibilityInformation, &value, sizeof value);
    MUST(status == 0 || status == STATUS_IS_UNSUCCESSFUL || status == STATUS_IS_BAD_PARAMETER);
    MUST(status != 0 || value == 0 || value == 2);
    if (status == 0 && value == 2)
        heap->front_end = 2;
}

static void get_user_info(struct actor *actor)
{
    struct block *block = any_block(actor);
    struct heap *heap = any_heap(actor);
    void *value = (void *)0x77;
    ULONG flags = 0x77;
    MUST(!RtlGetUserInfoHeap(heap->handle, random_flags(actor, heap), no_block_of(actor, heap), &value, &flags));
    MUST(!RtlGetUserInfoHeap(bad_handle(actor), random_flags(actor, NULL), nobodys_address(actor), NULL, NULL));
    if (block == NULL)
        return;
    BOOLEAN done = RtlGetUserInfoHeap(block->heap->handle, random_flags(actor, block->heap), block->address, &value, &flags);
    MUST(!done || (flags & ~HEAP_SETTABLE_USER_FLAGS) == 0);
    if (block->has_value == 1)
        MUST(done && value == block->value);
}

static void set_user_value(struct actor *actor)
{
    struct block *block = any_block(actor);
    struct heap *heap = any_heap(actor);
    void *value = (void *)(uintptr_t)random_bits(actor);
    MUST(!RtlSetUserValueHeap(heap->handle, random_flags(actor, heap), no_block_of(actor, heap), value));
    MUST(!RtlSetUserValueHeap(bad_handle(actor), random_flags(actor, NULL), nobodys_address(actor), value));
    if (block == NULL)
        return;
    BOOLEAN done = RtlSetUserValueHeap(block->heap->handle, random_flags(actor, block->heap), block->address, value);
    MUST(done || block->has_value != 1);
    MUST(!done || block->has_value != 0);
    if (done) {
        block->has_value = 1;
        block->value = value;
    }
    check_block(actor, block);
}

static void set_user_flags(struct actor *actor)
{
    struct block *block = any_block(actor);
    struct heap *heap = any_heap(actor);
    ULONG reset = (ULONG)random_bits(actor) & (once_in(actor, 4) ? 0xFFFFFFFF : HEAP_SETTABLE_USER_FLAGS);
    ULONG set = (ULONG)random_bits(actor) & HEAP_SETTABLE_USER_FLAGS;
    void *value;
    ULONG flags = 0;
    MUST(!RtlSetUserFlagsHeap(heap->handle, random_flags(actor, heap), no_block_of(actor, heap), reset, set));
    MUST(!RtlSetUserFlagsHeap(bad_handle(actor), random_flags(actor, NULL), nobodys_address(actor), reset, set));
    if (block == NULL)
        return;
    forget_error();
    BOOLEAN done = RtlSetUserFlagsHeap(block->heap->handle, random_flags(actor, block->heap), block->address, reset, set);
    MUST(!done || (reset & ~HEAP_SETTABLE_USER_FLAGS) == 0);
    MUST(done || block->has_value != 1 || (reset & ~HEAP_SETTABLE_USER_FLAGS) != 0);
    if (done) {
        MUST(RtlGetUserInfoHeap(block->heap->handle, 0, block->address, &value, &flags));
        MUST((flags & reset & ~set) == 0 && (flags & set & ~reset) == (set & ~reset));
    }
    check_block(actor, block);
}

static DWORD list_heaps(DWORD count, HANDLE *heaps) { return RtlGetProcessHeaps(count, heaps); }
static void get_process_heaps(struct actor *actor) { check_heap_list(actor, list_heaps); }

enum { MANY = 20 };

static void multiple_allocate(struct actor *actor)
{
    struct heap *heap = any_heap(actor);
    SIZE_T bytes = below(actor, 2000);
    void *blocks[MANY + 1] = { 0 };
    ULONG count = below(actor, MANY + 1), got;
    DWORD flags = random_flags(actor, heap) & ~HEAP_GENERATE_EXCEPTIONS;
    if (actor->block_count > BLOCKS - 30 || (heap->options & HEAP_GENERATE_EXCEPTIONS) != 0)
        return;
    got = RtlMultipleAllocateHeap(heap->handle, flags, bytes, count, blocks);
    MUST(got == count || (got < count && heap->maximum != 0));
    MUST(blocks[got] == NULL || got < count);
    for (ULONG i = 0; i < got; i++) {
        MUST(RtlSizeHeap(heap->handle, 0, blocks[i]) == bytes);
        MUST(((flags | heap->options) & HEAP_ZERO_MEMORY) == 0 || all_bytes(blocks[i], bytes, 0));
        add_block(actor, heap, blocks[i], bytes)->has_value = (flags & ANY_ATTACHABLE) != 0;
    }
    MUST(RtlMultipleAllocateHeap(bad_handle(actor), 0, bytes, count, blocks) == 0);
}

static void multiple_free(struct actor *actor)
{
    struct heap *heap = any_heap(actor);
    void *blocks[MANY];
    ULONG count = 0;
    for (int i = actor->block_count - 1; i >= 0 && count < MANY; i--)
        if (actor->blocks[i].heap == heap) {
            check_block(actor, &actor->blocks[i]);
            blocks[count++] = actor->blocks[i].address;
            remove_block(actor, &actor->blocks[i], 1);
        }
    MUST(RtlMultipleFreeHeap(heap->handle, 0, count, blocks) == count);
    blocks[0] = no_block_of(actor, heap);
    MUST(RtlMultipleFreeHeap(heap->handle, 0, 1, blocks) == 0);
}

static const struct action actions[] = {
    { "RtlAllocateHeap", allocate_heap, 100 }, { "RtlReAllocateHeap", reallocate_heap, 60 }, { "RtlFreeHeap", free_heap, 80 }, { "RtlSizeHeap", size_heap, 30 },
    { "RtlValidateHeap", validate_heap, 15 }, { "RtlCreateHeap", create_heap, 10 }, { "RtlDestroyHeap", destroy_heap, 8 }, { "RtlLockHeap", lock_heap, 5 },
    { "RtlUnlockHeap", unlock_heap, 8 }, { "RtlWalkHeap", walk_heap, 8 }, { "RtlCompactHeap", compact_heap, 3 }, { "RtlZeroHeap", zero_heap, 3 },
    { "RtlQueryHeapInformation", query_information, 6 }, { "RtlSetHeapInformation", set_information, 6 }, { "RtlGetUserInfoHeap", get_user_info, 10 },
    { "RtlSetUserValueHeap", set_user_value, 10 }, { "RtlSetUserFlagsHeap", set_user_flags, 10 }, { "RtlGetProcessHeaps", get_process_heaps, 4 },
    { "RtlMultipleAllocateHeap", multiple_allocate, 10 }, { "RtlMultipleFreeHeap", multiple_free, 6 },
};
PART(rtl_part, actions);
