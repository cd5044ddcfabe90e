/* The Global and Local functions against the model of each block. */
#include "moveable.h"

struct family {
    HANDLE (*allocate)(UINT flags, SIZE_T bytes);
    HANDLE (*reallocate)(HANDLE memory, SIZE_T bytes, UINT flags);
    HANDLE (*release)(HANDLE memory);
    void *(*lock)(HANDLE memory);
    BOOL (*unlock)(HANDLE memory);
    SIZE_T (*size)(HANDLE memory);
    UINT (*flags)(HANDLE memory);
    HANDLE (*handle_of)(const void *block);
    UINT valid, discardable;
    int is_global;
};

static const struct family global = { GlobalAlloc, GlobalReAlloc, GlobalFree, GlobalLock, GlobalUnlock, GlobalSize, GlobalFlags, GlobalHandle,
    GMEM_VALID_FLAGS, GMEM_DISCARDABLE, 1 };
static const struct family local = { LocalAlloc, LocalReAlloc, LocalFree, LocalLock, LocalUnlock, LocalSize, LocalFlags, LocalHandle,
    LMEM_VALID_FLAGS, LMEM_DISCARDABLE, 0 };

static UINT random_attributes(struct actor *actor, const struct family *family)
{
    if (once_in(actor, 8))
        return (UINT)random_bits(actor);
    return (UINT)random_bits(actor) & ONE_OF(UINT, GMEM_MOVEABLE, GMEM_MOVEABLE | GMEM_ZEROINIT, GMEM_MODIFY | GMEM_MOVEABLE, family->valid,
        GMEM_MODIFY | family->discardable);
}

static void allocate(struct actor *actor, const struct family *family)
{
    make_object_room(actor);
    UINT flags = random_attributes(actor, family);
    SIZE_T bytes = random_size(actor);
    forget_error();
    HANDLE handle = family->allocate(flags, bytes);
    if ((flags & ~family->valid) != 0) {
        MUST(handle == NULL);
        MUST_LEAVE(ERROR_INVALID_PARAMETER);
        return;
    }
    if (handle == NULL) {
        MUST(bytes >= 16 * (SIZE_T)MiB);
        MUST_LEAVE(ERROR_NOT_ENOUGH_MEMORY);
        return;
    }
    MUST_LEAVE(UNTOUCHED);
    MUST(bytes < (SIZE_T)1 << 47);
    struct object object = { .handle = handle, .bytes = bytes, .is_moveable = (flags & GMEM_MOVEABLE) != 0 };
    object.is_discarded = object.is_moveable && bytes == 0;
    object.is_discardable = object.is_moveable && (flags & family->discardable) != 0;
    object.is_shared = object.is_moveable && family->is_global && (flags & GMEM_DDESHARE) != 0;
    if (!object.is_moveable && bytes == 0)
        object.bytes = family->is_global;
    find_block(actor, &object);
    MUST((flags & GMEM_ZEROINIT) == 0 || object.is_discarded || all_bytes(object.block, object.bytes, 0));
    add_object(actor, object);
}

static void reallocate_nothing(struct actor *actor, const struct family *family)
{
    HANDLE memory = once_in(actor, 4) ? NULL : no_memory(actor);
    UINT flags = random_attributes(actor, family);
    forget_error();
    MUST(family->reallocate(memory, random_size(actor), flags) == NULL);
    MUST_LEAVE(ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_NOACCESS);
}

static void reallocate(struct actor *actor, const struct family *family)
{
    struct object *object = any_object(actor);
    if (object == NULL || once_in(actor, 5)) {
        reallocate_nothing(actor, family);
        return;
    }
    check_object(actor, object);
    UINT flags = random_attributes(actor, family);
    SIZE_T bytes = random_size(actor), old_bytes = object->bytes, kept = bytes < old_bytes ? bytes : old_bytes;
    int modifies = (flags & GMEM_MODIFY) != 0, is_moveable_asked = (flags & GMEM_MOVEABLE) != 0;
    forget_error();
    HANDLE handle = family->reallocate(object->handle, bytes, flags);
    if ((flags & ~(family->valid | GMEM_MODIFY)) != 0 || (!modifies && (flags & family->discardable) != 0)) {
        MUST(handle == NULL);
        MUST_LEAVE(ERROR_INVALID_PARAMETER);
    } else if (modifies && !object->is_moveable && is_moveable_asked && family->is_global) {
        MUST(handle != NULL && handle != object->handle);
        struct object moveable = *object;
        moveable.handle = handle;
        moveable.is_moveable = 1;
        moveable.is_discardable = (flags & family->discardable) != 0;
        moveable.is_shared = -1; /* GMEM_DDESHARE is not said to be heeded here */
        moveable.is_discarded = 0;
        find_block(actor, &moveable);
        MUST(all_bytes(moveable.block, old_bytes, object->fill));
        remove_object(actor, object);
        add_object(actor, moveable);
        return;
    } else if (modifies) {
        MUST(handle == object->handle);
        MUST_LEAVE(UNTOUCHED);
        object->is_discardable |= object->is_moveable && (flags & family->discardable) != 0;
    } else if (object->is_moveable && bytes == 0) {
        MUST((handle == object->handle) == (object->locks == 0 && is_moveable_asked));
        MUST(handle == NULL || handle == object->handle);
        if (handle != NULL) {
            actor->handles->live_bytes -= old_bytes;
            object->bytes = 0;
            object->is_discarded = 1;
        }
    } else if (handle == NULL) {
        MUST(bytes >= 16 * (SIZE_T)MiB || (!is_moveable_asked && (!object->is_moveable || object->locks > 0)));
        MUST_LEAVE(ERROR_NOT_ENOUGH_MEMORY);
    } else {
        MUST_LEAVE(UNTOUCHED);
        MUST(bytes < (SIZE_T)1 << 47);
        MUST(handle == object->handle || (!object->is_moveable && is_moveable_asked));
        struct object resized = *object;
        resized.handle = handle;
        resized.bytes = bytes;
        resized.is_discarded = 0;
        find_block(actor, &resized);
        MUST(is_moveable_asked || object->locks == 0 || object->is_discarded || resized.block == object->block);
        MUST(all_bytes(resized.block, kept, object->fill));
        MUST((flags & GMEM_ZEROINIT) == 0 || bytes == kept || all_bytes(resized.block + kept, bytes - kept, 0));
        remove_object(actor, object);
        add_object(actor, resized);
        make_object_room(actor);
        return;
    }
    MUST(family->size(object->handle) == object->bytes);
    check_object(actor, object);
}

static void release(struct actor *actor, const struct family *family)
{
    struct object *object = any_object(actor);
    forget_error();
    if (once_in(actor, 8)) {
        MUST(family->release(NULL) == NULL);
        MUST_LEAVE(UNTOUCHED);
    } else if (object == NULL || once_in(actor, 4)) {
        HANDLE memory = no_memory(actor);
        MUST(family->release(memory) == memory);
        MUST_LEAVE(ERROR_INVALID_HANDLE, ERROR_NOACCESS);
    } else {
        check_object(actor, object);
        MUST(family->release(object->handle) == NULL);
        MUST_LEAVE(UNTOUCHED);
        remove_object(actor, object);
    }
}

static void lock(struct actor *actor, void *(*lock)(HANDLE))
{
    struct object *object = any_object(actor);
    forget_error();
    if (object == NULL || once_in(actor, 4)) {
        MUST(lock(once_in(actor, 4) ? NULL : no_memory(actor)) == NULL);
        MUST_LEAVE(UNTOUCHED, ERROR_INVALID_HANDLE);
        return;
    }
    int times = once_in(actor, 20) ? 300 : 1;
    for (int i = 0; i < times; i++)
        MUST(lock(object->handle) == (object->is_discarded ? NULL : object->block));
    MUST_LEAVE(object->is_discarded ? ERROR_DISCARDED : UNTOUCHED);
    if (object->is_moveable && !object->is_discarded)
        object->locks = object->locks + times < MOST_LOCKS ? object->locks + times : MOST_LOCKS;
    check_object(actor, object);
}

static void unlock(struct actor *actor, BOOL (*unlock)(HANDLE), int is_global)
{
    struct object *object = any_object(actor);
    forget_error();
    if (object == NULL || once_in(actor, 4)) {
        HANDLE memory = once_in(actor, 4) ? NULL : no_memory(actor);
        BOOL done = unlock(memory);
        MUST(!done || (is_global && memory != NULL));
        MUST_LEAVE(ERROR_INVALID_HANDLE, memory == NULL ? ERROR_INVALID_HANDLE : is_global ? UNTOUCHED : ERROR_NOT_LOCKED);
    } else if (!object->is_moveable) {
        MUST(unlock(object->handle) == is_global);
        MUST_LEAVE(is_global ? UNTOUCHED : ERROR_NOT_LOCKED);
    } else {
        int times = once_in(actor, 3) ? 300 : 1;
        while (times-- > 0) {
            forget_error();
            MUST(unlock(object->handle) == (object->locks > 1));
            MUST_LEAVE(object->locks > 1 ? UNTOUCHED : object->locks == 1 ? NO_ERROR : ERROR_NOT_LOCKED);
            object->locks -= object->locks > 0;
        }
    }
}

static void size(struct actor *actor, const struct family *family)
{
    struct object *object = any_object(actor);
    forget_error();
    MUST(family->size(once_in(actor, 4) ? NULL : no_memory(actor)) == 0);
    MUST_LEAVE(ERROR_INVALID_HANDLE);
    forget_error();
    MUST(object == NULL || family->size(object->handle) == object->bytes);
    MUST_LEAVE(UNTOUCHED);
}

static void flags(struct actor *actor, const struct family *family)
{
    struct object *object = any_object(actor);
    forget_error();
    MUST(family->flags(once_in(actor, 4) ? NULL : no_memory(actor)) == GMEM_INVALID_HANDLE);
    MUST_LEAVE(ERROR_INVALID_HANDLE, ERROR_NOACCESS);
    if (object == NULL)
        return;
    forget_error();
    UINT found = family->flags(object->handle), expected = (UINT)object->locks;
    expected |= (object->is_discarded ? GMEM_DISCARDED : 0) | (object->is_discardable ? family->discardable : 0);
    MUST((found & ~GMEM_DDESHARE) == expected);
    MUST(object->is_shared < 0 || ((found & GMEM_DDESHARE) != 0) == object->is_shared);
    MUST_LEAVE(UNTOUCHED);
}

static void handle_of(struct actor *actor, const struct family *family)
{
    struct object *object = any_object(actor);
    forget_error();
    MUST(family->handle_of(NULL) == NULL);
    MUST_LEAVE(ERROR_INVALID_PARAMETER);
    if (object == NULL || object->is_discarded || once_in(actor, 3)) {
        MUST(family->handle_of(no_block_of(actor, &actor->heaps[0])) == NULL);
        return;
    }
    forget_error();
    MUST(family->handle_of(object->block) == object->handle);
    MUST_LEAVE(UNTOUCHED);
}

/* As GlobalLock, without a result. */
static void fix(struct actor *actor)
{
    struct object *object = any_object(actor);
    GlobalFix(once_in(actor, 4) ? NULL : no_memory(actor));
    if (object == NULL)
        return;
    forget_error();
    GlobalFix(object->handle);
    MUST_LEAVE(object->is_discarded ? ERROR_DISCARDED : UNTOUCHED);
    object->locks += object->is_moveable && !object->is_discarded && object->locks < MOST_LOCKS;
    MUST((GlobalFlags(object->handle) & GMEM_LOCKCOUNT) == (UINT)object->locks);
}

static BOOL unfix(HANDLE memory)
{
    GlobalUnfix(memory);
    DWORD error = GetLastError();
    UINT flags = GlobalFlags(memory);
    SetLastError(error);
    return (flags & GMEM_INVALID_HANDLE) == 0 && ((uintptr_t)memory % 16 == 0 || (flags & GMEM_LOCKCOUNT) != 0);
}

static void compact(struct actor *actor)
{
    forget_error();
    MUST(GlobalCompact((DWORD)random_bits(actor)) == 0 && LocalCompact((UINT)random_bits(actor)) == 0);
    MUST(LocalShrink(once_in(actor, 2) ? NULL : no_memory(actor), (UINT)random_bits(actor)) == 0);
    MUST_LEAVE(UNTOUCHED);
}

#define BOTH(name) \
    static void global_##name(struct actor *actor) { name(actor, &global); } \
    static void local_##name(struct actor *actor) { name(actor, &local); }
BOTH(allocate) BOTH(reallocate) BOTH(release) BOTH(size) BOTH(flags) BOTH(handle_of)
static void global_lock(struct actor *actor) { lock(actor, GlobalLock); }
static void local_lock(struct actor *actor) { lock(actor, LocalLock); }
static void global_wire(struct actor *actor) { lock(actor, GlobalWire); }
static void global_unlock(struct actor *actor) { unlock(actor, GlobalUnlock, 1); }
static void local_unlock(struct actor *actor) { unlock(actor, LocalUnlock, 0); }
static void global_unwire(struct actor *actor) { unlock(actor, GlobalUnWire, 1); }
static void global_unfix(struct actor *actor) { unlock(actor, unfix, 1); }

static const struct action actions[] = {
    { "GlobalAlloc", global_allocate, 30 }, { "GlobalReAlloc", global_reallocate, 40 }, { "GlobalFree", global_release, 25 }, { "GlobalLock", global_lock, 10 },
    { "GlobalUnlock", global_unlock, 12 }, { "GlobalSize", global_size, 10 }, { "GlobalFlags", global_flags, 10 }, { "GlobalHandle", global_handle_of, 10 },
    { "LocalAlloc", local_allocate, 30 }, { "LocalReAlloc", local_reallocate, 40 }, { "LocalFree", local_release, 25 }, { "LocalLock", local_lock, 10 },
    { "LocalUnlock", local_unlock, 12 }, { "LocalSize", local_size, 10 }, { "LocalFlags", local_flags, 10 }, { "LocalHandle", local_handle_of, 10 },
    { "GlobalFix", fix, 3 }, { "GlobalUnfix", global_unfix, 3 }, { "GlobalWire", global_wire, 3 }, { "GlobalUnWire", global_unwire, 3 },
    { "GlobalCompact", compact, 2 }, { "LocalCompact", compact, 2 }, { "LocalShrink", compact, 2 },
};
PART(moveable_part, actions);
