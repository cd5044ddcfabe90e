/* GlobalSize, GlobalFlags, GlobalHandle, GlobalLock, GlobalUnlock, GlobalFree and their Local twins: each is asked about every kind of object. */
#include "moveable.h"

typedef void observation(const struct family *family, const struct object *object);

static void of_every_object(const struct family *family, observation *look)
{
    for (enum object_kind kind = 0; kind < OBJECT_KINDS; kind++) {
        struct object object = make_object(family, kind);
        look(family, &object);
        drop_object(family, kind, &object);
    }
}

static void look_at_size(const struct family *family, const struct object *object) { OBSERVE_SIZE(object->name, family->size(object->handle)); }

static void look_at_flags(const struct family *family, const struct object *object) { OBSERVE_NUMBER(object->name, family->flags(object->handle)); }

static void look_at_handle(const struct family *family, const struct object *object)
{
    OBSERVE_WORD(object->name, which_handle(family->handle_of(object->block), object->handle));
}

static void look_at_lock(const struct family *family, const struct object *object)
{
    OBSERVE_WORD(object->name, which_block(family->lock(object->handle), object->block));
    OBSERVE_NUMBER(named("%s, flags after it", object->name), family->flags(object->handle));
}

static void look_at_unlock(const struct family *family, const struct object *object)
{
    OBSERVE_BOOL(object->name, family->unlock(object->handle));
    OBSERVE_NUMBER(named("%s, flags after it", object->name), family->flags(object->handle));
}

static void look_at_release(const struct family *family, const struct object *object)
{
    OBSERVE_WORD(object->name, which_handle(family->release(object->handle), object->handle));
}

void global_size(void) { of_every_object(&global_family, look_at_size); }
void local_size(void) { of_every_object(&local_family, look_at_size); }

static void observe_flags(const struct family *family)
{
    of_every_object(family, look_at_flags);
    HANDLE handle = family->allocate(GMEM_MOVEABLE | family->discardable, 10);
    family->lock(handle);
    OBSERVE_NUMBER("discardable, locked", family->flags(handle));
    family->unlock(handle);
    family->release(handle);
}

void global_flags(void) { observe_flags(&global_family); }
void local_flags(void) { observe_flags(&local_family); }

static void observe_handle(const struct family *family)
{
    of_every_object(family, look_at_handle);
    struct object object = make_object(family, MOVEABLE_UNLOCKED);
    OBSERVE_WORD("moveable, of the handle itself", which_handle(family->handle_of(object.handle), object.handle));
    family->reallocate(object.handle, 300 * KiB, GMEM_MOVEABLE);
    OBSERVE_WORD("moveable, resized", which_handle(family->handle_of(family->lock(object.handle)), object.handle));
    drop_object(family, MOVEABLE_UNLOCKED, &object);
}

void global_handle(void) { observe_handle(&global_family); }
void local_handle(void) { observe_handle(&local_family); }

static int unlocks_until_free(const struct family *family, HANDLE handle)
{
    int count = 0;
    while (count < 1000 && family->unlock(handle))
        count++;
    return count;
}

/* Beyond 255 the count of locks stays; so many unlocks suffice. */
static void lock_often(const struct family *family, const struct object *object, int count)
{
    int same = 1;
    SetLastError(UNTOUCHED);
    for (int lock = 0; lock < count; lock++)
        same &= family->lock(object->handle) == object->block;
    observe(named("locked %d times, the same block, last error", count), "%s, %s", yes(same), last_error());
    OBSERVE_NUMBER(named("locked %d times, flags", count), family->flags(object->handle));
    observe(named("locked %d times, unlocks that leave it locked", count), "%d", unlocks_until_free(family, object->handle));
    OBSERVE_NUMBER(named("locked %d times, flags after the last unlock", count), family->flags(object->handle));
}

static void observe_lock(const struct family *family)
{
    of_every_object(family, look_at_lock);
    struct object object = make_object(family, MOVEABLE_UNLOCKED);
    lock_often(family, &object, 2);
    lock_often(family, &object, 254);
    lock_often(family, &object, 255);
    lock_often(family, &object, 256);
    lock_often(family, &object, 300);
    observe("the content is as it was", "%s", yes(all_bytes(object.block, OBJECT_BYTES, OBJECT_FILL)));
    drop_object(family, MOVEABLE_UNLOCKED, &object);
}

void global_lock(void) { observe_lock(&global_family); }
void local_lock(void) { observe_lock(&local_family); }

static void observe_unlock(const struct family *family)
{
    of_every_object(family, look_at_unlock);
    struct object object = make_object(family, LOCKED_TWICE);
    OBSERVE_BOOL("locked twice, first unlock", family->unlock(object.handle));
    OBSERVE_BOOL("locked twice, second unlock", family->unlock(object.handle));
    OBSERVE_BOOL("locked twice, third unlock", family->unlock(object.handle));
    OBSERVE_BOOL("locked twice, fourth unlock", family->unlock(object.handle));
    drop_object(family, MOVEABLE_UNLOCKED, &object);
    object = make_object(family, FIXED_BLOCK);
    family->lock(object.handle);
    OBSERVE_BOOL("fixed, after a lock", family->unlock(object.handle));
    drop_object(family, FIXED_BLOCK, &object);
}

void global_unlock(void) { observe_unlock(&global_family); }
void local_unlock(void) { observe_unlock(&local_family); }

static void observe_free(const struct family *family)
{
    for (enum object_kind kind = 0; kind < OBJECT_KINDS; kind++) {
        struct object object = make_object(family, kind);
        look_at_release(family, &object);
    }
    struct object object = make_object(family, LOCKED_TWICE);
    family->release(object.handle);
    OBSERVE_SIZE("locked twice, size after it", family->size(object.handle));
    OBSERVE_NUMBER("locked twice, flags after it", family->flags(object.handle));
    OBSERVE_BOOL("locked twice, the block is a block of the process heap", HeapValidate(GetProcessHeap(), 0, object.block));
    OBSERVE_WORD("locked twice, freed again", which_handle(family->release(object.handle), object.handle));
    object = make_object(family, MOVEABLE_UNLOCKED);
    family->release(object.handle);
    OBSERVE_BOOL("moveable, the block is a block of the process heap", HeapValidate(GetProcessHeap(), 0, object.block));
    object = make_object(family, FIXED_BLOCK);
    family->release(object.handle);
    OBSERVE_WORD("fixed, freed again", which_handle(family->release(object.handle), object.handle));
}

void global_free(void) { observe_free(&global_family); }
void local_free(void) { observe_free(&local_family); }

/* The names of old for locking: GlobalFix and GlobalWire lock, GlobalUnfix and GlobalUnWire unlock. */
static void look_at_fix(const struct family *family, const struct object *object)
{
    OBSERVE_WORD(object->name, (GlobalFix(object->handle), "done"));
    OBSERVE_NUMBER(named("%s, flags after it", object->name), family->flags(object->handle));
}

static void look_at_unfix(const struct family *family, const struct object *object)
{
    OBSERVE_WORD(object->name, (GlobalUnfix(object->handle), "done"));
    OBSERVE_NUMBER(named("%s, flags after it", object->name), family->flags(object->handle));
}

static void look_at_wire(const struct family *family, const struct object *object)
{
    OBSERVE_WORD(object->name, which_block(GlobalWire(object->handle), object->block));
    OBSERVE_NUMBER(named("%s, flags after it", object->name), family->flags(object->handle));
}

static void look_at_unwire(const struct family *family, const struct object *object)
{
    OBSERVE_BOOL(object->name, GlobalUnWire(object->handle));
    OBSERVE_NUMBER(named("%s, flags after it", object->name), family->flags(object->handle));
}

void global_fix(void) { of_every_object(&global_family, look_at_fix); }
void global_unfix(void) { of_every_object(&global_family, look_at_unfix); }
void global_wire(void) { of_every_object(&global_family, look_at_wire); }
void global_unwire(void) { of_every_object(&global_family, look_at_unwire); }
