/* Blocks that are no blocks any more. Whoever freed them, and wherever they wait to be handed out again, the second free is refused. */
#include "misuse.h"

static void release_block(void *block) { release(block); }

static void free_twice(void)
{
    release(victim);
    wrong_free(victim);
}

static void resize_after_free(void)
{
    release(victim);
    wrong_resize(victim);
}

static void resize_to_nothing_after_free(void)
{
    release(victim);
    wrong_resize_to_nothing(victim);
}

static void size_after_free(void)
{
    release(victim);
    wrong_size(victim);
}

/* Grows the victim until it lies elsewhere. A block of pages can grow in place for long, so another one is put behind it each time. */
static void move_victim(void)
{
    for (size_t bytes = shape->bytes * 4; bytes < (size_t)256 * MiB; bytes *= 2) {
        allocate();
        if (resize(victim, bytes) != victim)
            return;
    }
    harm("the block did not move");
}

static void free_after_move(void)
{
    move_victim();
    wrong_free(victim);
}

static void size_after_move(void)
{
    move_victim();
    wrong_size(victim);
}

/* Frees the victim and allocates until its memory is handed out again; the owner's block has the victim's address. A checked heap does not hand it out. */
static char *reuse_victim(void)
{
    char *block;
    int count = 0;
    release(victim);
    do {
        block = allocate();
    } while (block != victim && ++count < shape->later_count);
    return block;
}

static void free_twice_after_reuse(void)
{
    release(reuse_victim());
    wrong_free(victim);
}

/* The address is the new owner's by now and nothing tells the wrong free from his own, so his is the one that is found. */
static void free_under_new_owner(void)
{
    char *owned = reuse_victim();
    if (owned == victim)
        release(victim);
    wrong_free(victim);
}

static void free_from_others_magazine(void)
{
    on_other_thread(release_block, victim);
    wrong_free(victim);
}

static void free_after_thread_end(void)
{
    on_passing_thread(release_block, victim);
    wrong_free(victim);
}

/* Frees the victim and so many others after it that it has left the thread's magazine. */
static void free_from_depot(void)
{
    enum { OTHERS = 1000 };
    static char *others[OTHERS];
    for (int i = 0; i < OTHERS; i++)
        others[i] = allocate();
    release(victim);
    for (int i = 0; i < OTHERS; i++)
        release(others[i]);
    wrong_free(victim);
}

static void free_after_trim(void)
{
    release(victim);
    face_trim();
    wrong_free(victim);
}

static const struct idea ideas[] = {
    { "free of a freed block", free_twice, ALL, BOTH, WRONG_CALL(ALREADY_FREED) },
    { "resize of a freed block", resize_after_free, ALL, SAME, WRONG_CALL(ALREADY_FREED) },
    { "resize of a freed block to 0 bytes", resize_to_nothing_after_free, ALL, SAME, WRONG_CALL(ALREADY_FREED) },
    { "size of a freed block", size_after_free, ALL, SAME, WRONG_QUESTION(ALREADY_FREED) },
    { "free of a block that has moved", free_after_move, ALL, SAME, WRONG_CALL(NO_BLOCK) },
    { "size of a block that has moved", size_after_move, FEW, SAME, WRONG_QUESTION(NO_BLOCK) },
    { "free of a freed block, reused and freed again", free_twice_after_reuse, ALL, SAME, WRONG_CALL(ALREADY_FREED) },
    { "free of a freed block that has a new owner, and by him", free_under_new_owner, ALL, BOTH, WRONG_CALL(ALREADY_FREED) },
    { "free of a freed block in another thread's magazine", free_from_others_magazine, ALL, SAME, WRONG_CALL(ALREADY_FREED) },
    { "free of a freed block of a thread that has ended", free_after_thread_end, SLABS | LARGE, SAME, WRONG_CALL(ALREADY_FREED) },
    { "free of a freed block that has left the magazine", free_from_depot, SLABS, BOTH, WRONG_CALL(ALREADY_FREED) },
    { "free of a freed block after a trim", free_after_trim, ALL, SAME, WRONG_CALL(NO_BLOCK) },
};
IDEAS(ideas)
