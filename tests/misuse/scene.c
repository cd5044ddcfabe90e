/* The blocks around a misuse, the calls that a misuse is made of, and what is looked at afterwards. */
#include "misuse.h"
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_BLOCKS = 2000, MOST_WRITES = 1500, FILLED_WHOLE = 64 * KiB, EDGE_BYTES = 4096 };

struct block {
    char *start;
    size_t bytes;
    unsigned seed;
    int is_live;
};

char *victim;
size_t victim_bytes;
const struct shape *shape;

static struct block blocks[MOST_BLOCKS];
static int block_count;
static struct { char *start; size_t count; } writes[MOST_WRITES];
static int write_count, access_count, fault_count, accepted_count, refused_count;
static enum thread scene_thread;

static void say(int file, const char *text)
{
    if (write(file, text, strlen(text)) < 0)
        _exit(99);
}

void harm(const char *format, ...)
{
    char text[200] = "harmful: ";
    size_t length = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + length, sizeof text - length - 1, format, arguments);
    va_end(arguments);
    strcat(text, "\n");
    say(STDOUT_FILENO, text);
    _exit(0);
}

void took(enum answer answer)
{
    if (answer == REFUSED)
        refused_count++;
    else
        accepted_count++;
}

/* What is in a block: bytes that differ from block to block and from place to place. */

static unsigned char content(const struct block *block, size_t i) { return (unsigned char)(block->seed * 37 + i * 11 + i / 256 + 1); }

/* Of a great block only the first and last page are written. */
static size_t next_byte(const struct block *block, size_t i)
{
    return block->bytes > FILLED_WHOLE && i + 1 == EDGE_BYTES ? block->bytes - EDGE_BYTES : i + 1;
}

static int was_written_wrongly(const char *address)
{
    for (int i = 0; i < write_count; i++)
        if ((uintptr_t)(address - writes[i].start) < writes[i].count)
            return 1;
    return 0;
}

static void fill(struct block *block)
{
    for (size_t i = 0; i < block->bytes; i = next_byte(block, i))
        block->start[i] = (char)content(block, i);
}

static void look_at(const struct block *block)
{
    for (size_t i = 0; i < block->bytes; i = next_byte(block, i))
        if ((unsigned char)block->start[i] != content(block, i) && !was_written_wrongly(block->start + i))
            harm("byte %zu of a live block of %zu bytes has changed", i, block->bytes);
    if (!face_measures(block->start, block->bytes))
        harm("a live block of %zu bytes has another size", block->bytes);
}

static struct block *keep(char *start, size_t bytes)
{
    if (start == NULL)
        harm("no block of %zu bytes could be had", bytes);
    if (block_count == MOST_BLOCKS)
        harm("the scene has too many blocks");
    struct block *block = &blocks[block_count++];
    *block = (struct block){ .start = start, .bytes = bytes, .seed = (unsigned)block_count, .is_live = 1 };
    return block;
}

static struct block *live_block(const void *start)
{
    for (int i = 0; i < block_count; i++)
        if (blocks[i].is_live && blocks[i].start == start)
            return &blocks[i];
    return NULL;
}

int is_live_block(const void *address) { return live_block(address) != NULL; }

/* Rightful calls. */

char *allocate(void)
{
    struct block *block = keep(face_allocate(shape), shape->bytes);
    if ((uintptr_t)block->start % shape->alignment != 0)
        harm("a block is not aligned to %zu", shape->alignment);
    fill(block);
    return block->start;
}

void adopt(void *start, size_t bytes) { fill(keep(start, bytes)); }

void release(void *start)
{
    struct block *block = live_block(start);
    if (block != NULL)
        block->is_live = 0;
    if (!face_free(start))
        harm("a live block could not be freed");
}

void *resize(void *start, size_t bytes)
{
    struct block *block = live_block(start);
    size_t kept = block->bytes < bytes ? block->bytes : bytes;
    block->start = face_resize(start, bytes);
    if (block->start == NULL)
        harm("a live block could not be resized to %zu bytes", bytes);
    for (size_t i = 0; i < kept && i < EDGE_BYTES; i++)
        if ((unsigned char)block->start[i] != content(block, i))
            harm("byte %zu has changed in a resize to %zu bytes", i, bytes);
    block->bytes = bytes;
    fill(block);
    return block->start;
}

/* Threads. The one for the whole program is made before the scene, so that the making of it disturbs nothing there. */

struct errand {
    void (*call)(void *);
    void *argument;
};

static struct errand errand;
static pthread_barrier_t begins, ends;

static void *serve(void *unused)
{
    (void)unused;
    for (;;) {
        pthread_barrier_wait(&begins);
        errand.call(errand.argument);
        pthread_barrier_wait(&ends);
    }
    return NULL;
}

static void start_other_thread(void)
{
    pthread_t thread;
    if (pthread_barrier_init(&begins, NULL, 2) != 0 || pthread_barrier_init(&ends, NULL, 2) != 0 || pthread_create(&thread, NULL, serve, NULL) != 0)
        harm("no thread could be made");
}

void on_other_thread(void (*call)(void *), void *argument)
{
    errand = (struct errand){ call, argument };
    pthread_barrier_wait(&begins);
    pthread_barrier_wait(&ends);
}

static void *run_errand(void *argument)
{
    struct errand *passing = argument;
    passing->call(passing->argument);
    return NULL;
}

void on_passing_thread(void (*call)(void *), void *argument)
{
    pthread_t thread;
    struct errand passing = { call, argument };
    if (pthread_create(&thread, NULL, run_errand, &passing) != 0 || pthread_join(thread, NULL) != 0)
        harm("no thread could be made");
}

static void on_scene_thread(void (*call)(void *), void *argument)
{
    if (scene_thread == OTHER)
        on_other_thread(call, argument);
    else
        call(argument);
}

/* Wrong calls. */

static void call_free(void *address) { took(face_wrong_free(address)); }
static void call_resize(void *address) { took(face_wrong_resize(address, shape->bytes + shape->bytes / 2)); }
static void call_resize_to_nothing(void *address) { took(face_wrong_resize(address, 0)); }
static void call_size(void *address) { took(face_wrong_size(address)); }

void wrong_free(void *address) { on_scene_thread(call_free, address); }
void wrong_resize(void *address) { on_scene_thread(call_resize, address); }
void wrong_resize_to_nothing(void *address) { on_scene_thread(call_resize_to_nothing, address); }
void wrong_size(void *address) { on_scene_thread(call_size, address); }

/* Wrong accesses. Who started the program knows by the two lines whether a fault was at the access. */

struct access {
    volatile char *address;
    size_t count;
};

static void call_write(void *argument)
{
    struct access *access = argument;
    for (size_t i = 0; i < access->count; i++)
        access->address[i] = (char)(0x51 + i);
}

static void call_read(void *argument)
{
    struct access *access = argument;
    for (size_t i = 0; i < access->count; i++)
        (void)access->address[i];
}

static void access_wrongly(void (*call)(void *), const char *address, size_t count)
{
    struct access access = { (volatile char *)address, count };
    say(STDERR_FILENO, "misuse: access\n");
    on_scene_thread(call, &access);
    say(STDERR_FILENO, "misuse: access made\n");
    access_count++;
}

void wrong_write(char *address, size_t count)
{
    writes[write_count].start = address;
    writes[write_count++].count = count;
    access_wrongly(call_write, address, count);
}

void wrong_read(const char *address, size_t count) { access_wrongly(call_read, address, count); }

void caught_fault(void) { fault_count++; }

/* The whole. */

void set_scene(const struct shape *wanted, enum thread thread)
{
    shape = wanted;
    scene_thread = thread;
    start_other_thread();
    face_begin(shape);
    for (int i = 0; i < shape->neighbor_count; i++) {
        if (i == shape->neighbor_count / 2)
            victim = allocate();
        allocate();
    }
    victim_bytes = shape->bytes;
}

static int by_start(const void *first, const void *second)
{
    const struct block *one = first, *other = second;
    return (one->start > other->start) - (one->start < other->start);
}

/* Sorts the table, with the dead blocks last, in memory that is not the heap's. */
static void look_for_overlaps(void)
{
    static struct block sorted[MOST_BLOCKS];
    int count = 0;
    for (int i = 0; i < block_count; i++)
        if (blocks[i].is_live)
            sorted[count++] = blocks[i];
    /* An insertion sort: qsort may allocate. */
    for (int i = 1; i < count; i++) {
        struct block moved = sorted[i];
        int place = i;
        for (; place > 0 && by_start(&sorted[place - 1], &moved) > 0; place--)
            sorted[place] = sorted[place - 1];
        sorted[place] = moved;
    }
    for (int i = 1; i < count; i++)
        if (sorted[i - 1].start + (sorted[i - 1].bytes != 0 ? sorted[i - 1].bytes : 1) > sorted[i].start)
            harm("two live blocks overlap");
}

void aftermath(void)
{
    for (int i = 0; i < block_count; i++)
        if (blocks[i].is_live)
            look_at(&blocks[i]);
    int scene_count = block_count;
    for (int i = 0; i < shape->later_count; i++)
        keep(face_allocate(shape), shape->bytes);
    look_for_overlaps();
    /* From here on a wrong write is no excuse for what is in the new blocks. */
    for (int i = scene_count; i < block_count; i++)
        fill(&blocks[i]);
    for (int i = 0; i < block_count; i++) {
        if (i == scene_count)
            write_count = 0;
        if (blocks[i].is_live)
            look_at(&blocks[i]);
    }
    for (int i = 0; i < block_count; i++)
        if (blocks[i].is_live)
            release(blocks[i].start);
    if (!face_is_sound())
        harm("the heap does not validate");
    int all_faulted = fault_count != 0 && access_count == 0, all_refused = refused_count != 0 && accepted_count == 0;
    say(STDOUT_FILENO, all_faulted ? "fault\n" : all_refused ? "refused\n" : "silent\n");
}
