/* HeapLock and HeapUnlock: who waits for whom. */
#include "cases.h"

/* What a thread does to a locked heap. */
struct job { HANDLE heap; DWORD flags; void *block; const char *name; void (*function)(void *); struct other *other; };

static void allocate_small(void *job_) { struct job *job = job_; HeapAlloc(job->heap, job->flags, 100); }
static void allocate_medium(void *job_) { struct job *job = job_; HeapAlloc(job->heap, job->flags, 20000); }
static void allocate_large(void *job_) { struct job *job = job_; HeapAlloc(job->heap, job->flags, 300000); }
static void resize(void *job_) { struct job *job = job_; HeapReAlloc(job->heap, job->flags, job->block, 2000); }
static void resize_nothing(void *job_) { struct job *job = job_; HeapReAlloc(job->heap, job->flags, NULL, 2000); }
static void release(void *job_) { struct job *job = job_; HeapFree(job->heap, job->flags, job->block); }
static void release_nothing(void *job_) { struct job *job = job_; HeapFree(job->heap, job->flags, NULL); }
static void measure(void *job_) { struct job *job = job_; HeapSize(job->heap, job->flags, job->block); }
static void validate_block(void *job_) { struct job *job = job_; HeapValidate(job->heap, job->flags, job->block); }
static void validate_heap(void *job_) { struct job *job = job_; HeapValidate(job->heap, job->flags, NULL); }
static void walk(void *job_) { struct job *job = job_; PROCESS_HEAP_ENTRY entry = { .lpData = NULL }; HeapWalk(job->heap, &entry); }
static void lock_and_unlock(void *job_) { struct job *job = job_; HeapLock(job->heap), HeapUnlock(job->heap); }
static void query(void *job_) { struct job *job = job_; ULONG mode; HeapQueryInformation(job->heap, HeapCompatibilityInformation, &mode, sizeof mode, NULL); }
static void use_another(void *job_) { (void)job_; HANDLE heap = HeapCreate(0, 0, 0); HeapFree(heap, 0, HeapAlloc(heap, 0, 100)), HeapDestroy(heap); }
static void list_heaps(void *job_) { (void)job_; GetProcessHeaps(0, NULL); }

enum { SERIALIZED_JOBS = 13, PASSING_JOBS = 9, ROUNDS = 2000 };

/* All that waits, waits at the same time: it is looked at once no thread has come back for half a second. */
static void settle(struct job *jobs, int count)
{
    for (int quiet = 0, before = 0; quiet < 50; quiet++) {
        int done = 0;
        for (int i = 0; i < count; i++)
            done += is_done(jobs[i].other);
        quiet = done == before ? quiet : 0;
        before = done;
        pause_for(10);
    }
}

static void observe_locked(const struct heap_kind *kind)
{
    HANDLE heap = create_kind(kind);
    void *blocks[4], *large = HeapAlloc(heap, 0, 300000);
    for (int i = 0; i < 4; i++)
        blocks[i] = HeapAlloc(heap, 0, 100);
    struct job waiting[SERIALIZED_JOBS] = {
        { heap, 0, NULL, "HeapAlloc", allocate_small, NULL },
        { heap, 0, NULL, "HeapAlloc of 20000 bytes", allocate_medium, NULL },
        { heap, 0, NULL, "HeapAlloc of 300000 bytes", allocate_large, NULL },
        { heap, HEAP_ZERO_MEMORY, NULL, "HeapAlloc, zeroed", allocate_small, NULL },
        { heap, 0, blocks[0], "HeapReAlloc", resize, NULL },
        { heap, 0, blocks[1], "HeapFree", release, NULL },
        { heap, 0, large, "HeapFree of 300000 bytes", release, NULL },
        { heap, 0, blocks[2], "HeapSize", measure, NULL },
        { heap, 0, blocks[2], "HeapValidate of a block", validate_block, NULL },
        { heap, 0, NULL, "HeapValidate of the heap", validate_heap, NULL },
        { heap, 0, NULL, "HeapWalk", walk, NULL },
        { heap, 0, NULL, "HeapLock", lock_and_unlock, NULL },
        { heap, HEAP_GENERATE_EXCEPTIONS, NULL, "HeapAlloc, raising", allocate_small, NULL },
    };
    HeapLock(heap);
    for (int i = 0; i < SERIALIZED_JOBS; i++)
        waiting[i].other = start(waiting[i].function, &waiting[i]);
    settle(waiting, SERIALIZED_JOBS);
    for (int i = 0; i < SERIALIZED_JOBS; i++)
        observe(named("locked %s, %s waits", kind->name, waiting[i].name), "%s", yes(!is_done(waiting[i].other)));
    HeapUnlock(heap);
    for (int i = 0; i < SERIALIZED_JOBS; i++)
        finish(waiting[i].other);
    observe(named("%s unlocked, all have come back, sound", kind->name), "%s", yes(HeapValidate(heap, 0, NULL)));
    observe(named("%s unlocked, bystander", kind->name), "%s", yes(HeapSize(heap, 0, blocks[3]) == 100));
    HeapDestroy(heap);
}

/* What passes a lock passes one after another, for these calls protect nothing. */
static void observe_passing(const struct heap_kind *kind)
{
    HANDLE heap = create_kind(kind);
    void *blocks[3];
    for (int i = 0; i < 3; i++)
        blocks[i] = HeapAlloc(heap, 0, 100);
    struct job passing[PASSING_JOBS] = {
        { heap, HEAP_NO_SERIALIZE, NULL, "HeapAlloc, unserialized", allocate_small, NULL },
        { heap, HEAP_NO_SERIALIZE, NULL, "HeapAlloc of 300000 bytes, unserialized", allocate_large, NULL },
        { heap, HEAP_NO_SERIALIZE, blocks[0], "HeapReAlloc, unserialized", resize, NULL },
        { heap, HEAP_NO_SERIALIZE, blocks[1], "HeapFree, unserialized", release, NULL },
        { heap, HEAP_NO_SERIALIZE, blocks[2], "HeapSize, unserialized", measure, NULL },
        { heap, HEAP_NO_SERIALIZE, blocks[2], "HeapValidate of a block, unserialized", validate_block, NULL },
        { heap, HEAP_NO_SERIALIZE, NULL, "HeapValidate of the heap, unserialized", validate_heap, NULL },
        { heap, 0, NULL, "another heap's functions", use_another, NULL },
        { heap, 0, NULL, "GetProcessHeaps", list_heaps, NULL },
    };
    struct job nothing[3] = {
        { heap, 0, NULL, "HeapReAlloc of NULL", resize_nothing, NULL },
        { heap, 0, NULL, "HeapFree of NULL", release_nothing, NULL },
        { heap, 0, NULL, "HeapQueryInformation", query, NULL },
    };
    HeapLock(heap);
    for (int i = 0; i < PASSING_JOBS + 3; i++) {
        struct job *job = i < PASSING_JOBS ? &passing[i] : &nothing[i - PASSING_JOBS];
        job->other = start(job->function, job);
        observe(named("locked %s, %s waits", kind->name, job->name), "%s", yes(is_waiting(job->other)));
        if (is_done(job->other))
            finish(job->other), job->other = NULL;
    }
    HeapUnlock(heap);
    for (int i = 0; i < PASSING_JOBS + 3; i++) {
        struct job *job = i < PASSING_JOBS ? &passing[i] : &nothing[i - PASSING_JOBS];
        if (job->other != NULL)
            finish(job->other);
    }
    observe(named("%s unlocked after calls passed, sound", kind->name), "%s", yes(HeapValidate(heap, 0, NULL)));
    HeapDestroy(heap);
}

static void observe_owner(const struct heap_kind *kind)
{
    HANDLE heap = create_kind(kind);
    OBSERVE_BOOL(named("%s", kind->name), HeapLock(heap));
    void *block = NULL;
    observe(named("%s, owner's HeapAlloc", kind->name), "%s", yes((block = HeapAlloc(heap, 0, 100)) != NULL));
    observe(named("%s, owner's HeapReAlloc", kind->name), "%s", yes((block = HeapReAlloc(heap, 0, block, 5000)) != NULL));
    observe(named("%s, owner's HeapSize", kind->name), "%s", size(HeapSize(heap, 0, block)));
    observe(named("%s, owner's HeapValidate", kind->name), "%s", yes(HeapValidate(heap, 0, block) && HeapValidate(heap, 0, NULL)));
    PROCESS_HEAP_ENTRY entry = { .lpData = NULL };
    observe(named("%s, owner's HeapWalk", kind->name), "%s", yes(HeapWalk(heap, &entry)));
    observe(named("%s, owner's HeapFree", kind->name), "%s", yes(HeapFree(heap, 0, block)));
    observe(named("%s, owner's HeapAlloc of 400000 bytes", kind->name), "%s", yes((block = HeapAlloc(heap, 0, 400000)) != NULL && HeapFree(heap, 0, block)));
    OBSERVE_BOOL(named("%s, again", kind->name), HeapLock(heap));
    OBSERVE_BOOL(named("%s, first unlock", kind->name), HeapUnlock(heap));
    struct job job = { heap, 0, NULL, NULL, allocate_small, NULL };
    if (kind->options & HEAP_NO_SERIALIZE)
        on_thread(allocate_small, &job);
    else {
        job.other = start(allocate_small, &job);
        observe(named("%s, locked twice, unlocked once, another waits", kind->name), "%s", yes(is_waiting(job.other)));
    }
    OBSERVE_BOOL(named("%s, second unlock", kind->name), HeapUnlock(heap));
    if (job.other != NULL)
        finish(job.other);
    on_thread(allocate_small, &job);
    observe(named("%s, another goes on after the second unlock", kind->name), "yes");
    HeapDestroy(heap);
}

/* Threads that have used the heap before wait just as new ones do. */
struct acquainted { HANDLE heap; volatile int is_ready, may_go; };
static void allocate_when_told(void *acquainted_)
{
    struct acquainted *acquainted = acquainted_;
    for (int i = 0; i < 10; i++)
        HeapFree(acquainted->heap, 0, HeapAlloc(acquainted->heap, 0, 1000));
    acquainted->is_ready = 1;
    while (!acquainted->may_go)
        pause_for(1);
    HeapFree(acquainted->heap, 0, HeapAlloc(acquainted->heap, 0, 1000));
}

static void observe_acquainted(const struct heap_kind *kind)
{
    struct acquainted acquainted = { create_kind(kind), 0, 0 };
    struct other *other = start(allocate_when_told, &acquainted);
    while (!acquainted.is_ready)
        pause_for(1);
    HeapLock(acquainted.heap);
    acquainted.may_go = 1;
    observe(named("locked %s, a thread that used it before waits", kind->name), "%s", yes(is_waiting(other)));
    HeapUnlock(acquainted.heap);
    finish(other);
    HeapDestroy(acquainted.heap);
}

struct counter { HANDLE heap; volatile int value; };
static void count_up(void *counter_)
{
    struct counter *counter = counter_;
    for (int i = 0; i < ROUNDS; i++) {
        HeapLock(counter->heap);
        void *block = HeapAlloc(counter->heap, 0, 50);
        counter->value = counter->value + 1;
        HeapFree(counter->heap, 0, block);
        HeapUnlock(counter->heap);
    }
}

void heap_lock(void)
{
    for (int i = 0; i < HEAP_KINDS; i++) {
        observe_owner(&heap_kinds[i]);
        if (heap_kinds[i].options != 0)
            continue;
        observe_locked(&heap_kinds[i]);
        observe_passing(&heap_kinds[i]);
        observe_acquainted(&heap_kinds[i]);
    }
    struct counter counter = { HeapCreate(0, 0, 0), 0 };
    struct other *others[4];
    for (int i = 0; i < 4; i++)
        others[i] = start(count_up, &counter);
    for (int i = 0; i < 4; i++)
        finish(others[i]);
    observe("four threads count under the lock", "%d", counter.value);
    HeapDestroy(counter.heap);
    HANDLE unserialized = HeapCreate(HEAP_NO_SERIALIZE, 0, 0);
    HeapLock(unserialized);
    struct job job = { unserialized, 0, NULL, NULL, lock_and_unlock, NULL };
    struct other *other = start(lock_and_unlock, &job);
    observe("locked unserialized heap, HeapLock waits", "%s", yes(is_waiting(other)));
    finish(other);
    other = start(allocate_small, &job);
    observe("locked unserialized heap, HeapAlloc waits", "%s", yes(is_waiting(other)));
    finish(other);
    HeapUnlock(unserialized);
    HeapDestroy(unserialized);
    for (int i = 0; i < BAD_HANDLES; i++) {
        HANDLE bad = bad_handle(i);
        OBSERVE_BOOL(bad_handle_name(i), HeapLock(bad));
    }
    OBSERVE_BOOL("process heap", HeapLock(GetProcessHeap()));
    HeapUnlock(GetProcessHeap());
}

static void unlock_there(void *heap) { observe("by a thread that has not locked", "%s", yes(HeapUnlock(heap))); }

void heap_unlock(void)
{
    for (int i = 0; i < HEAP_KINDS; i++) {
        HANDLE heap = create_kind(&heap_kinds[i]);
        HeapLock(heap);
        OBSERVE_BOOL(named("%s", heap_kinds[i].name), HeapUnlock(heap));
        OBSERVE_BOOL(named("%s, once too often", heap_kinds[i].name), HeapUnlock(heap));
        heap = create_kind(&heap_kinds[i]);
        OBSERVE_BOOL(named("%s, never locked", heap_kinds[i].name), HeapUnlock(heap));
        if (!(heap_kinds[i].options & HEAP_NO_SERIALIZE))
            continue;
        OBSERVE_BOOL(named("%s, never locked, again", heap_kinds[i].name), HeapUnlock(heap));
    }
    HANDLE heap = HeapCreate(0, 0, 0);
    HeapLock(heap);
    on_thread(unlock_there, heap);
    struct job job = { heap, 0, NULL, NULL, allocate_small, NULL };
    struct other *other = start(allocate_small, &job);
    observe("by a thread that has not locked, others wait on", "%s", yes(is_waiting(other)));
    HeapUnlock(heap);
    finish(other);
    for (int i = 0; i < BAD_HANDLES; i++) {
        HANDLE bad = bad_handle(i);
        OBSERVE_BOOL(bad_handle_name(i), HeapUnlock(bad));
    }
}
