/* GlobalReAlloc and LocalReAlloc; the macros GlobalDiscard and LocalDiscard, which are calls of them; GlobalCompact, LocalCompact and LocalShrink. */
#include "moveable.h"

/* One line of what is to be seen afterwards: the size of the handle that counts now, its flags and whether the old bytes are still there. */
static void look_after(const struct family *family, const char *name, HANDLE handle, SIZE_T old_bytes)
{
    SIZE_T bytes = family->size(handle);
    UINT flags = family->flags(handle);
    const void *block = family->lock(handle);
    if (bytes < old_bytes)
        old_bytes = bytes;
    const char *content = old_bytes == 0 || block == NULL ? "nothing" : all_bytes(block, old_bytes, OBJECT_FILL) ? "what it was" : "changed";
    family->unlock(handle);
    observe(named("%s, after it", name), "size %s, flags %s, content %s", size(bytes), number(flags), content);
}

/* Whether a resized fixed block stays where it is, is nobody's promise. */
static const char *which_resized(enum object_kind kind, UINT flags, HANDLE result, HANDLE handle)
{
    int may_move = kind <= HEAP_BLOCK && (flags & (GMEM_MOVEABLE | GMEM_MODIFY)) == GMEM_MOVEABLE;
    return may_move && result != NULL ? "a handle" : which_handle(result, handle);
}

/* One call on a new object. */
static void resize(const struct family *family, enum object_kind kind, const char *what, SIZE_T bytes, UINT flags)
{
    struct object object = make_object(family, kind);
    char name[100];
    snprintf(name, sizeof name, "%s, %s", object.name, what);
    HANDLE volatile now = NULL;
    OBSERVE_WORD(name, which_resized(kind, flags, now = family->reallocate(object.handle, bytes, flags), object.handle));
    if (kind >= FREED_HANDLE)
        return;
    if (now != NULL)
        object.handle = now;
    look_after(family, name, object.handle, kind == FIXED_BLOCK || (kind >= MOVEABLE_UNLOCKED && kind <= LOCKED_TWICE) ? OBJECT_BYTES : 0);
    drop_object(family, kind, &object);
}

static void observe_modify(const struct family *family)
{
    for (enum object_kind kind = 0; kind < OBJECT_KINDS; kind++) {
        resize(family, kind, "modify, 5 bytes", 5, GMEM_MODIFY);
        resize(family, kind, "modify, 0 bytes", 0, GMEM_MODIFY);
        resize(family, kind, "modify, discardable", 0, GMEM_MODIFY | family->discardable);
        resize(family, kind, "modify, zeroed, 200 bytes", 200, GMEM_MODIFY | GMEM_ZEROINIT);
    }
    resize(family, MOVEABLE_UNLOCKED, "modify, moveable", 5, GMEM_MODIFY | GMEM_MOVEABLE);
    resize(family, MOVEABLE_UNLOCKED, "modify, moveable, discardable", 5, GMEM_MODIFY | GMEM_MOVEABLE | family->discardable);
    resize(family, MOVEABLE_DISCARDABLE, "modify, moveable", 5, GMEM_MODIFY | GMEM_MOVEABLE);
    resize(family, DISCARDED, "modify, moveable", 5, GMEM_MODIFY | GMEM_MOVEABLE);
    resize(family, LOCKED_ONCE, "modify, moveable", 5, GMEM_MODIFY | GMEM_MOVEABLE);
    resize(family, NOTHING, "modify, moveable", 5, GMEM_MODIFY | GMEM_MOVEABLE);
}

/* GlobalReAlloc makes a handle of a fixed block; LocalReAlloc does not. */
static void observe_fixed_to_moveable(const struct family *family, UINT more, const char *what)
{
    HANDLE fixed = family->allocate(GMEM_FIXED, OBJECT_BYTES);
    memset(fixed, OBJECT_FILL, OBJECT_BYTES);
    HANDLE volatile now = NULL;
    OBSERVE_WORD(what, which_handle(now = family->reallocate(fixed, 10, GMEM_MODIFY | GMEM_MOVEABLE | more), fixed));
    observe(named("%s, low bits", what), "%s", (uintptr_t)now & sizeof(void *) ? "those of an entry" : "those of a block");
    if (now == NULL)
        now = fixed;
    look_after(family, what, now, OBJECT_BYTES);
    family->release(now);
}

static void observe_sizes(const struct family *family)
{
    for (enum object_kind kind = 0; kind < OBJECT_KINDS; kind++) {
        resize(family, kind, "to 1 MiB", 1 * MiB, 0);
        resize(family, kind, "moveable, to 200 bytes", 200, GMEM_MOVEABLE);
        resize(family, kind, "moveable, to 1 MiB", 1 * MiB, GMEM_MOVEABLE);
        resize(family, kind, "moveable, to 10 bytes", 10, GMEM_MOVEABLE);
        resize(family, kind, "moveable, to 0 bytes", 0, GMEM_MOVEABLE);
        resize(family, kind, "discardable without modify", 200, family->discardable);
        resize(family, kind, "to an impossible size", NO_SIZE, GMEM_MOVEABLE);
    }
    resize(family, MOVEABLE_UNLOCKED, "to 200 bytes", 200, 0);
    resize(family, MOVEABLE_UNLOCKED, "to 10 bytes", 10, 0);
    resize(family, MOVEABLE_UNLOCKED, "to 0 bytes", 0, 0);
    resize(family, MOVEABLE_UNLOCKED, "to the same size", OBJECT_BYTES, 0);
    resize(family, MOVEABLE_UNLOCKED, "moveable, to the same size", OBJECT_BYTES, GMEM_MOVEABLE);
    resize(family, LOCKED_ONCE, "to 10 bytes", 10, 0);
    resize(family, LOCKED_ONCE, "to 0 bytes", 0, 0);
    resize(family, LOCKED_ONCE, "to the same size", OBJECT_BYTES, 0);
    resize(family, DISCARDED, "to 200 bytes", 200, 0);
    resize(family, DISCARDED, "to 0 bytes", 0, 0);
    resize(family, DISCARDED_DISCARDABLE, "to 200 bytes", 200, 0);
    resize(family, FREED_HANDLE, "to 200 bytes", 200, 0);
    resize(family, NEVER_A_HANDLE, "to 200 bytes", 200, 0);
    resize(family, UNMAPPED, "to 200 bytes", 200, 0);
    resize(family, NOTHING, "to 200 bytes", 200, 0);
    resize(family, NOTHING, "to 0 bytes", 0, 0);
    resize(family, FIXED_BLOCK, "to an impossible size in place", NO_SIZE, 0);
    resize(family, FIXED_BLOCK, "moveable, to the same size", OBJECT_BYTES, GMEM_MOVEABLE);
}

/* A large fixed block is resized where it is. */
static void observe_large_fixed(const struct family *family)
{
    HANDLE fixed = family->allocate(GMEM_FIXED, 2 * MiB);
    memset(fixed, OBJECT_FILL, 2 * MiB);
    OBSERVE_WORD("large fixed, less by 1000 bytes", which_handle(family->reallocate(fixed, 2 * MiB - 1000, 0), fixed));
    OBSERVE_SIZE("large fixed, less by 1000 bytes, size", family->size(fixed));
    OBSERVE_WORD("large fixed, to the size before", which_handle(family->reallocate(fixed, 2 * MiB, 0), fixed));
    OBSERVE_SIZE("large fixed, to the size before, size", family->size(fixed));
    OBSERVE_WORD("large fixed, to the same size", which_handle(family->reallocate(fixed, 2 * MiB, 0), fixed));
    observe("large fixed, content", "%s", all_bytes(fixed, 2 * MiB - 1000, OBJECT_FILL) ? "the same" : "another");
    family->release(fixed);
}

static int bytes_from(const struct family *family, HANDLE handle, SIZE_T from, SIZE_T to, unsigned char value)
{
    const char *block = family->lock(handle);
    int all = all_bytes(block + from, to - from, value);
    family->unlock(handle);
    return all;
}

static void observe_zeroing(const struct family *family)
{
    struct object object = make_object(family, MOVEABLE_UNLOCKED);
    family->reallocate(object.handle, 5000, GMEM_MOVEABLE | GMEM_ZEROINIT);
    observe("zeroed, moveable grows, what it gains is zero", "%s", yes(bytes_from(family, object.handle, OBJECT_BYTES, 5000, 0)));
    observe("zeroed, moveable grows, what it had stays", "%s", yes(bytes_from(family, object.handle, 0, OBJECT_BYTES, OBJECT_FILL)));
    family->reallocate(object.handle, 50, GMEM_MOVEABLE | GMEM_ZEROINIT);
    observe("zeroed, moveable shrinks, what is left stays", "%s", yes(bytes_from(family, object.handle, 0, 50, OBJECT_FILL)));
    family->reallocate(object.handle, 60, GMEM_MOVEABLE | GMEM_ZEROINIT);
    observe("zeroed, moveable grows after a shrink, what it gains is zero", "%s", yes(bytes_from(family, object.handle, 50, 60, 0)));
    drop_object(family, MOVEABLE_UNLOCKED, &object);

    object = make_object(family, FIXED_BLOCK);
    HANDLE fixed = family->reallocate(object.handle, 5000, GMEM_MOVEABLE | GMEM_ZEROINIT);
    observe("zeroed, fixed grows, what it gains is zero", "%s", yes(bytes_from(family, fixed, OBJECT_BYTES, 5000, 0)));
    observe("zeroed, fixed grows, what it had stays", "%s", yes(bytes_from(family, fixed, 0, OBJECT_BYTES, OBJECT_FILL)));
    family->release(fixed);

    object = make_object(family, DISCARDED);
    family->reallocate(object.handle, 5000, GMEM_MOVEABLE | GMEM_ZEROINIT);
    observe("zeroed, discarded comes back, all is zero", "%s", yes(bytes_from(family, object.handle, 0, 5000, 0)));
    drop_object(family, DISCARDED, &object);
}

static void observe_bits(const struct family *family)
{
    for (int bit = 0; bit < 32; bit++) {
        if (1u << bit != GMEM_MODIFY)
            resize(family, MOVEABLE_UNLOCKED, named("bit %d", bit), 50, 1u << bit);
        resize(family, FIXED_BLOCK, named("bit %d", bit), 50, 1u << bit);
    }
}

static void observe_family(const struct family *family)
{
    observe_modify(family);
    observe_fixed_to_moveable(family, 0, "fixed, modify, moveable");
    observe_fixed_to_moveable(family, family->discardable, "fixed, modify, moveable, discardable");
    observe_fixed_to_moveable(family, GMEM_ZEROINIT, "fixed, modify, moveable, zeroed");
    observe_sizes(family);
    observe_large_fixed(family);
    observe_zeroing(family);
    observe_bits(family);
}

void global_realloc(void) { observe_family(&global_family); }
void local_realloc(void) { observe_family(&local_family); }

static HANDLE global_discarded(HANDLE handle) { return GlobalDiscard(handle); }
static HANDLE local_discarded(HANDLE handle) { return LocalDiscard(handle); }

static void look_at_discard(const struct family *family, enum object_kind kind, HANDLE (*discard)(HANDLE))
{
    struct object object = make_object(family, kind);
    HANDLE volatile now = NULL;
    OBSERVE_WORD(object.name, which_handle(now = discard(object.handle), object.handle));
    if (kind < FREED_HANDLE) {
        object.handle = now != NULL ? now : object.handle;
        look_after(family, object.name, object.handle, 0);
    }
    drop_object(family, kind, &object);
}

void global_discard(void)
{
    for (enum object_kind kind = 0; kind < OBJECT_KINDS; kind++)
        look_at_discard(&global_family, kind, global_discarded);
}

void local_discard(void)
{
    for (enum object_kind kind = 0; kind < OBJECT_KINDS; kind++)
        look_at_discard(&local_family, kind, local_discarded);
}

void global_compact(void)
{
    OBSERVE_NUMBER("0 bytes", GlobalCompact(0));
    OBSERVE_NUMBER("100 bytes", GlobalCompact(100));
    OBSERVE_NUMBER("all bytes", GlobalCompact(0xFFFFFFFF));
}

void local_compact(void)
{
    OBSERVE_NUMBER("0 bytes", LocalCompact(0));
    OBSERVE_NUMBER("100 bytes", LocalCompact(100));
    OBSERVE_NUMBER("all bytes", LocalCompact(0xFFFFFFFF));
}

static void look_at_shrink(enum object_kind kind)
{
    struct object object = make_object(&local_family, kind);
    OBSERVE_NUMBER(object.name, LocalShrink(object.handle, 10));
    if (kind < FREED_HANDLE)
        OBSERVE_SIZE(named("%s, size after it", object.name), LocalSize(object.handle));
    drop_object(&local_family, kind, &object);
}

void local_shrink(void)
{
    for (enum object_kind kind = 0; kind < OBJECT_KINDS; kind++)
        look_at_shrink(kind);
}
