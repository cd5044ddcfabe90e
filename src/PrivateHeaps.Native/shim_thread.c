/* The calling thread's state from its first call to its end, and fork. */
#include "shim_thread.h"
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The head of ThreadCache twice: the handle it has served last, and Busy, which keeps the fast paths from reading on. A handle that one of the two has there leads to the
 * other one, as in Threads.cs. */
static struct { intptr_t handle, busy; char rest[256]; } closed_cache = { 0, -1, "" }, last_cache = { 0, 1, "" };
static void *closed_table[] = { &closed_cache, &last_cache };
static struct ph_thread empty_thread = { .table = closed_table, .process = &closed_cache, .mask = sizeof *closed_table };

/* Sixty-four bytes in all and one line of memory, shared with the last error in shim_heap.c and the innermost __try block in shim_raise.c: a library loaded by dlopen gets its thread-local block from a small
 * reserve. Initial-exec, so that reading it is one instruction and never allocates. */
__thread struct ph_thread *ph_thread __attribute__((tls_model("initial-exec"))) = &empty_thread;
__thread struct ph_near ph_near __attribute__((tls_model("initial-exec"), aligned(64))) = { closed_table, &closed_cache, sizeof *closed_table };
static __thread int ended __attribute__((tls_model("initial-exec")));

static pthread_key_t key;
static int key_made;

/* A thread's state is made and given back in many steps, and a signal handler that came between two of them and called would wait for its own thread. */
static unsigned long long set_signals(unsigned long long mask)
{
    unsigned long long before = 0;
    int saved = errno;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, &before, sizeof mask);
    errno = saved;
    return before;
}

/* But for those that an instruction raises: held, they would end the process. */
unsigned long long ph_hold_signals(void)
{
    static const int raised[] = { SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS };
    unsigned long long mask = ~0ULL;
    for (size_t i = 0; i < sizeof raised / sizeof *raised; i++)
        mask &= ~(1ULL << (raised[i] - 1));
    return set_signals(mask);
}

void ph_release_signals(unsigned long long held) { set_signals(held); }

/* The mask comes last: a signal handler in between must not reach past a table that is still the shorter one. */
void ph_near_set(struct ph_thread *state)
{
    ph_near.table = state->table;
    ph_near.process = state->process;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    ph_near.mask = state->mask;
}

/* The value of the key counts the rounds in which pthreads runs destructors. Those of other keys may allocate and free, so ours puts
 * itself off to the last round. A call after that finds the empty state and is served without caches. */
static void thread_ends(void *round)
{
    if ((intptr_t)round < PTHREAD_DESTRUCTOR_ITERATIONS && pthread_setspecific(key, (char *)round + 1) == 0)
        return;
    unsigned long long held = ph_hold_signals();
    struct ph_thread *state = ph_thread;
    ended = 1;
    ph_thread = &empty_thread;
    ph_near_set(&empty_thread);
    ph_thread_detach(state);
    ph_release_signals(held);
}

/* The state is set first: pthread_setspecific allocates where a program has many keys. */
void ph_thread_set(struct ph_thread *state)
{
    ph_thread = state;
    if (key_made)
        pthread_setspecific(key, (void *)1);
}

struct ph_thread *ph_thread_calling(void) { return ph_thread; }
struct ph_thread *ph_thread_attached(void) { return ph_thread == &empty_thread ? NULL : ph_thread; }
void *ph_thread_words(void) { return &ph_near; }
int ph_thread_ended(void) { return ended; }

static void before_fork(void) { ph_fork_prepare(ph_thread); }
static void after_fork_in_parent(void) { ph_fork_parent(ph_thread); }
static void after_fork_in_child(void) { ph_fork_child(ph_thread); }

/* Before all others, if that can be (see shim_fork.c), so that the handlers of everyone else find working heaps. */
void ph_register_fork_handlers(void)
{
    static int registered;
    if (!__atomic_exchange_n(&registered, 1, __ATOMIC_RELAXED))
        pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

/* Early among the constructors. Calls may have come before this; their thread gets the key's value late. */
__attribute__((constructor(101))) static void library_starts(void)
{
    key_made = pthread_key_create(&key, thread_ends) == 0;
    if (ph_thread != &empty_thread)
        ph_thread_set(ph_thread);
    ph_register_fork_handlers();
}
