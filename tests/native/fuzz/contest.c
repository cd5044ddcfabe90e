/* Several threads free the same blocks at the same time: of each, exactly one free succeeds. Nobody allocates from the heap meanwhile, so that an address that
 * was freed stays dead. */
#include "fuzz.h"

#include <sched.h>
#include <stdatomic.h>

enum { MOST = 64, MAX_THREADS = 32, SPINS = 3000 };

static struct contest {
    HANDLE heap;
    void *blocks[MOST];
    atomic_int count, freed[MOST], guests; /* guests: threads that may still look at it */
    atomic_int is_open;
} contests[MAX_THREADS];

static void take_part(struct actor *actor, struct contest *contest)
{
    unsigned char *block;
    int count = atomic_load(&contest->count), from = once_in(actor, 4) ? (int)below(actor, (unsigned)count) : 0;
    for (int i = 0; i < count; i++) {
        block = contest->blocks[(from + i) % count];
        forget_error();
        if (once_in(actor, 8)) {
            MUST(!HeapFree(contest->heap, 0, block + 1 + below(actor, 15)));
            MUST_LEAVE(ERROR_INVALID_PARAMETER);
        } else if (once_in(actor, 8))
            HeapSize(contest->heap, 0, block);
        forget_error();
        if (HeapFree(contest->heap, 0, block)) {
            MUST_LEAVE(UNTOUCHED);
            atomic_fetch_add(&contest->freed[(from + i) % count], 1);
        } else
            MUST_LEAVE(ERROR_INVALID_PARAMETER);
    }
}

static void hold(struct actor *actor)
{
    struct contest *contest = &contests[actor->index];
    if (contest->heap != NULL && once_in(actor, 10)) {
        MUST(HeapDestroy(contest->heap));
        contest->heap = NULL;
    }
    if (contest->heap == NULL)
        contest->heap = HeapCreate(0, 0, ONE_OF(SIZE_T, 0, 0, 64 * MiB, 4 * MiB, 512 * KiB));
    MUST(contest->heap != NULL);
    SIZE_T bytes = ONE_OF(SIZE_T, 1, 16, 40, 100, 500, 2000, 5000, 40000, 300000, 1500000);
    int wanted = bytes > 10000 ? 4 : MOST, count = 0;
    while (count < wanted && (contest->blocks[count] = HeapAlloc(contest->heap, 0, bytes)) != NULL)
        atomic_store(&contest->freed[count++], 0);
    atomic_store(&contest->count, count);
    if (count == 0)
        return;
    atomic_store(&contest->is_open, 1);
    for (int i = 0; i < SPINS && thread_count > 1 && atomic_load(&contest->guests) == 0; i++)
        sched_yield();
    take_part(actor, contest);
    atomic_store(&contest->is_open, 0);
    while (atomic_load(&contest->guests) != 0)
        sched_yield();
    for (int i = 0; i < count; i++) {
        MUST(atomic_load(&contest->freed[i]) == 1);
        MUST(HeapSize(contest->heap, 0, contest->blocks[i]) == NO_SIZE);
    }
    HEAP_SUMMARY summary = { .cb = sizeof summary };
    MUST(HeapSummary(contest->heap, 0, &summary) && summary.cbAllocated == 0);
    MUST(HeapValidate(contest->heap, 0, NULL));
}

static void visit(struct actor *actor)
{
    for (int i = 0; i < SPINS && thread_count > 1; i++) {
        struct contest *contest = &contests[(actor->index + 1 + i) % thread_count];
        if (contest == &contests[actor->index] || !atomic_load(&contest->is_open))
            continue;
        atomic_fetch_add(&contest->guests, 1);
        int is_in = atomic_load(&contest->is_open);
        if (is_in)
            take_part(actor, contest);
        atomic_fetch_sub(&contest->guests, 1);
        if (is_in)
            return;
    }
}

static void contend(struct actor *actor)
{
    if (once_in(actor, 3))
        hold(actor);
    else
        visit(actor);
}

static const struct action actions[] = { { "HeapFree", contend, 6 } };
PART(contest_part, actions);

void finish_contests(void)
{
    for (int i = 0; i < MAX_THREADS; i++)
        if (contests[i].heap != NULL)
            HeapDestroy(contests[i].heap);
}
