/* What the parts of "decide" share: the model, which knows every live block of every heap, and so the answer to every call before it is made.
 * One thread at a time takes steps, so the model needs no lock; which one, and what it does, is decided by the seed alone. */
#ifndef DECIDE_H
#define DECIDE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <windows.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { UNTOUCHED = 0xBEEF, KiB = 1024, MiB = 1024 * 1024, PAGE = 4096 };
#define NO_SIZE ((SIZE_T)-1)

/* Heap 0 is the process heap, which is malloc's, too. The C library has blocks there that the model does not know. */
enum { PROCESS, HEAPS = 8, BLOCKS = 3000, DEAD = 1000, LIVE_LIMIT = 48 * MiB };

struct heap {
    HANDLE handle, last; /* NULL: no heap now; the handle of the last one that was here and is none now */
    DWORD options;
    SIZE_T maximum; /* 0: grows */
};

struct block {
    int heap;
    unsigned char *address, fill;
    SIZE_T bytes;
    int next;  /* in its chain */
    int place; /* in the list of live blocks */
};

extern struct heap heaps[HEAPS];
extern struct block blocks[BLOCKS];
extern int live[BLOCKS], live_count;
extern SIZE_T live_bytes;

/* model.c */
void make_model(void);
int block_at(const void *address);   /* the live block that starts there, or -1 */
int block_around(const void *address); /* the live block that has the byte, or -1 */
int add_block(int heap, void *address, SIZE_T bytes);
void remove_block(int index);
void check_block(int index);
void fill_block(int index);
void check_zero(const unsigned char *block, SIZE_T from, SIZE_T to);
void check_kept(const unsigned char *address, SIZE_T kept, const struct block *before); /* the first bytes of a block that was resized */
void forget_heap(int heap);
void check_heap(int heap); /* every block, the walk, the sums; not for the process heap */

/* Blocks that were freed. */
struct dead_block { unsigned char *address; SIZE_T bytes; int heap; };
extern struct dead_block dead[DEAD];
extern int dead_count;
void forget_dead_of_process(void); /* the C library may have taken their places */

/* addresses.c: an address of any kind; is_certain is 0 if a block of the C library may start there. Never NULL. */
void *any_address(int *is_certain);

/* actions.c, refusals.c */
struct action { void (*run)(void); unsigned weight; };
extern const struct action actions[];
extern const int action_count;
extern long decided[2]; /* addresses that were no blocks of the heap, and that were */
void resize_block(int index, int by_malloc);
void end_by_malloc(void);

/* decide.c: randomness, and the end */
uint64_t random_bits(void);
static inline unsigned below(unsigned limit) { return (unsigned)(random_bits() >> 32) % limit; }
static inline int once_in(unsigned times) { return below(times) == 0; }
#define ONE_OF(type, ...) (((const type[]){ __VA_ARGS__ })[below(sizeof((const type[]){ __VA_ARGS__ }) / sizeof(type))])
SIZE_T random_size(void);

/* Says which call comes next; the last ones are printed when one was answered wrongly. */
void calling(const char *function, int heap, const void *address, SIZE_T bytes);
void fail(const char *file, int line, const char *fact) __attribute__((noreturn));
#define MUST(fact) \
    do { \
        if (!(fact)) \
            fail(__FILE__, __LINE__, #fact); \
    } while (0)

#endif
