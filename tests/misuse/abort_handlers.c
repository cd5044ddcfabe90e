/* Handlers of SIGABRT, which run when a misuse has been found. The heap holds no lock then: they may do what they like, and the process still ends. */
#include "misuse.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCKS = 200 };

static void use_heap(void)
{
    static void *blocks[BLOCKS];
    for (int i = 0; i < BLOCKS; i++)
        if ((blocks[i] = malloc((size_t)i * i * 10 + 24)) == NULL)
            harm("there is no memory in a handler of SIGABRT");
    for (int i = 0; i < BLOCKS; i++)
        free(blocks[i]);
}

static void allocate_in_handler(int signal)
{
    (void)signal;
    use_heap();
}

static void fork_in_handler(int signal)
{
    (void)signal;
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        use_heap();
        _exit(7);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 7)
        harm("a child of a handler of SIGABRT ends in status %d", status);
}

static void print_in_handler(int signal)
{
    char *text = NULL;
    if (asprintf(&text, "signal %d", signal) < 0)
        harm("nothing can be printed in a handler of SIGABRT");
    fprintf(stderr, "%s\n", text);
    free(text);
}

static void free_twice_under(void (*handler)(int))
{
    /* Once: what aborts in the handler ends the process. */
    struct sigaction once = { .sa_handler = handler, .sa_flags = SA_RESETHAND };
    sigaction(SIGABRT, &once, NULL);
    release(victim);
    wrong_free(victim);
}

static void under_allocating(void) { free_twice_under(allocate_in_handler); }
static void under_forking(void) { free_twice_under(fork_in_handler); }
static void under_printing(void) { free_twice_under(print_in_handler); }

static const struct idea ideas[] = {
    { "free of a freed block, with a handler that allocates", under_allocating, FEW, SAME, WRONG_CALL(ALREADY_FREED) },
    { "free of a freed block, with a handler that forks", under_forking, FEW, BOTH, WRONG_CALL(ALREADY_FREED) },
    { "free of a freed block, with a handler that prints", under_printing, FEW, SAME, WRONG_CALL(ALREADY_FREED) },
};
IDEAS(ideas)
