/* The conformance program: runs all groups, or those that are named. Prints one line for each observation and the count last. */
#include "conformance.h"
#include <stdarg.h>

#ifndef _WIN32
#include <pthread.h>
#include <signal.h>
#include <time.h>
#endif

static const char *group_name;
static char **seen;
static size_t seen_count, line_count;

void observe(const char *name, const char *format, ...)
{
    va_list arguments;
    for (size_t i = 0; i < seen_count; i++)
        if (strcmp(seen[i], name) == 0) {
            fprintf(stderr, "conformance: %s observes \"%s\" twice\n", group_name, name);
            exit(2);
        }
    seen = realloc(seen, (seen_count + 1) * sizeof *seen);
    seen[seen_count] = strcpy(malloc(strlen(name) + 1), name);
    seen_count++;
    line_count++;
    printf("%s: %s: ", group_name, name);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}

const char *named(const char *format, ...)
{
    static char buffers[NAMES][200];
    static int next;
    char *buffer = buffers[next++ % NAMES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(buffer, sizeof buffers[0], format, arguments);
    va_end(arguments);
    return buffer;
}

void forget_error(void) { SetLastError(UNTOUCHED); }

const char *last_error(void)
{
    DWORD code = GetLastError();
    return code == UNTOUCHED ? "untouched" : named("%u", (unsigned)code);
}

const char *yes(int fact) { return fact ? "yes" : "no"; }

const char *size(SIZE_T bytes) { return bytes == NO_SIZE ? "-1" : named("%llu", (unsigned long long)bytes); }

const char *number(unsigned long long value) { return value <= 0xFFFF ? named("%llu", value) : named("0x%llX", value); }

void observe_result(const char *name, const char *result)
{
    const char *error = last_error();
    observe(name, "%s", result);
    observe(named("%s, last error", name), "%s", error);
}

static __thread guard_buffer guard;
static __thread int is_guarded;
static __thread DWORD raised_code;

guard_buffer *begin_guard_(void)
{
    is_guarded = 1;
    return &guard;
}

const char *end_guard(const char *result)
{
    is_guarded = 0;
    return result;
}

const char *raised(void) { return named("raised 0x%X", (unsigned)raised_code); }

#if defined(_WIN32)
EXCEPTION_RECORD raised_record;

/* Called for what no frame handles: the heap functions' own handlers come first. */
static LONG CALLBACK on_exception(EXCEPTION_POINTERS *pointers)
{
    if (!is_guarded)
        return EXCEPTION_CONTINUE_SEARCH;
    is_guarded = 0;
    raised_record = *pointers->ExceptionRecord;
    raised_code = raised_record.ExceptionCode;
    longjmp(guard, 1);
    return EXCEPTION_CONTINUE_SEARCH;
}

static void watch_exceptions(void) { SetUnhandledExceptionFilter(on_exception); }

void pause_for(int milliseconds) { Sleep(milliseconds); }

struct other { HANDLE thread; void (*function)(void *); void *argument; volatile int done; };
static DWORD WINAPI run_other(void *other_)
{
    struct other *other = other_;
    other->function(other->argument);
    other->done = 1;
    return 0;
}
static void launch(struct other *other) { other->thread = CreateThread(NULL, 0, run_other, other, 0, NULL); }
static void join(struct other *other) { WaitForSingleObject(other->thread, INFINITE), CloseHandle(other->thread); }
#else
static void watch_faults(void);

static void on_exception(DWORD code, HANDLE heap, SIZE_T bytes, void *context)
{
    (void)heap, (void)bytes, (void)context;
    if (!is_guarded)
        return;
    is_guarded = 0;
    raised_code = code;
    siglongjmp(guard, 1);
}

/* A fault is what Windows calls an access violation; only the program's own look at memory may cause one, never the library. */
static void on_fault(int signal_number)
{
    signal(signal_number, SIG_DFL);
    if (!is_guarded)
        return;
    is_guarded = 0;
    watch_faults();
    raised_code = STATUS_ACCESS_VIOLATION;
    siglongjmp(guard, 1);
}

static void watch_faults(void)
{
    struct sigaction action = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
}

static void watch_exceptions(void)
{
    SetHeapRaiseHandler(on_exception, NULL);
    watch_faults();
}

void pause_for(int milliseconds) { nanosleep(&(struct timespec){ milliseconds / 1000, milliseconds % 1000 * 1000000L }, NULL); }

struct other { pthread_t thread; void (*function)(void *); void *argument; volatile int done; };
static void *run_other(void *other_)
{
    struct other *other = other_;
    other->function(other->argument);
    other->done = 1;
    return NULL;
}
static void launch(struct other *other) { pthread_create(&other->thread, NULL, run_other, other); }
static void join(struct other *other) { pthread_join(other->thread, NULL); }
#endif

struct other *start(void (*function)(void *), void *argument)
{
    struct other *other = calloc(1, sizeof *other);
    other->function = function;
    other->argument = argument;
    launch(other);
    return other;
}

int is_done(const struct other *other) { return other->done; }

int is_waiting(const struct other *other)
{
    for (int i = 0; i < 50 && !other->done; i++)
        pause_for(10);
    return !other->done;
}

void finish(struct other *other)
{
    join(other);
    free(other);
}

void on_thread(void (*function)(void *), void *argument) { finish(start(function, argument)); }

int all_bytes(const void *block, size_t count, unsigned char value)
{
    for (size_t i = 0; i < count; i++)
        if (((const unsigned char *)block)[i] != value)
            return 0;
    return 1;
}

static int is_wanted(const char *name, int count, char **arguments)
{
    for (int i = 1; i < count; i++)
        if (strcmp(arguments[i], name) == 0)
            return 1;
    return count < 2;
}

static void run_group(void (*function)(void), const char *name)
{
    /* Groups of one name lie together and share their names. */
    if (group_name == NULL || strcmp(group_name, name) != 0)
        while (seen_count > 0)
            free(seen[--seen_count]);
    group_name = name;
    function();
}

int main(int count, char **arguments)
{
    watch_exceptions();
#define GROUP(function, name) if (is_wanted(name, count, arguments)) run_group(function, name);
#include "groups.h"
#undef GROUP
    printf("%zu observations\n", line_count);
    return 0;
}
