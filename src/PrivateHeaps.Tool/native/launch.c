/*
 * Starts the program of "pheap run" or "pheap check" and stands in for it towards the rest of the system: signals sent to pheap reach the program, its stops
 * are pheap's stops, its end is pheap's end. C, because the .NET runtime offers neither the sender of a signal (siginfo) nor a child that is
 * free of the runtime's own signal dispositions, limits and descriptors. Called by Launching/Launcher.cs, once in a process, by its first thread.
 *
 * Who has a signal already: the terminal sends its signals (^C, ^\, ^Z, a resize) to the whole foreground group, pheap and the program alike,
 * with si_code SI_KERNEL; these are not passed on. A hangup goes to the session leader alone, so a pheap that is one passes it on.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* Mirrored by Launching/LaunchResult.cs. */
struct launch_result {
    int32_t error;       /* errno of the failed start; 0 when the program ran */
    int32_t process_id;
    int32_t exit_code;   /* -1 when a signal ended the program */
    int32_t signal;      /* 0 when the program exited */
    int32_t core_dumped;
    int32_t reserved;
    int64_t wall_nanoseconds;
    int64_t user_nanoseconds;
    int64_t system_nanoseconds;
    int64_t peak_resident_bytes;
};

/* What the runtime changed before anybody could look; the pheap script knows it and says it in these variables, which the program never sees. */
static const char SOFT_FILES[] = "PHEAP_STARTED_WITH_FILES";   /* soft RLIMIT_NOFILE: a number, or "unlimited" */
static const char IGNORING[] = "PHEAP_STARTED_IGNORING";       /* holds SIGPIPE, SIGTERM where these were ignored */

static volatile pid_t program;                /* 0 before the start, -1 after the end */
static volatile sig_atomic_t held[NSIG];      /* signals that came between the handlers and the program */
static struct sigaction before[NSIG];         /* dispositions that the runtime had at the time of the launch */

static int is_relayed(int signal)
{
    return signal != SIGKILL && signal != SIGSTOP && signal != SIGCHLD && !(signal >= 32 && signal < SIGRTMIN);
}

static void relay(int signal, siginfo_t *info, void *context)
{
    int saved_errno = errno;
    int is_fault = info->si_code > 0 && info->si_code != SI_KERNEL
        && (signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL || signal == SIGTRAP);
    int is_own = info->si_code <= 0 && info->si_pid == getpid();
    if (is_fault || is_own) {
        /* Meant for the runtime: a null reference of managed code, or the runtime suspending a thread of its own. */
        if (before[signal].sa_handler != SIG_DFL && before[signal].sa_handler != SIG_IGN)
            before[signal].sa_sigaction(signal, info, context);
        else if (is_fault)
            sigaction(signal, &before[signal], NULL);
    } else if (program == 0) {
        held[signal] = 1;
    } else if (program > 0 && (info->si_code != SI_KERNEL || (signal == SIGHUP && getsid(0) == getpid()))) {
        if (info->si_code == SI_QUEUE)
            sigqueue(program, signal, info->si_value);
        else
            kill(program, signal);
    }
    errno = saved_errno;
}

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static int is_named(const char *entry, const char *name)
{
    size_t length = strlen(name);
    return strncmp(entry, name, length) == 0 && entry[length] == '=';
}

static char *joined(const char *name, const char *value, const char *separator, const char *rest)
{
    char *entry = malloc(strlen(name) + strlen(value) + (rest ? strlen(separator) + strlen(rest) : 0) + 2);
    if (!entry)
        return NULL;
    stpcpy(stpcpy(stpcpy(entry, name), "="), value);
    if (rest)
        strcat(strcat(entry, separator), rest);
    return entry;
}

static int is_set_by(const char *const *settings, const char *entry)
{
    for (; *settings; settings++)
        if (strncmp(entry, *settings, strcspn(*settings, "=") + 1) == 0)
            return 1;
    return 0;
}

/* The environment that pheap was started with, byte for byte, with the settings of the run and without the variables of the script. */
static char **program_environment(const char *library, const char *const *settings)
{
    size_t count = 0, setting_count = 0;
    while (environ[count])
        count++;
    while (settings[setting_count])
        setting_count++;
    char **result = calloc(count + setting_count + 2, sizeof *result);
    if (!result)
        return NULL;
    size_t length = 0;
    for (char **entry = environ; *entry; entry++)
        if (!is_named(*entry, "LD_PRELOAD") && !is_named(*entry, SOFT_FILES) && !is_named(*entry, IGNORING) && !is_set_by(settings, *entry))
            result[length++] = *entry;
    for (size_t index = 0; index < setting_count; index++)
        result[length++] = (char *)settings[index];
    result[length] = joined("LD_PRELOAD", library, ":", variable("LD_PRELOAD"));
    return result[length] ? result : NULL;
}

/* The last arguments of this process as the system has them: .NET would have put replacement characters where they are not UTF-8. */
static char **program_arguments(int count)
{
    int descriptor = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return NULL;
    size_t length = 0, capacity = 1 << 16;
    char *text = malloc(capacity);
    for (ssize_t got = 1; text && got > 0; length += got > 0 ? (size_t)got : 0) {
        if (length == capacity) {
            char *larger = realloc(text, capacity *= 2);
            if (!larger)
                free(text);
            text = larger;
        }
        if (text)
            got = read(descriptor, text + length, capacity - length);
    }
    close(descriptor);
    char **arguments = text ? calloc((size_t)count + 1, sizeof *arguments) : NULL;
    if (!arguments)
        return NULL;
    char *position = text + length - 1;   /* the zero that ends the last argument */
    for (int index = count - 1; index >= 0; index--) {
        while (position > text && position[-1] != '\0')
            position--;
        arguments[index] = position;
        position--;
    }
    return arguments;
}

static void restore_file_limit(void)
{
    struct rlimit limit;
    const char *files = variable(SOFT_FILES);
    if (!files || getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = strcmp(files, "unlimited") == 0 ? limit.rlim_max : strtoul(files, NULL, 10);
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* In the child, between fork and exec: only what may be called there. Never returns. */
static void become_program(char **arguments, char **environment, const sigset_t *mask, int error_pipe)
{
    const char *ignoring = getenv(IGNORING);
    for (int signal = 1; signal < NSIG; signal++) {
        const char *name = signal == SIGPIPE ? "SIGPIPE" : signal == SIGTERM ? "SIGTERM" : NULL;
        int is_ignored = name ? ignoring && strstr(ignoring, name) : before[signal].sa_handler == SIG_IGN;
        struct sigaction action = { .sa_handler = is_ignored ? SIG_IGN : SIG_DFL };
        sigaction(signal, &action, NULL);
    }
    restore_file_limit();
    sigprocmask(SIG_SETMASK, mask, NULL);
    execvpe(arguments[0], arguments, environment);
    int error = errno;
    if (write(error_pipe, &error, sizeof error) < 0)
        _exit(126);
    _exit(127);
}

static int64_t nanoseconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int64_t nanoseconds_of(struct timeval time)
{
    return time.tv_sec * 1000000000LL + time.tv_usec * 1000LL;
}

/* Until the program has ended, but before it is reaped: its number stays its own while signals may still be relayed to it. */
static void wait_for_end(pid_t child)
{
    for (;;) {
        siginfo_t news = { 0 };
        if (waitid(P_PID, (id_t)child, &news, WEXITED | WSTOPPED | WNOWAIT) != 0) {
            if (errno == EINTR)
                continue;
            return;
        }
        if (news.si_code != CLD_STOPPED)
            return;
        int signal = news.si_status;
        news.si_pid = 0;
        waitid(P_PID, (id_t)child, &news, WSTOPPED | WNOHANG);
        if (news.si_pid == 0)
            continue;   /* it goes on already */
        /* Job control stops pheap with its program, so that the shell notices. Who sends SIGSTOP to a process continues that process. */
        if (signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU)
            kill(getpid(), SIGSTOP);
    }
}

/*
 * Runs the program whose name and arguments are the last argument_count arguments of this process, and returns when it has ended. The settings
 * are variables for its environment, "NAME=value", and end with NULL; they live until then. result->error says why it could not be started.
 */
void pheap_launch(int argument_count, const char *library, const char *const *settings, struct launch_result *result)
{
    memset(result, 0, sizeof *result);
    result->exit_code = -1;
    char **arguments = program_arguments(argument_count);
    char **environment = program_environment(library, settings);
    int error_pipe[2];
    if (!arguments || !environment) {
        result->error = ENOMEM;
        return;
    }
    if (pipe2(error_pipe, O_CLOEXEC) != 0) {
        result->error = errno;
        return;
    }

    sigset_t all, mask;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &mask);
    for (int signal = 1; signal < NSIG; signal++) {
        struct sigaction action = { .sa_sigaction = relay, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };
        sigaction(signal, is_relayed(signal) ? &action : NULL, &before[signal]);
    }
    struct sigaction standard = { .sa_handler = SIG_DFL };
    sigaction(SIGCHLD, &standard, NULL);   /* ignored, it would take the exit status away */

    int64_t start = nanoseconds_now();
    pid_t child = fork();
    if (child == 0)
        become_program(arguments, environment, &mask, error_pipe[1]);
    result->error = child < 0 ? errno : 0;
    close(error_pipe[1]);
    program = child;
    for (int signal = 1; child > 0 && signal < NSIG; signal++)
        if (held[signal])
            kill(child, signal);
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);   /* what the program's starter has blocked must still reach the program */
    if (child < 0) {
        close(error_pipe[0]);
        return;
    }

    ssize_t got;
    do
        got = read(error_pipe[0], &result->error, sizeof result->error);
    while (got < 0 && errno == EINTR);
    close(error_pipe[0]);
    wait_for_end(child);
    result->wall_nanoseconds = nanoseconds_now() - start;
    program = -1;

    int status = 0;
    struct rusage usage = { 0 };
    while (wait4(child, &status, 0, &usage) < 0 && errno == EINTR)
        ;
    result->process_id = child;
    if (WIFSIGNALED(status)) {
        result->signal = WTERMSIG(status);
        result->core_dumped = WCOREDUMP(status) != 0;
    } else {
        result->exit_code = WEXITSTATUS(status);
    }
    result->user_nanoseconds = nanoseconds_of(usage.ru_utime);
    result->system_nanoseconds = nanoseconds_of(usage.ru_stime);
    result->peak_resident_bytes = usage.ru_maxrss * 1024LL;
}

/* Ends pheap as its program ended, without a second core file. Returns only if the signal does not end a process. */
void pheap_die(int signal)
{
    struct sigaction standard = { .sa_handler = SIG_DFL };
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, signal);
    prctl(PR_SET_DUMPABLE, 0);
    sigaction(signal, &standard, NULL);
    pthread_sigmask(SIG_UNBLOCK, &only, NULL);
    kill(getpid(), signal);
}
