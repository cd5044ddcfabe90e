/* The families GlobalAlloc and LocalAlloc, which differ in few answers: each observation is a function over a family, and each group hands it one. */
#ifndef MOVEABLE_H
#define MOVEABLE_H

#include "conformance.h"

struct family {
    HANDLE (WINAPI *allocate)(UINT flags, SIZE_T bytes);
    HANDLE (WINAPI *reallocate)(HANDLE handle, SIZE_T bytes, UINT flags);
    HANDLE (WINAPI *release)(HANDLE handle);
    LPVOID (WINAPI *lock)(HANDLE handle);
    BOOL (WINAPI *unlock)(HANDLE handle);
    SIZE_T (WINAPI *size)(HANDLE handle);
    UINT (WINAPI *flags)(HANDLE handle);
    HANDLE (WINAPI *handle_of)(LPCVOID block);
    UINT discardable;
};

extern const struct family global_family, local_family;

/* The flags are those of GlobalAlloc: LocalAlloc has the same numbers, but for LMEM_DISCARDABLE. */

/* What a function of the families can be handed. */
enum object_kind {
    FIXED_BLOCK, FIXED_EMPTY, HEAP_BLOCK, MOVEABLE_UNLOCKED, MOVEABLE_DISCARDABLE, MOVEABLE_SHARED, LOCKED_ONCE, LOCKED_TWICE, DISCARDED,
    DISCARDED_DISCARDABLE, FREED_HANDLE, NEVER_A_HANDLE, UNMAPPED, NOTHING, OBJECT_KINDS
};

struct object {
    const char *name;
    HANDLE handle;
    void *block; /* what handle_of is asked about */
};

struct object make_object(const struct family *family, enum object_kind kind);
void drop_object(const struct family *family, enum object_kind kind, struct object *object);

/* "NULL", "the handle" or "another handle". */
const char *which_handle(HANDLE result, HANDLE handle);

/* The same for addresses: "NULL", "the block" or "another address". */
const char *which_block(const void *result, const void *block);

/* Two lines, as OBSERVE_BOOL, for an expression that gives a string. */
#define OBSERVE_WORD(name, expression) observe_result(name, RAISED_OR((forget_error(), (expression))))

/* The blocks of 100 bytes that objects have hold this. */
enum { OBJECT_BYTES = 100, OBJECT_FILL = 0x5A };

#endif
