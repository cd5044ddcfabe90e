/* A library for a .NET program: native threads that allocate and free, come and go, until they are told to stop. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_THREADS = 16, SLOTS = 512 };
static _Atomic(unsigned char *) slots[SLOTS];
static pthread_t threads[MOST_THREADS];
static atomic_int stop;
static atomic_long operations, failures;

/* A block says in its first four bytes how large it is, and the others are its size. */
static void check_and_free(unsigned char *block)
{
    uint32_t bytes;
    memcpy(&bytes, block, 4);
    for (uint32_t i = 4; i < bytes; i++)
        if (block[i] != (unsigned char)bytes) {
            atomic_fetch_add(&failures, 1);
            break;
        }
    free(block);
}

/* Puts a block of some size into a slot and frees what was there, which is mostly another thread's. */
void churn_once(unsigned *seed)
{
    uint32_t bytes = 16 + rand_r(seed) % (rand_r(seed) % 64 ? 700 : 400000);
    unsigned char *block = malloc(bytes);
    if (block == NULL) {
        atomic_fetch_add(&failures, 1);
        return;
    }
    memset(block, (int)bytes, bytes);
    memcpy(block, &bytes, 4);
    block = atomic_exchange(&slots[rand_r(seed) % SLOTS], block);
    if (block != NULL)
        check_and_free(block);
    atomic_fetch_add_explicit(&operations, 1, memory_order_relaxed);
}

static void *live_briefly(void *argument)
{
    unsigned seed = (unsigned)(uintptr_t)argument;
    for (int i = 0; i < 2000 && !atomic_load(&stop); i++)
        churn_once(&seed);
    return NULL;
}

static void *be_replaced(void *argument)
{
    uintptr_t number = (uintptr_t)argument;
    while (!atomic_load(&stop)) {
        pthread_t thread;
        number += MOST_THREADS;
        if (pthread_create(&thread, NULL, live_briefly, (void *)number) == 0)
            pthread_join(thread, NULL);
    }
    return NULL;
}

void churn_start(int count)
{
    for (int i = 0; i < count && i < MOST_THREADS; i++)
        pthread_create(&threads[i], NULL, be_replaced, (void *)(uintptr_t)(i + 1));
}

/* How many operations there were; -1 when a block was not as it should be. */
long churn_stop(int count)
{
    atomic_store(&stop, 1);
    for (int i = 0; i < count && i < MOST_THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < SLOTS; i++) {
        unsigned char *block = atomic_exchange(&slots[i], NULL);
        if (block != NULL)
            check_and_free(block);
    }
    return atomic_load(&failures) != 0 ? -1 : atomic_load(&operations);
}
