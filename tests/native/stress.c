/* stress malloc|heap SECONDS: eight threads free each other's blocks, and die and are replaced all the while. Every block is filled when it
 * is allocated and checked when it is freed; at the end everything is freed and the heap's own count must be back where it began.
 * "heap" does it on four heaps of libprivateheaps.so at once, while other heaps come and go. */
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <windows.h>

enum { THREADS = 8, SLOTS = 4096, HEAPS = 4 };

struct block { uint32_t bytes, seed; HANDLE heap; unsigned char rest[]; };

static _Atomic(struct block *) slots[SLOTS];
static HANDLE heaps[HEAPS];
static int use_malloc;
static atomic_int stop;
static atomic_long operations, threads_run;

static void fail(const char *what, const void *block)
{
    fprintf(stderr, "%s: %s at %p\n", use_malloc ? "malloc" : "heap", what, block);
    abort();
}

static void fill(struct block *block)
{
    uint32_t value = block->seed;
    for (size_t i = 0; i < block->bytes - sizeof *block; i++)
        block->rest[i] = (unsigned char)((value = value * 1664525 + 1013904223) >> 24);
}

static void check(const struct block *block, size_t bytes)
{
    uint32_t value = block->seed;
    for (size_t i = 0; i < bytes - sizeof *block; i++)
        if (block->rest[i] != (unsigned char)((value = value * 1664525 + 1013904223) >> 24))
            fail("a byte has changed", block);
}

static size_t random_size(unsigned *seed)
{
    unsigned kind = rand_r(seed) % 1000;
    size_t limit = kind < 800 ? 256 : kind < 980 ? 4000 : kind < 998 ? 60000 : 500000;
    return sizeof(struct block) + rand_r(seed) % limit;
}

static void give_back(struct block *block)
{
    check(block, block->bytes);
    if (use_malloc) {
        if (malloc_usable_size(block) < block->bytes)
            fail("the size has changed", block);
        free(block);
    } else {
        HANDLE heap = block->heap;
        if (HeapSize(heap, 0, block) != block->bytes)
            fail("the size has changed", block);
        if (!HeapFree(heap, 0, block))
            fail("HeapFree refused", block);
    }
}

static struct block *take(size_t bytes, unsigned *seed)
{
    struct block *block;
    HANDLE heap = heaps[rand_r(seed) % HEAPS];
    if (!use_malloc)
        block = HeapAlloc(heap, rand_r(seed) % 8 == 0 ? HEAP_ZERO_MEMORY : 0, bytes);
    else if (rand_r(seed) % 32 == 0)
        block = aligned_alloc((size_t)16 << rand_r(seed) % 9, bytes);
    else
        block = rand_r(seed) % 16 == 0 ? calloc(1, bytes) : malloc(bytes);
    if (block == NULL)
        fail("no memory", NULL);
    block->bytes = (uint32_t)bytes;
    block->seed = (uint32_t)rand_r(seed);
    block->heap = heap;
    fill(block);
    return block;
}

static struct block *resize(struct block *block, size_t bytes)
{
    size_t kept = bytes < block->bytes ? bytes : block->bytes;
    struct block *resized = use_malloc ? realloc(block, bytes) : HeapReAlloc(block->heap, 0, block, bytes);
    if (resized == NULL)
        fail("no memory to resize", block);
    check(resized, kept);
    resized->bytes = (uint32_t)bytes;
    fill(resized);
    return resized;
}

/* A heap of this thread's own, dropped with its blocks in it. */
static void use_own_heap(unsigned *seed)
{
    HANDLE heap = HeapCreate(0, 0, rand_r(seed) % 2 ? 0 : 256 * 1024);
    if (heap == NULL)
        fail("no heap", NULL);
    for (int i = 0; i < 50; i++) {
        void *block = HeapAlloc(heap, 0, rand_r(seed) % 3000);
        if (block == NULL)
            fail("no memory in a new heap", NULL);
    }
    if (!HeapDestroy(heap))
        fail("HeapDestroy refused", heap);
}

static void *live(void *argument)
{
    unsigned seed = (unsigned)(uintptr_t)argument;
    unsigned lifetime = 200 + rand_r(&seed) % 20000;
    long done = 0;
    while (done < lifetime && !atomic_load_explicit(&stop, memory_order_relaxed)) {
        _Atomic(struct block *) *slot = &slots[rand_r(&seed) % SLOTS];
        struct block *block = atomic_exchange(slot, NULL);
        if (block != NULL && rand_r(&seed) % 8 == 0)
            block = resize(block, random_size(&seed));
        else if (block != NULL)
            give_back(block), block = NULL;
        else
            block = take(random_size(&seed), &seed);
        if (block != NULL && (block = atomic_exchange(slot, block)) != NULL)
            give_back(block);
        if (!use_malloc && done % 2000 == 0)
            use_own_heap(&seed);
        done++;
    }
    atomic_fetch_add(&operations, done);
    atomic_fetch_add(&threads_run, 1);
    return NULL;
}

static size_t in_use(void)
{
    if (use_malloc)
        return mallinfo2().uordblks;
    size_t total = 0;
    for (int i = 0; i < HEAPS; i++) {
        HEAP_SUMMARY summary = { .cb = sizeof summary };
        if (!HeapSummary(heaps[i], 0, &summary) || !HeapValidate(heaps[i], 0, NULL))
            fail("a heap is not sound", heaps[i]);
        total += summary.cbAllocated;
    }
    return total;
}

static void run_threads(double seconds)
{
    pthread_t threads[THREADS];
    unsigned number = 0;
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, live, (void *)(uintptr_t)++number);
    do {
        for (int i = 0; i < THREADS; i++) {
            pthread_join(threads[i], NULL);
            if (pthread_create(&threads[i], NULL, live, (void *)(uintptr_t)++number) != 0)
                fail("no thread", NULL);
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((double)(now.tv_sec - start.tv_sec) + (double)(now.tv_nsec - start.tv_nsec) / 1e9 < seconds);
    atomic_store(&stop, 1);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    atomic_store(&stop, 0);
}

static void empty_slots(void)
{
    for (int i = 0; i < SLOTS; i++) {
        struct block *block = atomic_exchange(&slots[i], NULL);
        if (block != NULL)
            give_back(block);
    }
}

int main(int count, char **arguments)
{
    use_malloc = count > 1 && strcmp(arguments[1], "malloc") == 0;
    double seconds = count > 2 ? atof(arguments[2]) : 20;
    heaps[0] = GetProcessHeap();
    for (int i = 1; i < HEAPS; i++)
        heaps[i] = HeapCreate(0, 0, i == 1 ? (SIZE_T)1 << 30 : 0);
    /* Once for what threads leave behind for ever, such as the C library's stacks. */
    run_threads(0.2);
    empty_slots();
    size_t before = in_use();
    run_threads(seconds);
    empty_slots();
    size_t after = in_use();
    printf("%s: %ld operations by %ld threads\n", use_malloc ? "malloc" : "heap", atomic_load(&operations), atomic_load(&threads_run));
    if (after > before + 4096) {
        fprintf(stderr, "%zu bytes leaked\n", after - before);
        return 1;
    }
    return 0;
}
