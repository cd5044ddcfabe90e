/*
 * Measures what private heaps cost, and how cost grows. Prints "NAME VALUE UNIT" for each figure.
 *   heaps life COUNT LIBRARY       make a heap, COUNT blocks of 64 B in it, drop it whole
 *   heaps turns COUNT LIBRARY      allocate and free at once, 64 B, in each of COUNT heaps in turn
 *   heaps random COUNT LIBRARY     the same in a random one of COUNT heaps
 *   heaps age MILLIONS LIBRARY     replace random blocks of 16 B to 1 KiB among 100,000, a million times and so on
 *   heaps walk COUNT LIBRARY       visit COUNT blocks of 64 B; and of 16 B to 1 KiB, of which a third were freed
 *   heaps alive COUNT LIBRARY      make COUNT heaps, which all live, and drop some; resident memory of each: with nothing in it, and with one block of 64 B
 *   heaps live COUNT               replace random blocks of 64 B among COUNT that malloc gave
 *   heaps release MIB SECONDS      resident memory with MIB of blocks of 16 to 512 B from malloc; when they were freed; after some seconds of rest;
 *                                  after as many of light traffic
 * LIBRARY is loaded by its name and has the heap functions of Win32 or of mimalloc; malloc is the preloaded library's.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <windows.h>

static struct {
    HANDLE (*create)(DWORD, SIZE_T, SIZE_T);
    LPVOID (*alloc)(HANDLE, DWORD, SIZE_T);
    BOOL (*free)(HANDLE, DWORD, LPVOID);
    BOOL (*destroy)(HANDLE);
    BOOL (*lock)(HANDLE), (*unlock)(HANDLE);
    BOOL (*walk)(HANDLE, LPPROCESS_HEAP_ENTRY);
} win32;

typedef _Bool visitor(const void *heap, const void *area, void *block, size_t bytes, void *context);

static struct {
    void *(*create)(void);
    void *(*alloc)(void *, size_t);
    void (*free)(void *);
    void (*destroy)(void *);
    _Bool (*visit)(const void *, _Bool, visitor *, void *);
} mimalloc;

static int is_win32;

static void load(const char *name)
{
    void *library = dlopen(name, RTLD_NOW);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    win32.create = dlsym(library, "HeapCreate");
    win32.alloc = dlsym(library, "HeapAlloc");
    win32.free = dlsym(library, "HeapFree");
    win32.destroy = dlsym(library, "HeapDestroy");
    win32.lock = dlsym(library, "HeapLock");
    win32.unlock = dlsym(library, "HeapUnlock");
    win32.walk = dlsym(library, "HeapWalk");
    mimalloc.create = dlsym(library, "mi_heap_new");
    mimalloc.alloc = dlsym(library, "mi_heap_malloc");
    mimalloc.free = dlsym(library, "mi_free");
    mimalloc.destroy = dlsym(library, "mi_heap_destroy");
    mimalloc.visit = dlsym(library, "mi_heap_visit_blocks");
    is_win32 = win32.create != NULL;
}

static void *sure(void *pointer)
{
    if (!pointer)
        abort();
    return pointer;
}

/* Who uses a block writes to it. */
static void *touch(void *block)
{
    *(volatile char *)sure(block) = 1;
    return block;
}

static inline void *heap_create(void) { return sure(is_win32 ? win32.create(0, 0, 0) : mimalloc.create()); }
static inline void *heap_alloc(void *heap, size_t bytes) { return touch(is_win32 ? win32.alloc(heap, 0, bytes) : mimalloc.alloc(heap, bytes)); }
static inline void heap_free(void *heap, void *block) { is_win32 ? (void)win32.free(heap, 0, block) : mimalloc.free(block); }
static inline void heap_destroy(void *heap) { is_win32 ? (void)win32.destroy(heap) : mimalloc.destroy(heap); }

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e9 + time.tv_nsec;
}

static uint32_t next_random(void)
{
    static uint64_t seed = 1;
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return seed >> 32;
}

/* At least low, less than high. */
static inline uint32_t random_between(uint32_t low, uint32_t high) { return low + (uint32_t)((uint64_t)next_random() * (high - low) >> 32); }

/* Memory of the benchmark's own, from none of the allocators; none of it is touched later than here. */
static void *own_memory(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    return memory == MAP_FAILED ? sure(NULL) : memory;
}

static void shuffle(void **pointers, int count)
{
    for (int index = count - 1; index > 0; index--) {
        int other = random_between(0, index + 1);
        void *saved = pointers[index];
        pointers[index] = pointers[other];
        pointers[other] = saved;
    }
}

static double resident_mib(void)
{
    char text[100] = "";
    int file = open("/proc/self/statm", O_RDONLY);
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    return length <= 0 ? 0 : strtol(strchr(text, ' '), NULL, 10) * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

static void life(int count)
{
    int turns = count < 100 ? 20000 : 2000000 / count, warm = turns / 10;
    double start = 0;
    for (int turn = -warm; turn < turns; turn++) {
        if (turn == 0)
            start = now();
        void *heap = heap_create();
        for (int index = 0; index < count; index++)
            heap_alloc(heap, 64);
        heap_destroy(heap);
    }
    printf("life-%d %.1f ns\n", count, (now() - start) / turns);
}

static void pairs(const char *name, int count, int at_random)
{
    enum { PAIRS = 2000000, WARM = 40 };
    void **heaps = own_memory(count * sizeof *heaps);
    for (int index = 0; index < count; index++) {
        heaps[index] = heap_create();
        for (int pair = 0; pair < WARM; pair++)
            heap_free(heaps[index], heap_alloc(heaps[index], 64));
    }
    double start = now();
    for (int pair = 0, turn = 0; pair < PAIRS; pair++) {
        void *heap = heaps[at_random ? (int)random_between(0, count) : turn];
        turn = turn + 1 == count ? 0 : turn + 1;
        heap_free(heap, heap_alloc(heap, 64));
    }
    printf("%s-%d %.3f ns\n", name, count, (now() - start) / PAIRS);
}

static void age(int millions)
{
    enum { LIVE = 100000, MILLION = 1000000 };
    void **blocks = own_memory(LIVE * sizeof *blocks), *heap = heap_create();
    for (int index = 0; index < LIVE; index++)
        blocks[index] = heap_alloc(heap, random_between(16, 1025));
    for (int million = 1; million <= millions; million++) {
        double start = now();
        for (int pair = 0; pair < MILLION; pair++) {
            void **block = &blocks[random_between(0, LIVE)];
            heap_free(heap, *block);
            *block = heap_alloc(heap, random_between(16, 1025));
        }
        /* At 1, 2, 4, 8 ... */
        if ((million & (million - 1)) == 0)
            printf("age-%d %.3f ns\n", million, (now() - start) / MILLION);
    }
}

static _Bool count_block(const void *heap, const void *area, void *block, size_t bytes, void *context)
{
    (void)heap, (void)area, (void)bytes;
    *(long *)context += block != NULL;
    return 1;
}

static long visit_all(void *heap)
{
    long count = 0;
    if (is_win32) {
        PROCESS_HEAP_ENTRY entry = { .lpData = NULL };
        win32.lock(heap);
        while (win32.walk(heap, &entry))
            count += (entry.wFlags & PROCESS_HEAP_ENTRY_BUSY) != 0;
        win32.unlock(heap);
    } else
        mimalloc.visit(heap, 1, count_block, &count);
    return count;
}

static void walk_one(const char *name, int count, int is_mixed)
{
    void **blocks = own_memory(count * sizeof *blocks), *heap = heap_create();
    long live = 0;
    for (int index = 0; index < count; index++)
        blocks[index] = heap_alloc(heap, is_mixed ? random_between(16, 1025) : 64);
    for (int index = 0; index < count; index++)
        if (is_mixed && random_between(0, 3) == 0)
            heap_free(heap, blocks[index]);
        else
            live++;
    double start = now();
    if (visit_all(heap) != live)
        abort();
    printf("walk-%s %.3f million/s\n", name, live / (now() - start) * 1e3);
    heap_destroy(heap);
    munmap(blocks, count * sizeof *blocks);
}

static void walk(int count)
{
    walk_one("64", count, 0);
    walk_one("mixed", count, 1);
}

static void alive(int count)
{
    enum { SOME = 1000 };
    void **heaps = own_memory(count * sizeof *heaps);
    void *first = heap_create();
    heap_free(first, heap_alloc(first, 64));
    double before = resident_mib(), start = now();
    for (int index = 0; index < count; index++)
        heaps[index] = heap_create();
    printf("alive-create %.1f ns\n", (now() - start) / count);
    printf("alive-empty %.3f KiB\n", (resident_mib() - before) * 1024 / count);
    for (int index = 0; index < count; index++)
        heap_alloc(heaps[index], 64);
    printf("alive-block %.3f KiB\n", (resident_mib() - before) * 1024 / count);
    shuffle(heaps, count);
    start = now();
    for (int index = 0; index < SOME && index < count; index++)
        heap_destroy(heaps[index]);
    printf("alive-destroy %.1f ns\n", (now() - start) / SOME);
}

static void live(int count)
{
    enum { PAIRS = 2000000 };
    void **blocks = own_memory(count * sizeof *blocks);
    for (int index = 0; index < count; index++)
        blocks[index] = touch(malloc(64));
    for (int pair = -PAIRS / 4; pair < 0; pair++) {
        void **block = &blocks[random_between(0, count)];
        free(*block);
        *block = touch(malloc(64));
    }
    double start = now();
    for (int pair = 0; pair < PAIRS; pair++) {
        void **block = &blocks[random_between(0, count)];
        free(*block);
        *block = touch(malloc(64));
    }
    printf("live-%d %.3f ns\n", count, (now() - start) / PAIRS);
}

static void rest(double seconds) { nanosleep(&(struct timespec){ (time_t)seconds, (long)((seconds - (time_t)seconds) * 1e9) }, NULL); }

/* Beyond what was resident before the first block. Each block is written to its end, and they are freed in random order. */
static void release(int mib, int seconds)
{
    enum { SMALLEST = 16, LARGEST = 512 };
    size_t total = (size_t)mib << 20, bytes = 0;
    void **blocks = own_memory(total / ((SMALLEST + LARGEST) / 2 - 1) * sizeof *blocks);
    int count = 0;
    double before = resident_mib();
    for (size_t size; bytes < total; bytes += size) {
        size = random_between(SMALLEST, LARGEST + 1);
        blocks[count++] = memset(sure(malloc(size)), 1, size);
    }
    double peak = resident_mib() - before;
    shuffle(blocks, count);
    double start = now();
    for (int index = 0; index < count; index++)
        free(blocks[index]);
    double took = now() - start, freed = resident_mib() - before;
    rest(seconds);
    double rested = resident_mib() - before;
    for (double end = now() + seconds * 1e9; now() < end; rest(0.01))
        for (int call = 0; call < 1000; call++)
            free(touch(malloc(random_between(SMALLEST, LARGEST + 1))));
    printf("release-free %.1f ns\nrelease-peak %.1f MiB\nrelease-freed %.1f MiB\nrelease-rested %.1f MiB\nrelease-traffic %.1f MiB\n",
        took / count, peak, freed, rested, resident_mib() - before);
}

int main(int count, char **arguments)
{
    const char *name = count > 1 ? arguments[1] : "";
    int number = count > 2 ? atoi(arguments[2]) : 0;
    if (count != (strcmp(name, "live") == 0 ? 3 : 4) || number < 1) {
        fprintf(stderr, "heaps: see the top of heaps.c\n");
        return 2;
    }
    if (strcmp(name, "live") == 0)
        live(number);
    else if (strcmp(name, "release") == 0)
        release(number, atoi(arguments[3]));
    else {
        load(arguments[3]);
        if (strcmp(name, "life") == 0)
            life(number);
        else if (strcmp(name, "turns") == 0)
            pairs(name, number, 0);
        else if (strcmp(name, "random") == 0)
            pairs(name, number, 1);
        else if (strcmp(name, "age") == 0)
            age(number);
        else if (strcmp(name, "walk") == 0)
            walk(number);
        else if (strcmp(name, "alive") == 0)
            alive(number);
    }
    return 0;
}
