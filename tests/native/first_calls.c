/* Signals in the midst of a first call: of the process, which starts the engine, and of a thread, which makes its state and its cache. A handler that allocates there
 * must not wait for its own thread. This program has a function syscall of its own, by which the library calls the system: a signal comes before each of those calls. */
#include "check.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/syscall.h>

static volatile int armed, calls, handled;

static long call_system(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
    return result;
}

long syscall(long number, ...)
{
    va_list list;
    va_start(list, number);
    long a = va_arg(list, long), b = va_arg(list, long), c = va_arg(list, long), d = va_arg(list, long), e = va_arg(list, long), f = va_arg(list, long);
    va_end(list);
    if (armed) {
        calls++;
        call_system(SYS_tgkill, getpid(), call_system(SYS_gettid, 0, 0, 0, 0, 0, 0), SIGUSR1, 0, 0, 0);
    }
    long result = call_system(number, a, b, c, d, e, f);
    if (result < 0 && result > -4096) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

static void allocate_in_handler(int signal)
{
    (void)signal;
    int was_armed = armed;
    armed = 0;
    void *block = malloc(100);
    CHECK(block != NULL);
    free(block);
    handled++;
    armed = was_armed;
}

static void call_first(void)
{
    armed = 1;
    void *block = malloc(40);
    void *other = malloc(5000);
    armed = 0;
    CHECK(block != NULL && other != NULL && block != other);
    memset(block, 1, 40);
    memset(other, 2, 5000);
    CHECK(all_bytes(block, 40, 1));
    free(block);
    free(other);
    CHECK(calls > 0);
    CHECK(handled > 0);
}

static void *call_once(void *ignored)
{
    free(malloc(40));
    return ignored;
}

static void handle_signals(void)
{
    struct sigaction action = { .sa_handler = allocate_in_handler };
    sigaction(SIGUSR1, &action, NULL);
    alarm(20);
}

TEST("a signal handler may allocate in the midst of the first call of the process")
{
    handle_signals();
    call_first();
}

TEST("signal handlers may allocate from before the first call of a thread to its end")
{
    handle_signals();
    for (int turn = 0; turn < 4000; turn++) {
        pthread_t thread;
        CHECK_EQUAL(0, pthread_create(&thread, NULL, call_once, NULL));
        for (int signal = 0; signal < 30; signal++)
            pthread_kill(thread, SIGUSR1);
        pthread_join(thread, NULL);
    }
    CHECK(handled > 4000);
}
