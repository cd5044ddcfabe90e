/* Heaps that come and go under the hands of other threads, and forks in the middle of it. */
#include "heap_check.h"
#include <pthread.h>
#include <stdatomic.h>

enum { HEAPS = 6, WORKERS = 4, OWN_BLOCKS = 64 };

/* Handles of heaps that may be gone at any moment. What is allocated from them is never touched by the workers. */
static _Atomic(HANDLE) doomed[HEAPS];
static atomic_int stop;
static atomic_long served, refused;

static void walk(HANDLE heap)
{
    PROCESS_HEAP_ENTRY entry = { 0 };
    for (int step = 0; step < 200 && HeapWalk(heap, &entry); step++)
        ;
}

static void use_doomed(HANDLE heap, unsigned *seed)
{
    void *block = HeapAlloc(heap, 0, rand_r(seed) % (rand_r(seed) % 16 ? 2000 : 300000));
    if (block == NULL) {
        atomic_fetch_add(&refused, 1);
        return;
    }
    atomic_fetch_add(&served, 1);
    switch (rand_r(seed) % 24) {
        case 0: HeapValidate(heap, 0, NULL); break;
        case 1: walk(heap); break;
        case 2:
            if (HeapLock(heap)) {
                walk(heap);
                CHECK(HeapUnlock(heap));
            }
            break;
        case 3: HeapCompact(heap, 0); break;
        case 4: return; /* the block goes with its heap */
        default: {
            void *moved = HeapReAlloc(heap, 0, block, rand_r(seed) % 3000);
            block = moved != NULL ? moved : block;
            SIZE_T size = HeapSize(heap, 0, block);
            CHECK(size == FAILED || size < 300000);
        }
    }
    HeapFree(heap, 0, block);
}

/* Uses the doomed heaps, and one of its own that nothing of all this may touch. */
static void *work(void *argument)
{
    unsigned seed = (unsigned)(uintptr_t)argument;
    HANDLE own = new_heap();
    unsigned char *blocks[OWN_BLOCKS] = { 0 };
    SIZE_T sizes[OWN_BLOCKS] = { 0 };
    while (!atomic_load(&stop)) {
        use_doomed(atomic_load(&doomed[rand_r(&seed) % HEAPS]), &seed);
        int i = rand_r(&seed) % OWN_BLOCKS;
        if (blocks[i] != NULL) {
            CHECK(all_bytes(blocks[i], sizes[i], i));
            CHECK(HeapFree(own, 0, blocks[i]));
        }
        sizes[i] = rand_r(&seed) % 500;
        blocks[i] = HeapAlloc(own, 0, sizes[i]);
        CHECK(blocks[i] != NULL);
        memset(blocks[i], i, sizes[i]);
    }
    CHECK(HeapValidate(own, 0, NULL));
    for (int i = 0; i < OWN_BLOCKS; i++)
        if (blocks[i] != NULL) {
            CHECK(all_bytes(blocks[i], sizes[i], i));
            CHECK(HeapFree(own, 0, blocks[i]));
        }
    HEAP_SUMMARY summary = { .cb = sizeof summary };
    CHECK(HeapSummary(own, 0, &summary));
    CHECK_EQUAL(0, summary.cbAllocated);
    CHECK(HeapDestroy(own));
    return NULL;
}

static HANDLE new_doomed(int round) { return HeapCreate(0, 0, round % 5 == 0 ? 2 * MiB : round % 7 == 0 ? 64 * MiB : 0); }

/* Destroys a heap and lets the next one have its slot at once; that one is the caller's for a moment, then everybody's. */
static void replace(int round)
{
    static unsigned char *kept[HEAPS];
    int i = round % HEAPS;
    HANDLE old = atomic_load(&doomed[i]);
    if (kept[i] != NULL)
        CHECK(all_bytes(kept[i], 3000, i));
    CHECK(HeapDestroy(old));
    CHECK(!HeapDestroy(old));
    HANDLE fresh = new_doomed(round);
    CHECK(fresh != NULL && fresh != old);
    CHECK(!HeapValidate(old, 0, NULL));
    kept[i] = HeapAlloc(fresh, HEAP_ZERO_MEMORY, 3000);
    CHECK(kept[i] != NULL && all_bytes(kept[i], 3000, 0));
    memset(kept[i], i, 3000);
    atomic_store(&doomed[i], fresh);
}

static void with_workers(void (*act)(int round), int rounds)
{
    pthread_t threads[WORKERS];
    for (int i = 0; i < HEAPS; i++)
        atomic_store(&doomed[i], new_doomed(i));
    for (uintptr_t i = 0; i < WORKERS; i++)
        pthread_create(&threads[i], NULL, work, (void *)(i + 1));
    for (int round = 0; round < rounds && check_failures == 0; round++)
        act(round);
    atomic_store(&stop, 1);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < HEAPS; i++)
        CHECK(HeapDestroy(atomic_load(&doomed[i])));
    CHECK(atomic_load(&served) > 0);
    CHECK(HeapValidate(GetProcessHeap(), 0, NULL));
}

TEST("heaps destroyed while threads allocate, free, walk, validate and lock them refuse from then on, and harm no other heap")
{
    with_workers(replace, 10000);
    CHECK(atomic_load(&refused) > 0);
}

/* The child may use every heap that lives, whatever the threads that it does not have were doing to it. */
static void live_in_child(void)
{
    HANDLE heaps[64];
    DWORD count = GetProcessHeaps(64, heaps);
    CHECK(count >= HEAPS && count <= 64);
    for (DWORD i = 0; i < count; i++) {
        PROCESS_HEAP_ENTRY entry = { 0 };
        SetLastError(0);
        while (HeapWalk(heaps[i], &entry))
            ;
        CHECK_EQUAL(ERROR_NO_MORE_ITEMS, GetLastError());
        CHECK(HeapValidate(heaps[i], 0, NULL));
        for (int size = 1; size < 5000; size = size * 3 + 1) {
            unsigned char *block = HeapAlloc(heaps[i], 0, size);
            if (block == NULL) {
                /* The workers may have filled one with a maximum. */
                HEAP_SUMMARY summary = { .cb = sizeof summary };
                CHECK(HeapSummary(heaps[i], 0, &summary));
                CHECK(summary.cbMaxReserve == 2 * MiB && summary.cbAllocated > MiB);
                continue;
            }
            memset(block, size, size);
            CHECK(HeapFree(heaps[i], 0, block));
        }
        CHECK(HeapLock(heaps[i]) && HeapUnlock(heaps[i]));
        if (heaps[i] != GetProcessHeap())
            CHECK(HeapDestroy(heaps[i]));
    }
    HANDLE fresh = new_heap();
    CHECK(HeapAlloc(fresh, 0, 100) != NULL && HeapDestroy(fresh));
}

static void replace_and_fork(int round)
{
    for (int i = 0; i < 4; i++)
        replace(round * 4 + i);
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        live_in_child();
        _exit(check_failures != 0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    CHECK_EQUAL(0, status);
}

TEST("a child of fork walks, validates, uses and destroys the heaps that other threads were making, using, locking and destroying") { with_workers(replace_and_fork, 100); }
