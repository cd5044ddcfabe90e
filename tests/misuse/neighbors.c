/*
 * Accesses beyond blocks that have mappings of their own, at every place where something else than such a block lies: between the blocks of a long row the heap
 * gets all that makes it map memory for itself (heaps, handles, threads, tables that grow). The access has to be a fault wherever the heap's own memory
 * may be. After it the program goes on, so that all places are tried and the heap is looked at.
 */
#include "misuse.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { REACH = 4096, MOST_BLOCKS = 1300, HEAPS = 200, THREADS = 8, MOST_RANGES = 1000 };
static const size_t row_bytes = 400 * (size_t)MiB;

static char *row[MOST_BLOCKS];
static int row_count;

/* What was there before the row: of the program, its libraries and their threads, besides the heap. An overrun into that is damage of another kind. */
static struct { uintptr_t start, end; } old[MOST_RANGES];
static int old_count;

static void note_old(void)
{
    static char text[256 * KiB];
    size_t length = 0;
    int file = open("/proc/self/maps", O_RDONLY);
    for (ssize_t count; length < sizeof text - 1 && (count = read(file, text + length, sizeof text - 1 - length)) > 0;)
        length += (size_t)count;
    close(file);
    for (char *line = text; *line != 0 && old_count < MOST_RANGES;) {
        uintptr_t start = strtoul(line, &line, 16), end = strtoul(line + 1, &line, 16);
        if (line[1] == 'r') {
            old[old_count].start = start;
            old[old_count++].end = end;
        }
        while (*line != 0 && *line++ != '\n')
            ;
    }
}

static int is_old(uintptr_t address)
{
    for (int i = 0; i < old_count; i++)
        if (address >= old[i].start && address < old[i].end)
            return 1;
    return 0;
}

/* Threads that are there before the row, and call for the first time in it. */

static sem_t begins[THREADS], ends;

static void *call_first(void *begin)
{
    sem_wait(begin);
    for (int i = 0; i < 100; i++)
        free(malloc((size_t)i * 100));
    sem_post(&ends);
    pause();
    return NULL;
}

static void start_threads(void)
{
    sem_init(&ends, 0, 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;
        if (sem_init(&begins[i], 0, 0) != 0 || pthread_create(&thread, NULL, call_first, &begins[i]) != 0)
            harm("no thread could be made");
    }
}

/* What the heap maps memory for; the C library's has none of it. */
static void stir(int step, int steps)
{
    static int heap_count, thread_count;
    void *(*create)(unsigned, size_t, size_t) = (void *(*)(unsigned, size_t, size_t))dlsym(RTLD_DEFAULT, "HeapCreate");
    void *(*heap_allocate)(void *, unsigned, size_t) = (void *(*)(void *, unsigned, size_t))dlsym(RTLD_DEFAULT, "HeapAlloc");
    void *(*global_allocate)(unsigned, size_t) = (void *(*)(unsigned, size_t))dlsym(RTLD_DEFAULT, "GlobalAlloc");
    if (thread_count * steps < THREADS * step) {
        sem_post(&begins[thread_count++]);
        sem_wait(&ends);
    }
    for (; create != NULL && heap_count * steps < HEAPS * step; heap_count++)
        if (heap_allocate(create(0, 0, 0), 0, 100) == NULL || (heap_count % 20 == 10 && global_allocate(2, 100) == NULL))
            harm("no heap or handle could be made");
}

static void make_row(void)
{
    size_t each = shape->bytes > shape->alignment ? shape->bytes : shape->alignment;
    int count = row_bytes / each < MOST_BLOCKS ? (int)(row_bytes / each) : MOST_BLOCKS;
    start_threads();
    /* The first heap reserves a range that all the others have room in, whose end nobody reaches. What is accessible there holds blocks. */
    stir(1, HEAPS);
    note_old();
    for (; row_count < count; row_count++) {
        stir(row_count, count);
        row[row_count] = allocate();
    }
}

static uintptr_t first_page(const char *block) { return (uintptr_t)block & ~(uintptr_t)4095; }
static uintptr_t end_of_pages(const char *block) { return ((uintptr_t)block + shape->bytes + 4095) & ~(uintptr_t)4095; }

static int is_beside_block(const char *block, int behind)
{
    for (int i = 0; i < row_count; i++)
        if (behind ? first_page(row[i]) == end_of_pages(block) : end_of_pages(row[i]) == first_page(block))
            return 1;
    return 0;
}

static sigjmp_buf after_fault;

static void on_fault(int number) { siglongjmp(after_fault, number); }

/* A heap that catches faults to name them has them. */
static void catch_faults(void)
{
    struct sigaction ours = { .sa_handler = on_fault }, others;
    sigaction(SIGSEGV, NULL, &others);
    if (others.sa_handler == SIG_DFL)
        sigaction(SIGSEGV, &ours, NULL);
}

static void try_write(char *address)
{
    if (sigsetjmp(after_fault, 1) == 0)
        wrong_write(address, REACH);
    else
        caught_fault();
}

static void write_beside_row(int behind)
{
    make_row();
    catch_faults();
    for (volatile int i = 0; i < row_count; i++) {
        uintptr_t beside = behind ? end_of_pages(row[i]) : first_page(row[i]) - 1;
        if (!is_beside_block(row[i], behind) && !is_old(beside))
            try_write(behind ? row[i] + shape->bytes : row[i] - REACH);
    }
    signal(SIGSEGV, SIG_DFL);
}

static void write_behind_row(void) { write_beside_row(1); }
static void write_before_row(void) { write_beside_row(0); }

/* In the heap face the large shape lies in a region with others. */
#define IN_ROWS (HEAP_FACE ? HUGE : MAPPED)

static const struct idea ideas[] = {
    { "write of 4096 bytes behind blocks beside the heap's own memory", write_behind_row, IN_ROWS, SAME, "fault", "stopped: " OVERRUN, "stopped: " OVERRUN },
    { "write of 4096 bytes before blocks beside the heap's own memory", write_before_row, IN_ROWS, SAME, "fault", "fault", "stopped: were (underrun|overrun): " },
};
IDEAS(ideas)
