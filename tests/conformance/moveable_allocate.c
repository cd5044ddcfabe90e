/* GlobalAlloc and LocalAlloc. */
#include "moveable.h"

/* What came of one call: "NULL", or the kind of object with its size and flags. */
static const char *outcome(const struct family *family, HANDLE handle)
{
    if (handle == NULL)
        return "NULL";
    const char *kind = (uintptr_t)handle & sizeof(void *) ? "moveable" : "fixed";
    const char *text = named("%s, size %s, flags %s", kind, size(family->size(handle)), number(family->flags(handle)));
    family->release(handle);
    return text;
}

#define OBSERVE_ALLOCATION(name, flags, bytes) OBSERVE_WORD(name, outcome(family, family->allocate(flags, bytes)))

static void observe_kinds(const struct family *family)
{
    OBSERVE_ALLOCATION("fixed, 100 bytes", GMEM_FIXED, 100);
    OBSERVE_ALLOCATION("fixed, 1 byte", GMEM_FIXED, 1);
    OBSERVE_ALLOCATION("fixed, 0 bytes", GMEM_FIXED, 0);
    OBSERVE_ALLOCATION("fixed, 3 MiB", GMEM_FIXED, 3 * MiB);
    OBSERVE_ALLOCATION("moveable, 100 bytes", GMEM_MOVEABLE, 100);
    OBSERVE_ALLOCATION("moveable, 1 byte", GMEM_MOVEABLE, 1);
    OBSERVE_ALLOCATION("moveable, 0 bytes", GMEM_MOVEABLE, 0);
    OBSERVE_ALLOCATION("moveable, 3 MiB", GMEM_MOVEABLE, 3 * MiB);
    OBSERVE_ALLOCATION("GPTR", GPTR, 50);
    OBSERVE_ALLOCATION("GHND", GHND, 50);
    OBSERVE_ALLOCATION("moveable, discardable, 0 bytes", GMEM_MOVEABLE | family->discardable, 0);
    OBSERVE_ALLOCATION("moveable, discardable, shared", GMEM_MOVEABLE | family->discardable | GMEM_DDESHARE, 10);
    OBSERVE_ALLOCATION("fixed, discardable, shared", family->discardable | GMEM_DDESHARE, 10);
    OBSERVE_ALLOCATION("moveable, modify", GMEM_MOVEABLE | GMEM_MODIFY, 10);
    OBSERVE_ALLOCATION("fixed, impossible size", GMEM_FIXED, NO_SIZE);
    OBSERVE_ALLOCATION("fixed, impossible size less 16", GMEM_FIXED, NO_SIZE - 16);
    OBSERVE_ALLOCATION("fixed, half of all addresses", GMEM_FIXED, NO_SIZE / 2);
    OBSERVE_ALLOCATION("moveable, impossible size", GMEM_MOVEABLE, NO_SIZE);
    OBSERVE_ALLOCATION("moveable, impossible size less 16", GMEM_MOVEABLE, NO_SIZE - 16);
    OBSERVE_ALLOCATION("moveable, half of all addresses", GMEM_MOVEABLE, NO_SIZE / 2);
    OBSERVE_ALLOCATION("moveable, zeroed, impossible size", GMEM_MOVEABLE | GMEM_ZEROINIT, NO_SIZE);
}

static void observe_bit(const struct family *family, int bit)
{
    OBSERVE_ALLOCATION(named("bit %d", bit), 1u << bit, 100);
    OBSERVE_ALLOCATION(named("bit %d, moveable", bit), 1u << bit | GMEM_MOVEABLE, 100);
}

static void observe_memory(const struct family *family)
{
    static const SIZE_T sizes[] = { 1, 16, 100, 5000, 300 * KiB, 2 * MiB };
    int fixed_zero = 1, moveable_zero = 1, aligned = 1, fixed_low_bits = 1, moveable_low_bits = 1, exact = 1;
    for (int i = 0; i < 60; i++) {
        SIZE_T bytes = sizes[i % 6];
        HANDLE fixed = family->allocate(GPTR, bytes), moveable = family->allocate(GHND, bytes);
        char *block = family->lock(moveable);
        fixed_zero &= all_bytes(fixed, bytes, 0);
        moveable_zero &= all_bytes(block, bytes, 0);
        aligned &= (uintptr_t)fixed % MEMORY_ALLOCATION_ALIGNMENT == 0 && (uintptr_t)block % sizeof(void *) == 0;
        fixed_low_bits &= (uintptr_t)fixed % (2 * sizeof(void *)) == 0;
        moveable_low_bits &= (uintptr_t)moveable % (2 * sizeof(void *)) == sizeof(void *);
        exact &= family->size(fixed) == bytes && family->size(moveable) == bytes;
        memset(fixed, 0xFF, bytes);
        memset(block, 0xFF, bytes);
        family->unlock(moveable);
        family->release(fixed);
        family->release(moveable);
    }
    observe("zeroed, recycled memory is zero", "%s", yes(fixed_zero));
    observe("zeroed, recycled memory of handles is zero", "%s", yes(moveable_zero));
    observe("alignment", "%s", yes(aligned));
    observe("sizes are exact", "%s", yes(exact));
    observe("low bits of a fixed block are those of a block", "%s", yes(fixed_low_bits));
    observe("low bits of a moveable handle are those of an entry", "%s", yes(moveable_low_bits));
}

static void observe_origin(const struct family *family)
{
    HANDLE fixed = family->allocate(GMEM_FIXED, 100);
    OBSERVE_SIZE("fixed, HeapSize in the process heap", HeapSize(GetProcessHeap(), 0, fixed));
    OBSERVE_BOOL("fixed, HeapValidate in the process heap", HeapValidate(GetProcessHeap(), 0, fixed));
    OBSERVE_BOOL("fixed, HeapFree", HeapFree(GetProcessHeap(), 0, fixed));
    const struct family *other = family == &global_family ? &local_family : &global_family;
    HANDLE moveable = family->allocate(GMEM_MOVEABLE, 100);
    OBSERVE_SIZE("moveable, size by the other family", other->size(moveable));
    OBSERVE_NUMBER("moveable, flags by the other family", other->flags(moveable));
    OBSERVE_WORD("moveable, freed by the other family", which_handle(other->release(moveable), moveable));
    HANDLE discardable = family->allocate(GMEM_MOVEABLE | family->discardable, 100);
    OBSERVE_NUMBER("discardable, flags", family->flags(discardable));
    OBSERVE_NUMBER("discardable, flags by the other family", other->flags(discardable));
    other->release(discardable);
}

enum { MOST = 70000 };
static HANDLE handles[MOST];
static size_t handle_count;

/* The table of handles is full at some point; fixed blocks are not in it. */
static void observe_capacity(const struct family *family)
{
    SetLastError(UNTOUCHED);
    for (handle_count = 0; handle_count < MOST && (handles[handle_count] = family->allocate(GMEM_MOVEABLE, 1)) != NULL;)
        handle_count++;
    observe("moveable, until none is left, last error", "%s", last_error());
    observe("moveable, as many as the table has", "%s", yes(handle_count > 65000 && handle_count <= 65536));
    OBSERVE_ALLOCATION("moveable, table full", GMEM_MOVEABLE, 0);
    OBSERVE_ALLOCATION("fixed, table full", GMEM_FIXED, 10);
    int sound = 1;
    for (size_t i = 0; i < handle_count; i++)
        sound &= family->size(handles[i]) == 1;
    observe("moveable, table full, all sizes", "%s", yes(sound));
    for (size_t i = 0; i < handle_count; i++)
        sound &= family->release(handles[i]) == NULL;
    observe("moveable, all freed", "%s", yes(sound));
    OBSERVE_ALLOCATION("moveable, table empty again", GMEM_MOVEABLE, 10);
}

static void observe_family(const struct family *family)
{
    observe_kinds(family);
    for (int bit = 0; bit < 32; bit++)
        observe_bit(family, bit);
    observe_memory(family);
    observe_origin(family);
    observe_capacity(family);
}

void global_alloc(void) { observe_family(&global_family); }
void local_alloc(void) { observe_family(&local_family); }
