/* Blocks that are known by a handle: their addresses, given to functions that free and resize by address, and handles that were freed. Only the process heap has them. */
#include "heap.h"
#include <malloc.h>
#include <stdlib.h>

static HANDLE handle;
static char *moveable;

static void make_moveable(void)
{
    handle = GlobalAlloc(GMEM_MOVEABLE, shape->bytes);
    moveable = GlobalLock(handle);
    if (moveable == NULL)
        harm("no moveable block could be made");
    for (size_t i = 0; i < shape->bytes; i++)
        moveable[i] = 'm';
}

/* The handle leads to its block as ever, and the address to the handle. */
static void look_at_moveable(void)
{
    if (GlobalSize(handle) != shape->bytes || GlobalHandle(moveable) != handle || !HeapValidate(GetProcessHeap(), 0, moveable))
        harm("a moveable block has another size, or another handle");
    for (size_t i = 0; i < shape->bytes; i++)
        if (moveable[i] != 'm')
            harm("a moveable block has changed");
    for (int i = 0; i < 200; i++)
        if (malloc(shape->bytes) == (void *)moveable)
            harm("a moveable block was handed out again");
    if (GlobalUnlock(handle) || GlobalFree(handle) != NULL)
        harm("a moveable block cannot be freed");
}

static void call_free(void *address)
{
    SetLastError(UNTOUCHED);
    took(answer_of(HeapFree(GetProcessHeap(), 0, address), "HeapFree", ERROR_INVALID_PARAMETER));
}

static void call_resize(void *address)
{
    SetLastError(UNTOUCHED);
    took(answer_of(HeapReAlloc(GetProcessHeap(), 0, address, shape->bytes * 2) != NULL, "HeapReAlloc", ERROR_INVALID_PARAMETER));
}

static void call_resize_in_place(void *address)
{
    SetLastError(UNTOUCHED);
    took(answer_of(HeapReAlloc(GetProcessHeap(), HEAP_REALLOC_IN_PLACE_ONLY, address, shape->bytes - 8) != NULL, "HeapReAlloc", ERROR_INVALID_PARAMETER));
}

static void call_malloc_free(void *address)
{
    free(address);
    took(ACCEPTED);
}

static void call_malloc_resize(void *address) { took(realloc(address, shape->bytes * 2) == NULL ? REFUSED : ACCEPTED); }

#define OF_MOVEABLE(name, call) \
    static void name(void) \
    { \
        make_moveable(); \
        call; \
        look_at_moveable(); \
    }

OF_MOVEABLE(free_it, call_free(moveable))
OF_MOVEABLE(free_it_elsewhere, on_other_thread(call_free, moveable))
OF_MOVEABLE(resize_it, call_resize(moveable))
OF_MOVEABLE(resize_it_in_place, call_resize_in_place(moveable))
OF_MOVEABLE(free_it_by_malloc, call_malloc_free(moveable))
OF_MOVEABLE(resize_it_by_malloc, call_malloc_resize(moveable))

/* A handle that was freed, while its block has a new owner. */
static void use_freed_handle(void)
{
    make_moveable();
    if (GlobalFree(handle) != NULL)
        harm("a moveable block cannot be freed");
    char *heir = HeapAlloc(GetProcessHeap(), 0, shape->bytes);
    SetLastError(UNTOUCHED);
    took(answer_of(GlobalFree(handle) == NULL, "GlobalFree", ERROR_INVALID_HANDLE));
    took(answer_of(GlobalSize(handle) != 0, "GlobalSize", ERROR_INVALID_HANDLE));
    took(answer_of(GlobalLock(handle) != NULL, "GlobalLock", ERROR_INVALID_HANDLE));
    took(answer_of(GlobalReAlloc(handle, shape->bytes * 2, GMEM_MOVEABLE) != NULL, "GlobalReAlloc", ERROR_INVALID_HANDLE));
    if (HeapSize(GetProcessHeap(), 0, heir) != shape->bytes || !HeapFree(GetProcessHeap(), 0, heir))
        harm("the block of the new owner has another size, or is gone");
}

#define ITS_HANDLE_FREES_IT "is a moveable block, which is freed by its handle"
enum { KINDS = SLABS | LARGE | HUGE };

static const struct idea ideas[] = {
    { "HeapFree of a moveable block", free_it, KINDS, SAME, WRONG_CALL(ITS_HANDLE_FREES_IT) },
    { "HeapFree of a moveable block, by a thread that did not make it", free_it_elsewhere, KINDS, SAME, WRONG_CALL(ITS_HANDLE_FREES_IT) },
    { "HeapReAlloc of a moveable block", resize_it, KINDS, SAME, WRONG_CALL(ITS_HANDLE_FREES_IT) },
    { "HeapReAlloc of a moveable block in place", resize_it_in_place, KINDS, SAME, WRONG_CALL(ITS_HANDLE_FREES_IT) },
    { "free() of a moveable block", free_it_by_malloc, KINDS, SAME, STOPS_ALWAYS(ITS_HANDLE_FREES_IT) },
    { "realloc() of a moveable block", resize_it_by_malloc, KINDS, SAME, STOPS_ALWAYS(ITS_HANDLE_FREES_IT) },
    { "use of a handle that was freed", use_freed_handle, KINDS, SAME, WRONG_CALL(NEVER_HERE) },
};
IDEAS(ideas)
