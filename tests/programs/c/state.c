/* Prints what a program is started with and can see: arguments, environment, descriptors, signals, limits. */
#define _GNU_SOURCE
#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

extern char **environ;

static void print_lines(const char *path, const char *const *beginnings)
{
    char line[4096];
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        for (const char *const *beginning = beginnings; *beginning; beginning++)
            if (strncmp(line, *beginning, strlen(*beginning)) == 0)
                printf("%s", line);
    if (file)
        fclose(file);
}

int main(int count, char **arguments)
{
    for (int index = 1; index < count; index++) {
        printf("argument %d:", index);
        for (const char *position = arguments[index]; *position; position++)
            printf(" %02x", (unsigned char)*position);
        printf("\n");
    }
    print_lines("/proc/self/status", (const char *const[]){ "SigBlk", "SigIgn", "SigCgt", "SigPnd", "Umask", "NoNewPrivs", "CapEff", NULL });
    print_lines("/proc/self/limits", (const char *const[]){ "Max", NULL });
    print_lines("/proc/self/coredump_filter", (const char *const[]){ "", NULL });
    print_lines("/proc/self/oom_score_adj", (const char *const[]){ "", NULL });
    print_lines("/proc/self/personality", (const char *const[]){ "", NULL });
    printf("nice %d, policy %d, dumpable %d\n", getpriority(PRIO_PROCESS, 0), sched_getscheduler(0), prctl(PR_GET_DUMPABLE));
    printf("group of its own %d, session of its own %d\n", getpgrp() == getpid(), getsid(0) == getpid());
    DIR *directory = opendir("/proc/self/fd");
    for (struct dirent *entry; (entry = readdir(directory));) {
        char path[300], target[300];
        snprintf(path, sizeof path, "/proc/self/fd/%s", entry->d_name);
        ssize_t length = readlink(path, target, sizeof target - 1);
        if (length > 0 && atoi(entry->d_name) != dirfd(directory))
            printf("descriptor %s %.*s\n", entry->d_name, (int)length, target);
    }
    closedir(directory);
    for (char **variable = environ; *variable; variable++)
        printf("variable %s\n", *variable);
    return 0;
}
