/* Every call of the library to the system goes through syscall(2), which this program defines before the C library's: so a test chooses which of them is refused. */
#ifndef FAULTS_H
#define FAULTS_H

#include "check.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum { UNTOUCHED_ERRNO = 4711, ALL_CALLS = -1 };

/* What madvise does when it is to give contents back. */
enum answer { WORKS, FAILS, DOES_NOTHING };

static long refused_number = 0; /* of the system call, 0 for none, or ALL_CALLS */
static int calls_before, stays, refusals, last_refused;
static enum answer advice = WORKS;

static const struct { const char *name; long number; } memory_calls[] = {
    { "mmap", SYS_mmap }, { "munmap", SYS_munmap }, { "mprotect", SYS_mprotect }, { "madvise", SYS_madvise }, { "mremap", SYS_mremap },
    { "any call", ALL_CALLS },
};
enum { MEMORY_CALLS = sizeof memory_calls / sizeof *memory_calls };

static int memory_call(long number)
{
    for (int i = 0; i < MEMORY_CALLS; i++)
        if (memory_calls[i].number == number)
            return i;
    return -1;
}

/* Of these calls from now on, the one with this number (from 1) is refused; all that come after it too, if memory stays away. */
static void refuse(long number, int count, int until_restored)
{
    refused_number = number;
    calls_before = count;
    stays = until_restored;
}

static void restore(void) { refused_number = 0; }

static int is_refused(long number)
{
    int call = memory_call(number);
    if (call < 0 || (number != refused_number && refused_number != ALL_CALLS) || (--calls_before != 0 && (!stays || calls_before > 0)))
        return 0;
    refusals++;
    last_refused = call;
    return 1;
}

static long to_the_kernel(long number, long first, long second, long third, long fourth, long fifth, long sixth)
{
    register long r10 __asm__("r10") = fourth, r8 __asm__("r8") = fifth, r9 __asm__("r9") = sixth;
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(first), "S"(second), "d"(third), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
    return result;
}

/* "REFUSE=NUMBER COUNT STAYS" in the environment refuses from the first call of the process on, when the C library does not know its environment yet. */
static void look_at_environment(void)
{
    static char text[65536];
    long file = to_the_kernel(SYS_openat, AT_FDCWD, (long)"/proc/self/environ", O_RDONLY, 0, 0, 0);
    long length = to_the_kernel(SYS_read, file, (long)text, sizeof text - 1, 0, 0, 0);
    to_the_kernel(SYS_close, file, 0, 0, 0, 0, 0);
    for (char *entry = text; entry < text + length; entry += strlen(entry) + 1) {
        int number, count, until_restored;
        if (sscanf(entry, "REFUSE=%d %d %d", &number, &count, &until_restored) == 3)
            refuse(number, count, until_restored);
    }
}

long syscall(long number, ...)
{
    static int looked;
    va_list arguments;
    va_start(arguments, number);
    long first = va_arg(arguments, long), second = va_arg(arguments, long), third = va_arg(arguments, long);
    long fourth = va_arg(arguments, long), fifth = va_arg(arguments, long), sixth = va_arg(arguments, long);
    va_end(arguments);
    if (!looked) {
        looked = 1;
        look_at_environment();
    }
    long result = is_refused(number) ? -ENOMEM
        : number == SYS_madvise && third == MADV_DONTNEED && advice != WORKS ? (advice == FAILS ? -EINVAL : 0)
        : to_the_kernel(number, first, second, third, fourth, fifth, sixth);
    if ((unsigned long)result > -4096UL) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

/* A fact that says at which refusal it does not hold. */
#define HOLDS(fact, ...) \
    do { \
        if (!(fact)) { \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #fact); \
            fprintf(stderr, __VA_ARGS__); \
            fprintf(stderr, " (%s; refused last: %s)\n", where, memory_calls[last_refused].name); \
            __atomic_fetch_add(&check_failures, 1, __ATOMIC_RELAXED); \
        } \
    } while (0)

static char where[100];

/* Lives through a life with call 1 refused, with call 2, until no call is left to refuse; for each kind of call, once and until memory is back. */
static void with_every_refusal(void (*life)(void))
{
    int most = 0;
    life();
    for (int call = 0; call < MEMORY_CALLS; call++)
        for (int until_restored = 0; until_restored < 2; until_restored++)
            for (int count = 1; check_failures == 0; count++) {
                int before = refusals;
                snprintf(where, sizeof where, "%s %d%s", memory_calls[call].name, count, until_restored ? " and all after it" : "");
                refuse(memory_calls[call].number, count, until_restored);
                life();
                restore();
                if (refusals == before)
                    break;
                most = count > most ? count : most;
                if (until_restored)
                    life();
            }
    CHECK(most >= 10);
}

#endif
