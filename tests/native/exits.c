/* The ways out of a process, each with its own exit code; and the census that must be complete after each. Run by "run" with the way's name. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void leave(int signal) { (void)signal; _exit(21); }

/* Ends in a signal handler that has interrupted malloc or free, as programs do that are told to terminate. */
static void be_interrupted(int microseconds)
{
    struct sigaction action = { .sa_handler = leave };
    struct itimerval once = { { 0, 0 }, { 0, microseconds } };
    void *blocks[64] = { 0 };
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &once, NULL);
    for (unsigned i = 0;; i++) {
        free(blocks[i % 64]);
        blocks[i % 64] = malloc(i * 7919 % 50 == 0 ? 2000000 : i * 31 % 3000);
    }
}

static void at_quick_exit_allocate(void) { free(malloc(100)); }

int main(int count, char **arguments)
{
    const char *way = count > 1 ? arguments[1] : "";
    char *const shell[] = { "sh", "-c", "exit 21", NULL };
    void *block = malloc(1234);
    memset(block, 1, 1234);
    if (strcmp(way, "return") == 0) return 21;
    if (strcmp(way, "exit") == 0) exit(21);
    if (strcmp(way, "_exit") == 0) _exit(21);
    if (strcmp(way, "_Exit") == 0) _Exit(21);
    if (strcmp(way, "quick_exit") == 0) { at_quick_exit(at_quick_exit_allocate); quick_exit(21); }
    if (strcmp(way, "execve") == 0) execve("/bin/sh", shell, environ);
    if (strcmp(way, "execv") == 0) execv("/bin/sh", shell);
    if (strcmp(way, "execvp") == 0) execvp("sh", shell);
    if (strcmp(way, "execvpe") == 0) execvpe("sh", shell, environ);
    if (strcmp(way, "execl") == 0) execl("/bin/sh", "sh", "-c", "exit 21", (char *)NULL);
    if (strcmp(way, "execlp") == 0) execlp("sh", "sh", "-c", "exit 21", (char *)NULL);
    if (strcmp(way, "execle") == 0) execle("/bin/sh", "sh", "-c", "exit $CODE", (char *)NULL, (char *const[]){ "CODE=21", NULL });
    if (strcmp(way, "fexecve") == 0) fexecve(open("/bin/sh", O_RDONLY), shell, environ);
    if (strcmp(way, "execveat") == 0) execveat(AT_FDCWD, "/bin/sh", shell, environ, 0);
    if (strcmp(way, "failed exec") == 0) {
        if (execl("/no/such/program", "program", (char *)NULL) != -1 || errno != ENOENT) return 1;
        if (execvp("no-such-program-anywhere", shell) != -1 || errno != ENOENT) return 2;
        free(block);
        block = malloc(50);
        return block != NULL ? 21 : 3;
    }
    if (strcmp(way, "vfork") == 0) {
        pid_t child = vfork();
        if (child == 0) { execve("/bin/sh", shell, environ); _exit(99); }
        int status = 0;
        waitpid(child, &status, 0);
        return WEXITSTATUS(status);
    }
    if (strcmp(way, "abort in child") == 0) {
        pid_t child = fork();
        if (child == 0) abort();
        int status = 0;
        waitpid(child, &status, 0);
        return WIFSIGNALED(status) ? 21 : 1;
    }
    if (strcmp(way, "_exit in signal handlers") == 0) {
        for (int i = 0; i < 200; i++) {
            pid_t child = fork();
            if (child == 0) be_interrupted(300 + i * 37);
            int status = 0;
            waitpid(child, &status, 0);
            if (!WIFEXITED(status) || WEXITSTATUS(status) != 21) return 1;
        }
        return 21;
    }
    fprintf(stderr, "there is no way %s\n", way);
    return 1;
}
