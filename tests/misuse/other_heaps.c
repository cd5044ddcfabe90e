/* Blocks of another heap, of malloc and of a heap that is gone, and handles of no heap. Only the heap functions can be misused so. */
#include "heap.h"
#include <malloc.h>
#include <stdlib.h>

/* A block of another heap, which stays as it is; the scene's heap does not take it. */
static HANDLE other_heap;
static char *other_block;

static void make_other(void)
{
    other_heap = HeapCreate(shape->heap_options, 0, shape->heap_maximum);
    other_block = HeapAlloc(other_heap, 0, shape->bytes);
    for (size_t i = 0; i < shape->bytes; i++)
        other_block[i] = 'o';
}

static void look_at_other(void)
{
    if (HeapSize(other_heap, 0, other_block) != shape->bytes || !HeapValidate(other_heap, 0, NULL))
        harm("the other heap's block has another size");
    for (size_t i = 0; i < shape->bytes; i++)
        if (other_block[i] != 'o')
            harm("the other heap's block has changed");
    if (!HeapFree(other_heap, 0, other_block))
        harm("the other heap's block cannot be freed");
}

#define OF_OTHER_HEAP(name, call) \
    static void name(void) \
    { \
        make_other(); \
        call; \
        look_at_other(); \
    }

OF_OTHER_HEAP(free_others, wrong_free(other_block))
OF_OTHER_HEAP(resize_others, wrong_resize(other_block))
OF_OTHER_HEAP(size_of_others, wrong_size(other_block))
OF_OTHER_HEAP(free_inside_others, wrong_free(other_block + 16))
OF_OTHER_HEAP(free_by_malloc, (free(other_block), took(ACCEPTED)))
OF_OTHER_HEAP(resize_by_malloc, (took(realloc(other_block, 100) == NULL ? REFUSED : ACCEPTED)))
OF_OTHER_HEAP(size_by_malloc, took(malloc_usable_size(other_block) == 0 ? REFUSED : ACCEPTED))

/* A block of malloc, where malloc is this library's and where it is not. */
#define OF_MALLOC(name, call) \
    static void name(void) \
    { \
        char *block = malloc(shape->bytes); \
        block[0] = 'm'; \
        call; \
        if (block[0] != 'm' || malloc_usable_size(block) < shape->bytes) \
            harm("a block of malloc has changed"); \
        free(block); \
    }

OF_MALLOC(free_mallocs, wrong_free(block))
OF_MALLOC(resize_mallocs, wrong_resize(block))
OF_MALLOC(size_of_mallocs, wrong_size(block))

/* A heap that is gone. Another one takes its place, so that the old handle has something to be mistaken for. */
static HANDLE gone;

static char *block_of_gone_heap(void)
{
    gone = HeapCreate(shape->heap_options, 0, shape->heap_maximum);
    char *block = HeapAlloc(gone, 0, shape->bytes);
    if (!HeapDestroy(gone))
        harm("a heap cannot be destroyed");
    return block;
}

static void take_the_place_of_gone_heap(void)
{
    HANDLE heir = HeapCreate(shape->heap_options, 0, shape->heap_maximum);
    if (heir == NULL || HeapAlloc(heir, 0, shape->bytes) == NULL)
        harm("no heap could be made");
}

static void free_of_gone(void) { wrong_free(block_of_gone_heap()); }
static void resize_of_gone(void) { wrong_resize(block_of_gone_heap()); }
static void size_of_gone(void) { wrong_size(block_of_gone_heap()); }
static void write_to_gone(void) { wrong_write(block_of_gone_heap(), 8); }

/* HeapValidate is there to be asked about any address. */
static void validate_no_blocks(void)
{
    char local[64];
    make_other();
    void *of_malloc = malloc(shape->bytes);
    void *freed = HeapAlloc(heap, 0, shape->bytes);
    release(freed);
    void *addresses[] = { freed, victim + 16, victim + 1, victim - 16, victim + victim_bytes, other_block, of_malloc, local, &gone, (void *)1, (void *)0x123456789000,
        (void *)0xFEDCBA9876543210 };
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        SetLastError(UNTOUCHED);
        if (HeapValidate(heap, 0, addresses[i]))
            harm("HeapValidate takes %p for a live block", addresses[i]);
        took(answer_of(0, "HeapValidate", UNTOUCHED));
    }
    free(of_malloc);
    look_at_other();
}

/* The handle itself. A handle of no heap is an invalid handle; HeapSize, HeapAlloc and HeapValidate leave the last error alone. */
#define BY_HANDLE(name, handle_) \
    static void free_by_##name(void) \
    { \
        HANDLE handle = handle_; \
        SetLastError(UNTOUCHED); \
        took(answer_of(HeapFree(handle, 0, victim), "HeapFree", FREE_ERROR)); \
    } \
    static void use_by_##name(void) \
    { \
        HANDLE handle = handle_; \
        SetLastError(UNTOUCHED); \
        took(answer_of(HeapAlloc(handle, 0, 24) != NULL, "HeapAlloc", UNTOUCHED)); \
        took(answer_of(HeapSize(handle, 0, victim) != (SIZE_T)-1, "HeapSize", UNTOUCHED)); \
        took(answer_of(HeapValidate(handle, 0, victim), "HeapValidate", UNTOUCHED)); \
        took(answer_of(HeapReAlloc(handle, 0, victim, 100) != NULL, "HeapReAlloc", ERROR_INVALID_HANDLE)); \
        SetLastError(UNTOUCHED); \
        took(answer_of(HeapDestroy(handle), "HeapDestroy", ERROR_INVALID_HANDLE)); \
    }
enum { FREE_ERROR = ERROR_INVALID_HANDLE };

static HANDLE stale_handle(void)
{
    block_of_gone_heap();
    take_the_place_of_gone_heap();
    return gone;
}

BY_HANDLE(stale, stale_handle())
BY_HANDLE(invented, (HANDLE)0x1234)
BY_HANDLE(address, (HANDLE)victim)

static void destroy_process_heap(void)
{
    SetLastError(UNTOUCHED);
    took(answer_of(HeapDestroy(GetProcessHeap()), "HeapDestroy", ERROR_INVALID_HANDLE));
}

/* Destroyed while it holds live blocks, and used on: by its handle, from which it must be told that it is gone. */
static void use_after_destroy(void)
{
    char *block = block_of_gone_heap();
    SetLastError(UNTOUCHED);
    took(answer_of(HeapFree(gone, 0, block), "HeapFree", FREE_ERROR));
}

static const struct idea ideas[] = {
    { "free of another heap's block", free_others, ALL, BOTH, WRONG_CALL(OTHER_HEAP) },
    { "resize of another heap's block", resize_others, ALL, SAME, WRONG_CALL(OTHER_HEAP) },
    { "size of another heap's block", size_of_others, FEW, SAME, WRONG_QUESTION(OTHER_HEAP) },
    { "free of an address inside of another heap's block", free_inside_others, FEW, SAME, WRONG_CALL(INSIDE("16") " of another heap") },
    { "free() of a heap's block", free_by_malloc, ALL, SAME, STOPS_ALWAYS(OTHER_HEAP) },
    { "realloc() of a heap's block", resize_by_malloc, FEW, SAME, STOPS_ALWAYS(OTHER_HEAP) },
    { "malloc_usable_size() of a heap's block", size_by_malloc, FEW, SAME, WRONG_QUESTION(OTHER_HEAP) },
    { "free of malloc's block", free_mallocs, ALL, SAME, WRONG_CALL(OTHER_HEAP) },
    { "resize of malloc's block", resize_mallocs, FEW, SAME, WRONG_CALL(OTHER_HEAP) },
    { "size of malloc's block", size_of_mallocs, FEW, SAME, WRONG_QUESTION(OTHER_HEAP) },
    { "free of a destroyed heap's block", free_of_gone, ALL, BOTH, WRONG_CALL(NO_BLOCK) },
    { "resize of a destroyed heap's block", resize_of_gone, FEW, SAME, WRONG_CALL(NO_BLOCK) },
    { "size of a destroyed heap's block", size_of_gone, FEW, SAME, WRONG_QUESTION(NO_BLOCK) },
    { "validation of what is no block", validate_no_blocks, ALL, SAME, UNSERVED },
    { "write to a destroyed heap's block", write_to_gone, ALL, SAME, WRITTEN_WHILE_GONE },
    { "free by the handle of a destroyed heap", use_after_destroy, FEW, BOTH, WRONG_HANDLE },
    { "free by a stale handle", free_by_stale, FEW, SAME, WRONG_HANDLE },
    { "use of a stale handle", use_by_stale, FEW, SAME, WRONG_HANDLE },
    { "free by an invented handle", free_by_invented, ONLY, SAME, WRONG_HANDLE },
    { "use of an invented handle", use_by_invented, ONLY, SAME, WRONG_HANDLE },
    { "free by an address for a handle", free_by_address, ONLY, SAME, WRONG_HANDLE },
    { "use of an address for a handle", use_by_address, ONLY, SAME, WRONG_HANDLE },
    { "destruction of the process heap", destroy_process_heap, ONLY, SAME, UNSERVED },
};
IDEAS(ideas)
