/* Blocks that go from one thread to another: each knows what it gets, and frees or resizes what others allocated. */
#include "fuzz.h"

enum { PLACES = 64 };

static struct { struct block block; int heap; } places[PLACES]; /* heap: the number of a shared one; the block's own is its giver's */
static pthread_mutex_t places_lock = PTHREAD_MUTEX_INITIALIZER;

static void take_up(struct actor *actor, struct block block, int heap)
{
    if (block.address == NULL)
        return;
    block.heap = &actor->heaps[heap];
    MUST(HeapValidate(block.heap->handle, 0, block.address));
    MUST(HeapSize(block.heap->handle, 0, block.address) == block.bytes);
    check_block(actor, &block);
    struct block *own = add_block(actor, block.heap, block.address, block.bytes);
    own->has_value = block.has_value;
    own->value = block.value;
}

static void exchange(struct actor *actor)
{
    struct block given = { 0 }, *own = any_block(actor);
    int place = (int)below(actor, PLACES), heap = own != NULL ? (int)(own->heap - actor->heaps) : HEAPS;
    if (heap < SHARED_HEAPS) {
        given = *own;
        remove_block(actor, own, 0);
    }
    pthread_mutex_lock(&places_lock);
    struct block got = places[place].block;
    int got_heap = places[place].heap;
    places[place].block = given;
    places[place].heap = heap;
    pthread_mutex_unlock(&places_lock);
    if (actor->block_count < BLOCKS - 1)
        take_up(actor, got, got_heap);
    else if (got.address != NULL)
        MUST(HeapFree(shared_heaps[got_heap].handle, 0, got.address));
}

static const struct action actions[] = { { "HeapValidate", exchange, 60 } };
PART(exchange_part, actions);

void finish_exchange(struct actor *actor)
{
    for (int i = 0; i < PLACES; i++)
        take_up(actor, places[i].block, places[i].heap);
    while (actor->block_count > 0) {
        struct block *block = &actor->blocks[0];
        check_block(actor, block);
        MUST(HeapFree(block->heap->handle, 0, block->address));
        remove_block(actor, block, 0);
    }
}
