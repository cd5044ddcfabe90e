/* What the parts of the fuzzer share. Each thread is an actor with a random sequence and a model of its own: it knows every block that it owns, exactly, and
 * so what each function must answer about it. What other threads may change meanwhile is not asked, or only whether the answer is one of the documented.
 * A part adds its actions to the table in fuzz.c: one for each exported function. */
#ifndef FUZZ_H
#define FUZZ_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <windows.h>

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { UNTOUCHED = 0xBEEF, KiB = 1024, MiB = 1024 * 1024, PAGE = 4096 };
#define NO_SIZE ((SIZE_T)-1)

/* Heaps that all threads use: the process heap, a growable one and a bounded one. Behind them in an actor's list come its own. */
enum { SHARED_HEAPS = 3, OWN_HEAPS = 5, HEAPS = SHARED_HEAPS + OWN_HEAPS, DEAD = 16, BLOCKS = 250, FREED = 32 };

/* Flags of calls that hold for every call on a heap that RtlCreateHeap made with them. */
#define FORCED_FLAGS (HEAP_ZERO_MEMORY | HEAP_REALLOC_IN_PLACE_ONLY)

struct heap {
    HANDLE handle;    /* NULL: no heap yet */
    DWORD options;    /* those that count: HEAP_NO_SERIALIZE, HEAP_GENERATE_EXCEPTIONS and, from RtlCreateHeap, FORCED_FLAGS */
    SIZE_T maximum;   /* 0: grows */
    int locks;        /* of this thread */
    int front_end;    /* 2 after it was asked for */
    unsigned char *freed[FREED]; /* of an own heap: addresses of blocks that were freed, as far as they are not live again */
};

struct block {
    struct heap *heap;
    unsigned char *address, fill; /* each byte of the block is fill */
    SIZE_T bytes;
    int has_value; /* 1: allocated so that a value can be attached, which is the next; 0: not so; -1: nobody knows */
    void *value;
};

struct handle_model; /* a block of GlobalAlloc or LocalAlloc */
struct pages_model;  /* a reservation of VirtualAlloc */

struct actor {
    uint64_t random;
    int index;
    long step;
    const char *volatile function; /* being called; for messages */
    struct heap heaps[HEAPS];
    HANDLE dead[DEAD];
    struct block blocks[BLOCKS];
    int block_count;
    SIZE_T live_bytes;
    DWORD raised;    /* by the last guarded call, 0 if it returned */
    int is_guarded;
    jmp_buf place;
    struct handle_model *handles;
    struct pages_model *pages;
};

extern struct heap shared_heaps[SHARED_HEAPS];
extern int thread_count, is_observed_contract;
extern int favorite_heap; /* a shared one, to which seven of eight calls go, so that the threads meet there; SHARED_HEAPS: none */
extern __thread struct actor *self;

/* Ends the program with everything that is needed to see the failure again. */
void fail(struct actor *actor, const char *file, int line, const char *fact) __attribute__((noreturn));
#define MUST(fact) \
    do { \
        if (!(fact)) \
            fail(actor, __FILE__, __LINE__, #fact); \
    } while (0)

/* The last error is one of the list that 0xFFFFFFFF ends. */
int error_is_in(const DWORD *codes);
#define MUST_LEAVE(...) MUST(error_is_in((const DWORD[]){ __VA_ARGS__, 0xFFFFFFFF }))
static inline void forget_error(void) { SetLastError(UNTOUCHED); }

/* Random numbers: below a limit; 64 bits; true once in so many times; one of several. */
uint64_t random_bits(struct actor *actor);
static inline unsigned below(struct actor *actor, unsigned limit) { return (unsigned)(random_bits(actor) >> 32) % limit; }
static inline int once_in(struct actor *actor, unsigned times) { return below(actor, times) == 0; }
#define ONE_OF(type, ...) (((const type[]){ __VA_ARGS__ })[below(actor, sizeof((const type[]){ __VA_ARGS__ }) / sizeof(type))])

/* Pools. */
SIZE_T random_size(struct actor *actor);
DWORD random_flags(struct actor *actor, const struct heap *heap); /* all bits that this thread may use; heap NULL: no heap, so any */
HANDLE bad_handle(struct actor *actor);                           /* of no heap, never NULL */
struct heap *any_heap(struct actor *actor);                       /* a live one */
struct heap *own_heap(struct actor *actor);                       /* a live one of this actor's, or NULL */
struct block *any_block(struct actor *actor);                     /* or NULL */
void *no_block_of(struct actor *actor, const struct heap *heap);  /* an address at which no block of the heap starts, never NULL */
void *nobodys_address(struct actor *actor);                       /* at which nothing starts that any function knows, and nothing can be read */

/* The model of blocks. */
struct block *add_block(struct actor *actor, struct heap *heap, void *address, SIZE_T bytes);
void remove_block(struct actor *actor, struct block *block, int is_freed);
void check_block(struct actor *actor, const struct block *block);
void fill_block(struct actor *actor, struct block *block);
int all_bytes(const void *block, SIZE_T count, unsigned char value);

/* Calls that may raise; raised is what they raised. */
typedef void *allocation(HANDLE heap, DWORD flags, SIZE_T bytes);
typedef void *reallocation(HANDLE heap, DWORD flags, void *block, SIZE_T bytes);
void *guarded_allocate(struct actor *actor, allocation *allocate, HANDLE heap, DWORD flags, SIZE_T bytes);
void *guarded_reallocate(struct actor *actor, reallocation *reallocate, HANDLE heap, DWORD flags, void *block, SIZE_T bytes);
void on_raise(DWORD code, HANDLE heap, SIZE_T bytes, void *context);

/* What an actor does once: calls the function, checks the answer. */
struct action { const char *function; void (*run)(struct actor *actor); int weight; };
struct part { const struct action *actions; int count; };
extern const struct part block_part, heap_part, information_part, exchange_part, contest_part, moveable_part, page_part, rtl_part, error_part, system_part;
#define PART(name, actions) const struct part name = { actions, sizeof actions / sizeof *actions }

/* Behind the last step: everything that is left is sound, and is given back. */
void finish_blocks(struct actor *actor);
void finish_handles(struct actor *actor);
void finish_pages(struct actor *actor);
void finish_exchange(struct actor *actor); /* when the others have ended */
void finish_contests(void);

/* Functions that change the process for good, each in a child; call it before there are threads. Their names: */
extern const char *const special_functions[];
void run_special_functions(void);

#endif
