/* Shapes of several threads. */
#include "shapes.h"
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>

enum { MOST_THREADS = 16 };

static pthread_t start(void *(*work)(void *), void *argument)
{
    pthread_t thread;
    check(pthread_create(&thread, NULL, work, argument) == 0, "no thread");
    return thread;
}

/* `count` threads at once, each with its number. */
static void together(int count, void *(*work)(void *))
{
    pthread_t threads[MOST_THREADS];
    for (intptr_t number = 0; number < count; number++)
        threads[number] = start(work, (void *)number);
    for (int number = 0; number < count; number++)
        pthread_join(threads[number], NULL);
}

/* One thread allocates, another frees; the addresses go through a ring. */
enum { RING = 1024, HANDED = 200000 };

static _Atomic(char *) ring[RING];

static void *receive(void *unused)
{
    for (unsigned count = 0; count < HANDED; count++) {
        _Atomic(char *) *slot = &ring[count % RING];
        char *block;
        while (!(block = atomic_load_explicit(slot, memory_order_acquire)))
            sched_yield();
        atomic_store_explicit(slot, NULL, memory_order_release);
        free(block);
    }
    return unused;
}

static double handover_pair(size_t bytes)
{
    double began = now();
    pthread_t receiver = start(receive, NULL);
    for (unsigned count = 0; count < HANDED; count++) {
        _Atomic(char *) *slot = &ring[count % RING];
        char *block = malloc(bytes);
        check(block != NULL, "no memory");
        *(volatile char *)block = 1;
        while (atomic_load_explicit(slot, memory_order_acquire))
            sched_yield();
        atomic_store_explicit(slot, block, memory_order_release);
    }
    pthread_join(receiver, NULL);
    return (now() - began) / HANDED;
}

void handover(void)
{
    for (size_t bytes = 16; bytes <= KIB; bytes *= 4)
        measure("handover", handover_pair, bytes);
}

/*
 * Two producers make messages of mixed sizes and hand them over a hundred at a time; two consumers read and free them.
 * At most sixteen hundreds wait, so that memory is bounded.
 */
enum { PRODUCERS = 2, HUNDREDS = 20000, WAITING = 16 };

typedef struct Message {
    struct Message *next;
    size_t bytes;
    uint64_t tag;
} Message;

static Message *waiting[WAITING];
static unsigned produced, consumed;
static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t queue_fuller = PTHREAD_COND_INITIALIZER, queue_emptier = PTHREAD_COND_INITIALIZER;

static void *produce(void *number)
{
    Random random = { (uintptr_t)number };
    for (int hundred = 0; hundred < HUNDREDS; hundred++) {
        Message *list = NULL;
        for (int count = 0; count < 100; count++) {
            size_t bytes = sizeof(Message) + any_size(&random, 16, KIB);
            Message *message = malloc(bytes);
            check(message != NULL, "no memory");
            *message = (Message) { list, bytes, tag(bytes) };
            list = message;
        }
        pthread_mutex_lock(&queue_lock);
        while (produced - consumed == WAITING)
            pthread_cond_wait(&queue_emptier, &queue_lock);
        waiting[produced++ % WAITING] = list;
        pthread_cond_signal(&queue_fuller);
        pthread_mutex_unlock(&queue_lock);
    }
    return NULL;
}

static void *consume(void *unused)
{
    for (int hundred = 0; hundred < HUNDREDS; hundred++) {
        pthread_mutex_lock(&queue_lock);
        while (produced == consumed)
            pthread_cond_wait(&queue_fuller, &queue_lock);
        Message *list = waiting[consumed++ % WAITING];
        pthread_cond_signal(&queue_emptier);
        pthread_mutex_unlock(&queue_lock);
        while (list) {
            Message *message = list;
            list = message->next;
            check(message->tag == tag(message->bytes), "a message has changed on its way");
            free(message);
        }
    }
    return unused;
}

static void *produce_or_consume(void *number)
{
    return (intptr_t)number < PRODUCERS ? produce(number) : consume(number);
}

void producers(void)
{
    together(2 * PRODUCERS, produce_or_consume);
}

/*
 * A server as Larson and Krishnan describe it: each thread replaces blocks at random, now and then changes one for another thread's, and leaves its
 * blocks to a new thread when it dies. The blocks that the first threads begin with are the main thread's, dealt out in turn.
 */
enum { SERVED = 1000, SHELF = 64 };

typedef struct {
    Block blocks[SERVED];
    pthread_t predecessor;
    int generation;
    int replacements;
    Random random;
} Estate;

static Estate estates[MOST_THREADS];
static _Atomic(char *) shelf[SHELF];
static sem_t last_threads;

static size_t served_size(Random *random)
{
    return any_size(random, 16, KIB);
}

static void *serve(void *argument)
{
    enum { GENERATIONS = 50 };
    Estate *estate = argument;
    if (estate->generation > 0)
        pthread_join(estate->predecessor, NULL);
    for (int turn = 0; turn < estate->replacements; turn++) {
        Block *block = &estate->blocks[below(&estate->random, SERVED)];
        if (turn % 8 == 0) {
            free(atomic_exchange(&shelf[below(&estate->random, SHELF)], block->address));
        } else {
            drop(*block);
        }
        *block = take(served_size(&estate->random));
    }
    if (++estate->generation < GENERATIONS) {
        estate->predecessor = pthread_self();
        start(serve, estate);
    } else {
        sem_post(&last_threads);
    }
    return NULL;
}

static void server(int threads, int replacements)
{
    check(sem_init(&last_threads, 0, 0) == 0, "no semaphore");
    for (int number = 0; number < threads; number++) {
        estates[number].random.state = (uint64_t)number;
        estates[number].replacements = replacements;
    }
    for (int index = 0; index < SERVED; index++)
        for (int number = 0; number < threads; number++)
            estates[number].blocks[index] = take(served_size(&estates[number].random));
    for (int number = 0; number < threads; number++)
        start(serve, &estates[number]);
    for (int number = 0; number < threads; number++)
        while (sem_wait(&last_threads) != 0) {
        }
    for (int number = 0; number < threads; number++)
        for (int index = 0; index < SERVED; index++)
            drop(estates[number].blocks[index]);
    for (int index = 0; index < SHELF; index++)
        free(shelf[index]);
}

void server_4(void)
{
    server(4, 80000);
}

void server_16(void)
{
    server(16, 20000);
}

/* Each thread is alone with its blocks: it allocates a batch, replaces some of it at random and frees it. */
static int alone_turns;

static void *work_alone(void *number)
{
    enum { COUNT = 5000 };
    Random random = { (uintptr_t)number };
    Block *blocks = table(COUNT, sizeof *blocks);
    for (int turn = 0; turn < alone_turns; turn++) {
        size_t bytes = any_size(&random, 16, KIB);
        for (int index = 0; index < COUNT; index++)
            blocks[index] = take(turn % 2 == 0 ? bytes : any_size(&random, 16, KIB));
        for (int index = 0; index < COUNT; index++) {
            Block *block = &blocks[below(&random, COUNT)];
            drop(*block);
            *block = take(block->bytes);
        }
        for (int index = 0; index < COUNT; index++)
            drop(blocks[index]);
    }
    free(blocks);
    return NULL;
}

static void alone(int threads)
{
    alone_turns = 1000 / threads;
    together(threads, work_alone);
}

void alone_2(void)
{
    alone(2);
}

void alone_16(void)
{
    alone(16);
}

/*
 * False sharing: small blocks of different threads that lie in one cache line slow each other down. Active: the library deals out one line to threads
 * that allocate at the same time. Passive: it gives a thread the rest of a line after the thread has freed a block of it that another thread had allocated.
 */
enum { SHARERS = 4, SHARED_BYTES = 8, SHARED_TURNS = 4000, SHARED_WRITES = 80000 };

static char *shared[SHARERS];

static void write_often(void)
{
    char *block = malloc(SHARED_BYTES);
    check(block != NULL, "no memory");
    *(volatile uint64_t *)block = 0;
    for (int write = 0; write < SHARED_WRITES; write++)
        ++*(volatile uint64_t *)block;
    check(*(volatile uint64_t *)block == SHARED_WRITES, "a block is not its owner's alone");
    free(block);
}

static void *write_shared(void *number)
{
    free(shared[(intptr_t)number]);
    for (int turn = 0; turn < SHARED_TURNS; turn++)
        write_often();
    return NULL;
}

void sharing_passive(void)
{
    for (int number = 0; number < SHARERS; number++)
        check((shared[number] = malloc(SHARED_BYTES)) != NULL, "no memory");
    together(SHARERS, write_shared);
}

void sharing_active(void)
{
    together(SHARERS, write_shared);
}
