/* The census of a process under "pheap run" begins and ends here; so the ends that run no destructors are put before the C library's own. */
#define _GNU_SOURCE
#include "shim_thread.h"
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { GOES_ON, ENDS, IS_TAKEN_OVER };

void ph_process_start(struct ph_thread *);
void ph_process_end(struct ph_thread *, unsigned how);

/* The functions behind ours. Looked up by the constructor: dlsym may allocate, and a child of vfork must not. */
static struct {
    int (*execve)(const char *, char *const[], char *const[]);
    int (*execvpe)(const char *, char *const[], char *const[]);
    int (*fexecve)(int, char *const[], char *const[]);
    void (*quick_exit)(int);
} next;
static int is_counted;

static void look_up(void)
{
    next.execvpe = dlsym(RTLD_NEXT, "execvpe");
    next.fexecve = dlsym(RTLD_NEXT, "fexecve");
    next.quick_exit = dlsym(RTLD_NEXT, "quick_exit");
    next.execve = dlsym(RTLD_NEXT, "execve");
}

/* For a call that comes before the constructor. */
static void be_ready(void)
{
    if (next.execve == NULL)
        look_up();
}

/* Allocations may have come before, but only now is the environment sure to be readable. */
__attribute__((constructor(101))) static void process_starts(void)
{
    look_up();
    is_counted = getenv("PRIVATEHEAPS_CENSUS") != NULL;
    if (is_counted)
        ph_process_start(ph_thread);
}

static void tell(unsigned how)
{
    if (is_counted)
        ph_process_end(ph_thread, how);
}

static void end_without_destructors(void)
{
    ph_checks_end(0);
    tell(ENDS);
}

__attribute__((destructor)) static void process_exits(void) { tell(ENDS); }

void _exit(int status)
{
    end_without_destructors();
    for (;;)
        syscall(SYS_exit_group, status);
}

void _Exit(int status) { _exit(status); }

void quick_exit(int status)
{
    be_ready();
    end_without_destructors();
    next.quick_exit(status);
    __builtin_unreachable();
}

/* A call of exec that returns has failed, and the program goes on. */
#define EXEC(call) \
    do { \
        be_ready(); \
        tell(IS_TAKEN_OVER); \
        int result = (call), error = errno; \
        tell(GOES_ON); \
        errno = error; \
        return result; \
    } while (0)

int execve(const char *path, char *const arguments[], char *const environment[]) { EXEC(next.execve(path, arguments, environment)); }
int execv(const char *path, char *const arguments[]) { EXEC(next.execve(path, arguments, environ)); }
int execvpe(const char *file, char *const arguments[], char *const environment[]) { EXEC(next.execvpe(file, arguments, environment)); }
int execvp(const char *file, char *const arguments[]) { EXEC(next.execvpe(file, arguments, environ)); }
int fexecve(int file, char *const arguments[], char *const environment[]) { EXEC(next.fexecve(file, arguments, environment)); }

/* glibc has this one only since 2.34. */
int execveat(int folder, const char *path, char *const arguments[], char *const environment[], int flags)
{
    EXEC((int)syscall(SYS_execveat, folder, path, arguments, environment, flags));
}

static size_t count_until_null(const char *first, va_list list)
{
    size_t count = 0;
    for (const char *argument = first; argument != NULL; argument = va_arg(list, const char *))
        count++;
    return count;
}

/* The argument list of an execl function as an array on the stack, which is the only memory that a child of vfork may use. */
#define COLLECT(first) \
    va_list list, counted; \
    va_start(list, first); \
    va_copy(counted, list); \
    char *arguments[count_until_null(first, counted) + 1]; \
    va_end(counted); \
    arguments[0] = (char *)first; \
    for (size_t i = 0; arguments[i] != NULL; i++) \
        arguments[i + 1] = va_arg(list, char *)

int execl(const char *path, const char *first, ...)
{
    COLLECT(first);
    va_end(list);
    return execv(path, arguments);
}

int execlp(const char *file, const char *first, ...)
{
    COLLECT(first);
    va_end(list);
    return execvp(file, arguments);
}

int execle(const char *path, const char *first, ...)
{
    COLLECT(first);
    char *const *environment = va_arg(list, char *const *);
    va_end(list);
    return execve(path, arguments, environment);
}
