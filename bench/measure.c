/*
 * measure FIGURES LIBRARY COMMAND [ARGUMENT...]
 * Runs a command with a library preloaded and writes into the file FIGURES: seconds, seconds of processor time of the command and its children, the
 * largest resident set in KiB among them, and the status. The kernel counts the memory of who starts a process as that process's own until it has its
 * program, so this one is small and linked statically: what it reports as least is less than 1 MiB.
 */
#define _GNU_SOURCE
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(int count, char **arguments)
{
    struct timespec start, end;
    struct rusage usage;
    pid_t process;
    int status;
    if (count < 4 || setenv("LD_PRELOAD", arguments[2], 1) != 0)
        return 2;
    clock_gettime(CLOCK_MONOTONIC, &start);
    if (posix_spawnp(&process, arguments[3], NULL, NULL, arguments + 3, environ) != 0 || wait4(process, &status, 0, &usage) < 0)
        return 2;
    clock_gettime(CLOCK_MONOTONIC, &end);
    FILE *figures = fopen(arguments[1], "w");
    if (!figures)
        return 2;
    fprintf(figures, "%.6f %.6f %ld %d\n", end.tv_sec - start.tv_sec + (end.tv_nsec - start.tv_nsec) / 1e9,
        usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6, usage.ru_maxrss, status);
    return fclose(figures) != 0;
}
