/* What an actor knows of its blocks of GlobalAlloc and LocalAlloc: kind, size, lock count, attributes, bytes. Blocks of one family go to the other, too. */
#ifndef MOVEABLE_H
#define MOVEABLE_H

#include "fuzz.h"

struct object {
    HANDLE handle;
    unsigned char *block, fill;
    SIZE_T bytes;
    int is_moveable, is_discarded, is_discardable, is_shared, locks;
};

enum { OBJECTS = 60, LIVE_LIMIT = 4 * MiB, MOST_LOCKS = 255 };
struct handle_model {
    struct object objects[OBJECTS];
    int count;
    SIZE_T live_bytes;
    HANDLE freed[8]; /* known to be dead when no other thread can get them */
};

struct object *any_object(struct actor *actor); /* or NULL */
void check_object(struct actor *actor, const struct object *object);

/* Sets where the object's block is now. */
void find_block(struct actor *actor, struct object *object);
void add_object(struct actor *actor, struct object object);
void remove_object(struct actor *actor, struct object *object);
void make_object_room(struct actor *actor);

/* What is neither a handle in use nor a block of the process heap, and may look like either; not NULL. */
HANDLE no_memory(struct actor *actor);

#endif
