/*
 * Wrong uses of a heap, each a program of its own: "misuse list" names them, "misuse NAME" commits one of them in this process. The sources are compiled
 * twice, for the malloc face and for the heap face.
 *
 * A program sets its scene (a block, the victim, between neighbors of the same shape), commits the misuse, and if the process is still there looks at what
 * came of it (scene.c, "aftermath"). It prints one line on standard output:
 *   refused             the call failed as documented, and everything stands
 *   silent              nothing was said, and everything stands
 *   fault               each access was a fault that the program has caught, and everything stands
 *   harmful: WHAT       a block was handed out twice, changed, measured wrongly, or cannot be freed
 * Everything else (a sentence and an abort, a fault, a hang) is seen by who started it: run.
 */
#ifndef MISUSE_H
#define MISUSE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stddef.h>
#include <stdint.h>

enum { KiB = 1024, MiB = 1024 * KiB };

/* The blocks that a misuse is tried on. */
struct shape {
    const char *name;
    size_t bytes, alignment;
    int neighbor_count, later_count;
    /* Of the heap, where the face makes one. */
    unsigned heap_options;
    size_t heap_maximum;
};

/* Sets of shapes, by the place of a shape in its face's table: small, medium, 40000 bytes, large, huge, and three of the face's own. */
enum { SMALL = 1, MEDIUM = 2, LARGE = 8, HUGE = 16, LAST = 128, ALL = 255, MAPPED = LARGE | HUGE | LAST, FEW = SMALL | LARGE, SLABS = SMALL | MEDIUM, SHAPE_COUNT = 8, ONLY = 0 };

/* Of a heap that is not serialized, which is the last shape, two threads may not call for one thing at once. */
enum { SERIALIZED = HEAP_FACE ? ALL & ~LAST : ALL };

/* The thread that commits the misuse: the one that set the scene, a second one, or each of them in a program of its own. */
enum thread { SAME, OTHER, BOTH };

/*
 * A misuse and what is right to come of it, in each mode: "refused", "silent", "fault" (at the program's own access), or "stopped: PATTERN" and "told: PATTERN"
 * for a sentence that matches and an abort or none; "|" between alternatives where the outcome hangs on what lies beside the block.
 */
struct idea {
    const char *name;
    void (*commit)(void);
    unsigned shapes;
    enum thread thread;
    const char *plainly, *filled, *paged;
    const char *also; /* a check that is asked for beside those of the mode; NULL for none */
};

/* Each file of misuses has one table of them and one function that hands it to main. */
void add_ideas(const struct idea *ideas, size_t count);
#define IDEAS(table) \
    __attribute__((constructor)) static void add_table(void) { add_ideas(table, sizeof table / sizeof *table); }

/* The sentences. */
#define ALREADY_FREED "was already freed"
#define NO_BLOCK "(was already freed|points into memory that was already freed or never handed out|lies in no heap)"
#define NEVER_HERE "lies in no heap"
#define INSIDE(bytes) "points " bytes " bytes into a live block of [0-9]+ bytes"
#define OTHER_HEAP "is a live block of another heap"

/* What is right: plainly, in a heap with fills and tails, and in a page heap. */

#define STOPS_ALWAYS(pattern) "stopped: " pattern, "stopped: " pattern, "stopped: " pattern
#define STOPS_CHECKED(pattern) "refused", "stopped: " pattern, "stopped: " pattern

/* A call with a wrong address: malloc's functions stop the process, HeapFree and HeapReAlloc refuse; checked heaps stop it through any face. */
#if HEAP_FACE
#define WRONG_CALL(pattern) STOPS_CHECKED(pattern)
#else
#define WRONG_CALL(pattern) STOPS_ALWAYS(pattern)
#endif

/* A question about a wrong address, a call with a handle of no heap, a size beyond all memory. */
#define WRONG_QUESTION(pattern) STOPS_CHECKED(pattern)
#define WRONG_HANDLE STOPS_CHECKED("was given the heap .*, which is none or was destroyed")
#define WRONG_SIZE STOPS_CHECKED("which is more than any address space has")

/* What may be asked for, and cannot be had. */
#define UNSERVED "refused", "refused", "refused"

/*
 * Accesses. Plainly nobody looks; whether memory is beside a block, or still where it was, is nobody's promise. Tails and fills are looked at afterwards, and
 * so do not show reads. What lies before a block is the tail of another one, or free and filled, if it is the heap's at all: beside a mapping of its
 * own it may be nobody's. A page heap with its guard pages behind the blocks finds what was written before them when they are freed.
 */
#define OVERRUN "were overrun: "
#define AFTER_FREE "were written to after they were freed: "
#define BEYOND_END "silent|fault", "stopped: " OVERRUN, "stopped: " OVERRUN
#define FAR_BEYOND_END "silent|fault", "stopped: " OVERRUN "|fault", "stopped: " OVERRUN
#define BEFORE_START "silent|fault", "stopped: were (underrun|overrun): |stopped: " AFTER_FREE, "stopped: were (underrun|overrun): "
#define BEFORE_MAPPING "silent|fault", "stopped: were (underrun|overrun): |stopped: " AFTER_FREE "|silent|fault", "stopped: were (underrun|overrun): "
#define WRITTEN_WHILE_FREE "silent|fault", "stopped: " AFTER_FREE, "stopped: " AFTER_FREE
#define WRITTEN_WHERE_IT_WAS "silent|fault", "stopped: " AFTER_FREE "|fault", "stopped: " AFTER_FREE
#define READ_BEHIND "silent|fault", "silent|fault", "stopped: were overrun: the program read "
#define READ_WHILE_FREE "silent|fault", "silent|fault", "stopped: were read after they were freed: "

/* The memory of a heap that is gone is no heap's. */
#define WRITTEN_WHILE_GONE "silent|fault", "silent|fault", "silent|fault"

/* Looked for when the process ends, which does so as it would have. */
#define LEAK "silent", "told: blocks of .* still allocated when the process ended", "told: blocks of .* still allocated when the process ended"

/* faces: malloc.c, heap.c */

enum answer { ACCEPTED, REFUSED };
extern const struct shape shapes[SHAPE_COUNT];
void face_begin(const struct shape *shape);
void *face_allocate(const struct shape *shape);
int face_free(void *block);                        /* whether it said that it did */
enum answer face_wrong_free(void *address);        /* harmful if the failure is not the documented one */
void *face_resize(void *block, size_t bytes);
enum answer face_wrong_resize(void *address, size_t bytes);
enum answer face_wrong_size(void *address);
int face_measures(void *block, size_t bytes);      /* whether a live block has the size that was asked for */
int face_is_sound(void);
void face_trim(void);

/* the scene: scene.c */

/* The victim's first byte, and its size; the rest of the scene is the frame's. */
extern char *victim;
extern size_t victim_bytes;
extern const struct shape *shape;

void set_scene(const struct shape *shape, enum thread thread);
void aftermath(void);

/* Rightful calls; it is harm if they fail. A victim that is released is no longer looked at in the aftermath. */
char *allocate(void);
void release(void *block);
void *resize(void *block, size_t bytes);

int is_live_block(const void *address);

/* A live block that is not the victim, to be looked at and released in the aftermath. */
void adopt(void *block, size_t bytes);

/* Wrong calls, on the thread that the program is about. */
void wrong_free(void *address);
void wrong_resize(void *address);
void wrong_resize_to_nothing(void *address);
void wrong_size(void *address);

/* Wrong accesses, on that thread too. What is written counts as the expected content of whatever lies there: the program has done that, not the heap. */
void wrong_write(char *address, size_t count);
void wrong_read(const char *address, size_t count);
void caught_fault(void); /* the access was not made */

/* For calls of other kinds. */
void took(enum answer answer);
__attribute__((noreturn, format(printf, 1, 2))) void harm(const char *format, ...);

/* A second thread that lives until the end of the process, and one that ends before the call returns. */
void on_other_thread(void (*call)(void *), void *argument);
void on_passing_thread(void (*call)(void *), void *argument);

#endif
