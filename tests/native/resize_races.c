/*
 * Two threads call for one block at the same instant, of every kind: a free and a resize, two resizes, in place and moving. Whoever comes first has the block; the
 * other one is refused, or has what he is left. A third thread looks after blocks of its own meanwhile, which nobody may change.
 *   resize_races [SECONDS FOR EACH RACE [WORD]]
 */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <windows.h>

enum { KiB = 1024, MiB = 1024 * KiB, MOST_TURNS = 200, BYSTANDERS = 24 };

struct kind {
    const char *name;
    size_t bytes, others[4];
    size_t maximum;
};

static const struct kind kinds[] = {
    { "24 B", 24, { 30, 17, 400, 5000 }, 0 },
    { "3000 B", 2900, { 2600, 3000, 2700, 9000 }, 0 },
    { "40000 B", 40000, { 33000, 36000, 90000, 8 }, 0 },
    { "300000 B", 300000, { 290000, 320000, 900, 600000 }, 0 },
    { "4000000 B", 4000000, { 3000000, 5000000, 900, 2000000 }, 0 },
    { "24 B of 1 MiB", 24, { 30, 17, 400, 5000 }, 1 * MiB },
    { "3000 B of 1 MiB", 3000, { 2600, 3100, 40, 9000 }, 1 * MiB },
    { "100000 B of 16 MiB", 100000, { 90000, 120000, 40, 300000 }, 16 * MiB },
};

static HANDLE heap;
static const struct kind *kind;
static char *shared;
static int arrived, is_over, failures;
static char *second_result;
static size_t second_bytes;

static void complain(const char *what, long round)
{
    printf("not ok %s: %s, in round %ld\n", kind->name, what, round);
    failures++;
}

static void meet(long round)
{
    __atomic_add_fetch(&arrived, 1, __ATOMIC_ACQ_REL);
    for (int spins = 0; __atomic_load_n(&arrived, __ATOMIC_ACQUIRE) < (int)(2 * round); spins++)
        if (spins > 500)
            sched_yield();
}

static void linger(long round, int who)
{
    int turns = who == round % 2 ? (int)(round / 2 % MOST_TURNS) : 0;
    for (volatile int i = 0; i < turns; i++)
        ;
}

static DWORD flags_of(long round) { return (round / 3 % 2 ? HEAP_ZERO_MEMORY : 0) | (round / 6 % 4 == 0 ? HEAP_REALLOC_IN_PLACE_ONLY : 0); }

static void *second_thread(void *unused)
{
    (void)unused;
    for (long round = 0;; round++) {
        meet(2 * round + 1);
        if (is_over)
            return NULL;
        linger(round, 1);
        second_bytes = kind->others[round % 4];
        second_result = HeapReAlloc(heap, flags_of(round), shared, second_bytes);
        meet(2 * round + 2);
    }
}

/* Blocks around the contested one, whose contents and sizes nobody may change. They stay: a freed block's next owner is hit by the second call, and nobody can tell. */
static long damage;
static struct { unsigned char *start; size_t bytes; } own[BYSTANDERS];

static void make_bystanders(void)
{
    for (int place = 0; place < BYSTANDERS; place++) {
        own[place].bytes = place % 2 ? kind->bytes : kind->others[place / 2 % 4];
        own[place].start = HeapAlloc(heap, 0, own[place].bytes);
        if (own[place].start != NULL)
            memset(own[place].start, place + 1, own[place].bytes);
    }
}

static void *bystander(void *unused)
{
    (void)unused;
    for (int place = 0; !__atomic_load_n(&is_over, __ATOMIC_ACQUIRE); place = (place + 1) % BYSTANDERS) {
        if (own[place].start == NULL)
            continue;
        size_t edge = own[place].bytes < 256 ? own[place].bytes : 256;
        for (size_t i = 0; i < edge; i++)
            damage += own[place].start[i] != (unsigned char)(place + 1) || own[place].start[own[place].bytes - 1 - i] != (unsigned char)(place + 1);
        damage += HeapSize(heap, 0, own[place].start) != own[place].bytes;
        if (place == 0)
            sched_yield();
    }
    for (int place = 0; place < BYSTANDERS; place++)
        damage += own[place].start != NULL && !HeapFree(heap, 0, own[place].start);
    return NULL;
}

static void check_alive(char *block, size_t bytes, long round)
{
    if (HeapSize(heap, 0, block) != bytes)
        complain("a resized block has another size", round);
    if (!HeapFree(heap, 0, block))
        complain("a resized block cannot be freed", round);
}

static void race(const struct kind *wanted, int frees, double seconds)
{
    pthread_t second, other;
    struct timespec start, now;
    long round = 0, both = 0;
    int before = failures;
    kind = wanted;
    heap = HeapCreate(0, 0, kind->maximum);
    arrived = is_over = 0;
    damage = 0;
    make_bystanders();
    pthread_create(&second, NULL, second_thread, NULL);
    pthread_create(&other, NULL, bystander, NULL);
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (; failures < before + 3; round++) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        if ((double)(now.tv_sec - start.tv_sec) + (double)(now.tv_nsec - start.tv_nsec) / 1e9 > seconds)
            break;
        while ((shared = HeapAlloc(heap, 0, kind->bytes)) == NULL)
            sched_yield();
        memset(shared, 0xAB, kind->bytes);
        meet(2 * round + 1);
        linger(round, 0);
        size_t bytes = kind->others[(round / 4) % 4];
        char *first = frees ? HeapFree(heap, 0, shared) ? shared : NULL : HeapReAlloc(heap, flags_of(round / 5), shared, bytes);
        meet(2 * round + 2);
        both += first != NULL && second_result != NULL;
        if (frees) {
            if (first != NULL && second_result != NULL && second_result != shared)
                complain("a block was freed and moved", round);
            if (first == NULL && second_result != NULL)
                check_alive(second_result, second_bytes, round);
            /* The free may have lost against a resize that was refused then for want of room, or because it had to stay. */
            if (first == NULL && second_result == NULL && !HeapFree(heap, 0, shared))
                complain("neither call had a block that is gone", round);
        } else {
            char *block = first == NULL && second_result == NULL ? shared : first == NULL ? second_result : second_result == NULL ? first : second_result == shared ? first : second_result;
            if (first != NULL && second_result != NULL && first != shared && second_result != shared)
                complain("two calls moved a block", round);
            size_t now_bytes = HeapSize(heap, 0, block);
            if (now_bytes != bytes && now_bytes != second_bytes && now_bytes != kind->bytes)
                complain("a block that was resized twice has a third size", round);
            if (first == shared && second_result != NULL && second_result != shared)
                block = second_result;
            if (!HeapFree(heap, 0, block))
                complain("a resized block cannot be freed", round);
        }
    }
    __atomic_store_n(&is_over, 1, __ATOMIC_RELEASE);
    meet(2 * round + 1);
    pthread_join(second, NULL);
    pthread_join(other, NULL);
    if (damage != 0)
        complain("blocks of a bystander have changed", damage);
    if (!HeapValidate(heap, 0, NULL))
        complain("the heap is not sound", round);
    HEAP_SUMMARY summary = { .cb = sizeof summary };
    if (!HeapSummary(heap, 0, &summary) || summary.cbAllocated != 0)
        complain("blocks are left", (long)summary.cbAllocated);
    HeapDestroy(heap);
    printf("%s %s, %s: %ld rounds, both had it in %ld\n", failures == before ? "ok" : "not ok", kind->name, frees ? "a free and a resize" : "two resizes", round, both);
}

int main(int count, char **arguments)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    double seconds = count > 1 ? atof(arguments[1]) : 0.3;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (int frees = 1; frees >= 0; frees--)
            if (count < 3 || strcmp(arguments[2], kinds[i].name) == 0)
                race(&kinds[i], frees, seconds);
    return failures != 0;
}
