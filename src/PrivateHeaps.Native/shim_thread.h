/* What every part of the shim shares: the calling thread's state, and the C# functions of Exports.cs.
 *
 * The state belongs to the engine (ThreadState in src/PrivateHeaps/Heaps); C knows only its head. ph_thread is never null: a thread that
 * has not called yet, or has ended, has the empty state, whose table has one entry that, as its process cache, answers to no handle, so
 * that every call of it takes the slow path without a test on the fast one. */
#ifndef PH_SHIM_THREAD_H
#define PH_SHIM_THREAD_H

#include <stddef.h>

struct ph_thread {
    void *table;
    void *process;
    size_t mask;
    unsigned failure; /* HeapFailure of the last refused call */
    unsigned pending; /* NTSTATUS that the face must raise now, or 0 */
    char rest[480];
};

extern __thread struct ph_thread *ph_thread __attribute__((tls_model("initial-exec")));

/* The head of the state once more, where the calls made most often find it without a look at the state: a load less on the way to the cache, which the rest of the call waits for. */
struct ph_near { void *table; void *process; size_t mask; };
extern __thread struct ph_near ph_near __attribute__((tls_model("initial-exec")));
static inline void *ph_cache_for(void *heap) { return *(void **)((char *)ph_near.table + ((size_t)heap & ph_near.mask)); }

/* For C#: declared in Platform/Host.cs. */
void ph_thread_set(struct ph_thread *state);
struct ph_thread *ph_thread_attached(void);
struct ph_thread *ph_thread_calling(void);
void ph_near_set(struct ph_thread *state);
void *ph_thread_words(void);
int ph_thread_ended(void);
unsigned long long ph_hold_signals(void);
void ph_release_signals(unsigned long long held);

/* The body of a function that calls the system: the result, and errno as it was. */
#define KEEPING_ERRNO(type, expression) \
    do { int saved = errno; type result = (type)(expression); errno = saved; return result; } while (0)

/* Registers this library's handlers of fork, the first time. */
void ph_register_fork_handlers(void);

/* Text to standard error as it is. */
void ph_write_error(const char *text, size_t bytes);

/* The end of a process that runs no destructors: a last look at its checked heaps. */
void ph_checks_end(int with_leaks);

/* One line "privateheaps: ..." to standard error in one write. */
void ph_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* From C#: Exports.cs. */
void ph_thread_detach(struct ph_thread *);
void ph_fork_prepare(struct ph_thread *);
void ph_fork_parent(struct ph_thread *);
void ph_fork_child(struct ph_thread *);

#endif
