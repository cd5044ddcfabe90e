/*
 * Two threads call for one thing at the same instant, to free or to destroy it: one of them has done it, and the other one is refused. The threads meet before every round and then wait
 * for a few turns of a loop, another number each time, so that over the rounds one call overtakes the other at every place.
 */
#include "misuse.h"
#include <pthread.h>
#include <sched.h>
#include <time.h>

enum { MOST_TURNS = 64 };

static void *shared;
static int arrived;

static void meet(int round)
{
    __atomic_add_fetch(&arrived, 1, __ATOMIC_ACQ_REL);
    for (int spins = 0; __atomic_load_n(&arrived, __ATOMIC_ACQUIRE) < 2 * round; spins++)
        if (spins > 2000)
            sched_yield();
}

static void linger(int round, int who)
{
    int turns = who == round % 2 ? round / 2 % MOST_TURNS : 0;
    for (volatile int i = 0; i < turns; i++)
        ;
}

static double seconds_since(const struct timespec *start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

#if HEAP_FACE
#include "heap.h"

enum { MOST_ROUNDS = 20000, LEAST_ROUNDS = 500 };
static const double patience_seconds = 1.5;

/* A race: how a round begins, what each thread calls for the shared thing, and whether the two answers fit together. */
struct race {
    void *(*begin)(void);
    void *(*first_call)(void *), *(*second_call)(void *);
    void (*judge)(int round, void *first, void *second);
};

static const struct race *race;
static void *second_answer;
static int is_over;

/* Two meetings in each round: the shared thing is there, and both calls are made. */
static void *second_thread(void *unused)
{
    (void)unused;
    for (int round = 0;; round++) {
        meet(2 * round + 1);
        if (is_over)
            return NULL;
        linger(round, 1);
        second_answer = race->second_call(shared);
        meet(2 * round + 2);
    }
}

static void run_race(const struct race *wanted)
{
    struct timespec start;
    pthread_t thread;
    int round = 0;
    race = wanted;
    clock_gettime(CLOCK_MONOTONIC, &start);
    if (pthread_create(&thread, NULL, second_thread, NULL) != 0)
        harm("no thread could be made");
    for (; round < MOST_ROUNDS && (round < LEAST_ROUNDS || seconds_since(&start) < patience_seconds); round++) {
        shared = race->begin();
        if (shared == NULL)
            harm("there is no memory, in round %d", round);
        meet(2 * round + 1);
        linger(round, 0);
        void *first_answer = race->first_call(shared);
        meet(2 * round + 2);
        race->judge(round, first_answer, second_answer);
        if (first_answer == NULL || second_answer == NULL)
            took(REFUSED);
    }
    is_over = 1;
    meet(2 * round + 1);
    pthread_join(thread, NULL);
}

static void *begin_with_block(void) { return face_allocate(shape); }
static void *free_block(void *block) { return HeapFree(heap, 0, block) ? block : NULL; }
static void *resize_block(void *block) { return HeapReAlloc(heap, 0, block, shape->bytes * 2); }

static void one_has_won(int round, void *first, void *second)
{
    if ((first != NULL) == (second != NULL))
        harm("%s of two calls at one instant were accepted, in round %d", first ? "both" : "none", round);
}

/* Both may succeed when the block was resized where it lies and then freed; otherwise exactly one has had it. */
static void freed_or_resized(int round, void *freed, void *resized)
{
    if (freed != NULL && resized != NULL && resized != freed)
        harm("a block was freed and moved at one instant, in round %d", round);
    if (freed == NULL && resized == NULL)
        harm("neither the free nor the resize of a live block was accepted, in round %d", round);
    if (resized != NULL && freed == NULL && !HeapFree(heap, 0, resized))
        harm("a resized block cannot be freed, in round %d", round);
    if (HeapValidate(heap, 0, shared))
        harm("a freed block is a live one, in round %d", round);
}

static void *begin_with_heap(void)
{
    HANDLE doomed = HeapCreate(shape->heap_options, 0, shape->heap_maximum);
    return doomed != NULL && HeapAlloc(doomed, 0, shape->bytes) != NULL ? doomed : NULL;
}

static void *destroy_heap(void *doomed) { return HeapDestroy(doomed) ? doomed : NULL; }

static void two_frees(void) { run_race(&(struct race){ begin_with_block, free_block, free_block, one_has_won }); }
static void free_and_resize(void) { run_race(&(struct race){ begin_with_block, free_block, resize_block, freed_or_resized }); }
static void two_destructions(void) { run_race(&(struct race){ begin_with_heap, destroy_heap, destroy_heap, one_has_won }); }

/* A moveable block, freed or moved by its handle while its address is freed: that is refused whenever it comes. */
static void *moveable_address;

static void *begin_with_handle(void)
{
    HANDLE handle = GlobalAlloc(GMEM_MOVEABLE, shape->bytes);
    moveable_address = GlobalLock(handle);
    GlobalUnlock(handle);
    return moveable_address != NULL ? handle : NULL;
}

static void *free_handle(void *handle) { return GlobalFree(handle) == NULL ? handle : NULL; }
static void *resize_handle(void *handle) { return GlobalReAlloc(handle, shape->bytes * 3, GMEM_MOVEABLE); }

static void *free_its_address(void *handle)
{
    return HeapFree(GetProcessHeap(), 0, moveable_address) ? handle : NULL;
}

static void handle_has_won(int round, void *first, void *second)
{
    if (first == NULL || second != NULL)
        harm("a moveable block was %s, in round %d", second ? "freed by its address" : "not to be had by its handle", round);
}

static void resized_handle_has_won(int round, void *first, void *second)
{
    handle_has_won(round, first, second);
    if (GlobalSize(shared) != shape->bytes * 3 || GlobalFree(shared) != NULL)
        harm("a handle that was resized does not lead to its block, in round %d", round);
}

static void handle_and_address(void) { run_race(&(struct race){ begin_with_handle, free_handle, free_its_address, handle_has_won }); }
static void resize_and_address(void) { run_race(&(struct race){ begin_with_handle, resize_handle, free_its_address, resized_handle_has_won }); }

/* The one that comes too late is stopped, in the middle of its copying if need be; or both succeed, one after the other. Who destroys a heap may have found it alive. */
#define RACE_STOPS "stopped: " NO_BLOCK "|stopped: after they were freed"
#define MOVEABLE_STOPS "stopped: (is a moveable block|is a live block by now|" NO_BLOCK ")"
#define STOPS_OR_REFUSES(pattern) "refused", "stopped: " pattern "|refused", "stopped: " pattern "|refused"

static const struct idea ideas[] = {
    { "two frees of a block at one instant", two_frees, SERIALIZED, SAME, WRONG_CALL(NO_BLOCK) },
    { "a free and a resize of a block at one instant", free_and_resize, SERIALIZED, SAME, "refused|silent", RACE_STOPS "|silent", RACE_STOPS "|silent" },
    { "GlobalFree and HeapFree of a moveable block at one instant", handle_and_address, SLABS | LARGE | HUGE, SAME, "refused", MOVEABLE_STOPS, MOVEABLE_STOPS },
    { "GlobalReAlloc and HeapFree of a moveable block at one instant", resize_and_address, SLABS | LARGE | HUGE, SAME, "refused", MOVEABLE_STOPS, MOVEABLE_STOPS },
    { "two destructions of a heap at one instant", two_destructions, FEW, SAME, STOPS_OR_REFUSES("which is none or was destroyed") },
};
#else
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A process ends with the first free that is refused, so that each round takes one. */
enum { MOST_ROUNDS = 1000, LEAST_ROUNDS = 20 };
static const double patience_seconds = 1;

static void *second_thread(void *round)
{
    /* Its first calls differ from all later ones. */
    free(face_allocate(shape));
    meet(1);
    linger(*(int *)round, 1);
    free(shared);
    return NULL;
}

static void play(int round)
{
    pthread_t thread;
    shared = face_allocate(shape);
    if (pthread_create(&thread, NULL, second_thread, &round) != 0)
        _exit(1);
    meet(1);
    linger(round, 0);
    free(shared);
    pthread_join(thread, NULL);
    _exit(0);
}

/* What the child said on standard error; its status. */
static int status_of_round(int round, char *said, size_t capacity)
{
    int ends[2], status;
    if (pipe(ends) != 0)
        harm("no pipe could be made");
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        play(round);
    }
    close(ends[1]);
    size_t length = 0;
    ssize_t count;
    while (length + 1 < capacity && (count = read(ends[0], said + length, capacity - 1 - length)) > 0)
        length += (size_t)count;
    said[length] = 0;
    close(ends[0]);
    waitpid(child, &status, 0);
    return status;
}

/* Every round has to be stopped by one sentence; then the last round's stands for all of them. */
static void two_frees(void)
{
    static char said[8192];
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int round = 0; round < MOST_ROUNDS && (round < LEAST_ROUNDS || seconds_since(&start) < patience_seconds); round++) {
        int status = status_of_round(round, said, sizeof said);
        if (WIFEXITED(status))
            harm("both of two frees at one instant were accepted, in round %d", round);
        char *first = strstr(said, "free()");
        if (WTERMSIG(status) != SIGABRT || first == NULL || strstr(first + 1, "free()") != NULL)
            harm("two frees at one instant end in signal %d, in round %d: %s", WTERMSIG(status), round, said);
    }
    fputs(said, stderr);
    abort();
}

static const struct idea ideas[] = {
    { "two frees of a block at one instant", two_frees, SERIALIZED, SAME, WRONG_CALL(NO_BLOCK) },
};
#endif
IDEAS(ideas)
