/* The objects that the groups of the families GlobalAlloc and LocalAlloc look at. */
#include "moveable.h"

const struct family global_family = { GlobalAlloc, GlobalReAlloc, GlobalFree, GlobalLock, GlobalUnlock, GlobalSize, GlobalFlags, GlobalHandle, GMEM_DISCARDABLE };
const struct family local_family = { LocalAlloc, LocalReAlloc, LocalFree, LocalLock, LocalUnlock, LocalSize, LocalFlags, LocalHandle, LMEM_DISCARDABLE };

static HANDLE filled(const struct family *family, UINT flags)
{
    HANDLE handle = family->allocate(flags, OBJECT_BYTES);
    memset(family->lock(handle), OBJECT_FILL, OBJECT_BYTES);
    family->unlock(handle);
    return handle;
}

/* Where an unlocked object's memory is. */
static void *block_of(const struct family *family, HANDLE handle)
{
    void *block = family->lock(handle);
    family->unlock(handle);
    return block;
}

struct object make_object(const struct family *family, enum object_kind kind)
{
    HANDLE handle;
    switch (kind) {
        case FIXED_BLOCK:
            handle = filled(family, GMEM_FIXED);
            return (struct object){ "fixed", handle, handle };
        case FIXED_EMPTY:
            handle = family->allocate(GMEM_FIXED, 0);
            return (struct object){ "fixed of 0 bytes", handle, handle };
        case HEAP_BLOCK:
            handle = HeapAlloc(GetProcessHeap(), 0, OBJECT_BYTES);
            return (struct object){ "block of HeapAlloc", handle, handle };
        case MOVEABLE_UNLOCKED:
            handle = filled(family, GMEM_MOVEABLE);
            return (struct object){ "moveable", handle, block_of(family, handle) };
        case MOVEABLE_DISCARDABLE:
            handle = filled(family, GMEM_MOVEABLE | family->discardable);
            return (struct object){ "discardable", handle, block_of(family, handle) };
        case MOVEABLE_SHARED:
            handle = filled(&global_family, GMEM_MOVEABLE | GMEM_DDESHARE); /* which is no flag of LocalAlloc's */
            return (struct object){ "shared", handle, block_of(family, handle) };
        case LOCKED_ONCE:
            handle = filled(family, GMEM_MOVEABLE);
            return (struct object){ "locked", handle, family->lock(handle) };
        case LOCKED_TWICE:
            handle = filled(family, GMEM_MOVEABLE);
            family->lock(handle);
            return (struct object){ "locked twice", handle, family->lock(handle) };
        case DISCARDED:
            return (struct object){ "discarded", family->allocate(GMEM_MOVEABLE, 0), NULL };
        case DISCARDED_DISCARDABLE:
            handle = filled(family, GMEM_MOVEABLE | family->discardable);
            family->reallocate(handle, 0, GMEM_MOVEABLE);
            return (struct object){ "discarded discardable", handle, NULL };
        case FREED_HANDLE:
            handle = filled(family, GMEM_MOVEABLE);
            family->release(handle);
            return (struct object){ "freed handle", handle, handle };
        case NEVER_A_HANDLE:
            handle = (HANDLE)(INT_PTR)(INT)(0xDEADBEE0 + sizeof(void *));
            return (struct object){ "never a handle", handle, handle };
        case UNMAPPED:
            handle = (HANDLE)(INT_PTR)(INT)0xDEADBEE0;
            return (struct object){ "unmapped address", handle, handle };
        default:
            return (struct object){ "NULL", NULL, NULL };
    }
}

void drop_object(const struct family *family, enum object_kind kind, struct object *object)
{
    if (kind < FREED_HANDLE && object->handle != NULL && family->release(object->handle) != NULL)
        observe(named("%s, is dropped", object->name), "no");
}

const char *which_handle(HANDLE result, HANDLE handle) { return result == NULL ? "NULL" : result == handle ? "the handle" : "another handle"; }

const char *which_block(const void *result, const void *block) { return result == NULL ? "NULL" : result == block ? "the block" : "another address"; }
