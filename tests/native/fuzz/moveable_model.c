/* The model of blocks of GlobalAlloc and LocalAlloc. */
#include "moveable.h"

static struct handle_model *model_of(struct actor *actor)
{
    if (actor->handles == NULL)
        actor->handles = calloc(1, sizeof *actor->handles);
    return actor->handles;
}

struct object *any_object(struct actor *actor)
{
    struct handle_model *model = model_of(actor);
    return model->count == 0 ? NULL : &model->objects[below(actor, model->count)];
}

void check_object(struct actor *actor, const struct object *object) { MUST(object->is_discarded || all_bytes(object->block, object->bytes, object->fill)); }

/* Where its block is now. A lock and an unlock change nothing; only the last error says that there is none left. */
void find_block(struct actor *actor, struct object *object)
{
    object->block = object->is_discarded ? NULL : object->is_moveable ? GlobalLock(object->handle) : object->handle;
    MUST(object->is_discarded || object->block != NULL);
    if (object->is_moveable && !object->is_discarded && object->locks < MOST_LOCKS)
        MUST(GlobalUnlock(object->handle) == (object->locks > 0));
}

static void refill(struct actor *actor, struct object *object)
{
    object->fill = (unsigned char)random_bits(actor);
    if (!object->is_discarded)
        memset(object->block, object->fill, object->bytes);
}

void remove_object(struct actor *actor, struct object *object)
{
    struct handle_model *model = model_of(actor);
    model->freed[below(actor, 8)] = object->is_moveable && thread_count == 1 ? object->handle : NULL;
    model->live_bytes -= object->bytes;
    *object = model->objects[--model->count];
}

void add_object(struct actor *actor, struct object object)
{
    struct handle_model *model = model_of(actor);
    MUST((uintptr_t)object.handle % 16 == (object.is_moveable ? 8 : 0));
    for (int i = 0; i < model->count; i++)
        MUST(model->objects[i].handle != object.handle);
    for (int i = 0; i < 8; i++)
        if (model->freed[i] == object.handle)
            model->freed[i] = NULL;
    find_block(actor, &object);
    refill(actor, &object);
    model->live_bytes += object.bytes;
    model->objects[model->count++] = object;
}

void make_object_room(struct actor *actor)
{
    struct handle_model *model = model_of(actor);
    while (model->count > OBJECTS - 5 || model->live_bytes > LIVE_LIMIT) {
        struct object *object = any_object(actor);
        MUST(GlobalFree(object->handle) == NULL);
        remove_object(actor, object);
    }
}

HANDLE no_memory(struct actor *actor)
{
    HANDLE freed = model_of(actor)->freed[below(actor, 8)];
    if (freed != NULL && once_in(actor, 3))
        return freed;
    uintptr_t address = (uintptr_t)no_block_of(actor, &actor->heaps[0]);
    return (HANDLE)(once_in(actor, 2) ? address : (address & ~(uintptr_t)15) + 8);
}

void finish_handles(struct actor *actor)
{
    struct handle_model *model = model_of(actor);
    while (model->count > 0) {
        struct object *object = &model->objects[0];
        check_object(actor, object);
        MUST(GlobalSize(object->handle) == object->bytes);
        MUST(GlobalFree(object->handle) == NULL);
        remove_object(actor, object);
    }
}
