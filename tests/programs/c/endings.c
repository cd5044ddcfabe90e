/* endings COUNT HOW: allocates COUNT blocks of 100 bytes, and 10 of 5,000, frees half of the first, and ends as HOW says. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void *keep(void *block)
{
    static void *volatile kept;
    kept = block;
    return kept;
}

static void allocate(int count)
{
    for (int index = 0; index < count; index++) {
        void *block = keep(malloc(100));
        if (index % 2)
            free(block);
    }
    for (int index = 0; index < 10; index++)
        memset(keep(malloc(5000)), 1, 5000);
}

int main(int argument_count, char **arguments)
{
    if (argument_count != 3)
        return 2;
    int count = atoi(arguments[1]);
    const char *how = arguments[2];
    allocate(count);
    if (strcmp(how, "exit") == 0)
        exit(7);
    if (strcmp(how, "_exit") == 0)
        _exit(8);
    if (strcmp(how, "quick_exit") == 0)
        quick_exit(9);
    if (strcmp(how, "segv") == 0)
        *(volatile int *)8 = 1;
    if (strcmp(how, "abort") == 0)
        abort();
    if (strcmp(how, "kill") == 0)
        kill(getpid(), SIGKILL);
    if (strcmp(how, "exec") == 0)
        execl(arguments[0], arguments[0], "0", "exit", NULL);
    if (strcmp(how, "failed-exec") == 0) {
        execl("/nowhere", "/nowhere", NULL);
        allocate(count);
        return 3;
    }
    if (strcmp(how, "realloc") == 0) {
        char *block = keep(malloc(10));
        for (size_t bytes = 20; bytes <= 200000; bytes *= 2)
            block = keep(realloc(block, bytes));
        free(block);
        free(keep(malloc((size_t)1 << 60)));
        return 0;
    }
    if (strcmp(how, "children") == 0) {
        for (int child = 0; child < 3; child++)
            if (fork() == 0) {
                allocate(1000 * (child + 1));
                _exit(child);
            }
        while (wait(NULL) > 0)
            ;
        return 0;
    }
    return 1;
}
