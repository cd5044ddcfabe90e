/* A program with the bug that its first argument names, each in functions of their own, and the exit code 7 where it comes to its end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* No compiler looks through it. */
static void *volatile hidden;

__attribute__((noinline)) static char *make_block(size_t bytes)
{
    char *block = malloc(bytes);
    memset(block, 'x', bytes);
    hidden = block;
    return hidden;
}

__attribute__((noinline)) static void free_block(char *block)
{
    free(block);
    hidden = block;
}

__attribute__((noinline)) static void overrun_block(char *block, size_t bytes)
{
    memset(block, 'A', bytes);
    hidden = block;
}

__attribute__((noinline)) static void leak_blocks(int count)
{
    for (int index = 0; index < count; index++)
        make_block(100);
    hidden = NULL;
}

/* Blocks of 10 bytes from as many places: the way to each is another one of calls to two functions. */
static void turn_left(int place, int depth);
static void turn_right(int place, int depth);

static void leak_from(int place, int depth)
{
    if (depth == 0)
        make_block(10);
    else if (place % 2 == 0)
        turn_left(place / 2, depth - 1);
    else
        turn_right(place / 2, depth - 1);
    hidden = NULL;
}

__attribute__((noinline, noclone)) static void turn_left(int place, int depth) { leak_from(place, depth); hidden = NULL; }
__attribute__((noinline, noclone)) static void turn_right(int place, int depth) { leak_from(place, depth); hidden = hidden; }

static void overflow(void)
{
    char *block = make_block(24);
    overrun_block(block, 27);
    free_block(block);
}

static void use_after_free(void)
{
    char *block = make_block(40);
    free_block(block);
    overrun_block(hidden, 3);
}

static void double_free(void)
{
    char *block = make_block(32);
    free_block(block);
    free_block(hidden);
}

static void bad_free(void)
{
    char *block = make_block(48);
    free_block(block + 16);
}

int main(int count, char **arguments)
{
    const char *bug = count > 1 ? arguments[1] : "none";
    if (strcmp(bug, "overflow") == 0)
        overflow();
    else if (strcmp(bug, "use-after-free") == 0)
        use_after_free();
    else if (strcmp(bug, "double-free") == 0)
        double_free();
    else if (strcmp(bug, "bad-address") == 0)
        bad_free();
    else if (strcmp(bug, "leak") == 0)
        leak_blocks(atoi(arguments[2]));
    else if (strcmp(bug, "places") == 0)
        for (int place = 0; place < atoi(arguments[2]); place++)
            leak_from(place, 8);
    else if (strcmp(bug, "many") == 0)
        for (int index = 0; index < atoi(arguments[2]); index++)
            double_free();
    else if (strcmp(bug, "two") == 0)
        overflow(), overflow(), double_free();
    else if (strcmp(bug, "child") == 0) {
        pid_t child = fork();
        if (child == 0)
            overflow();
        else
            waitpid(child, NULL, 0);
    } else if (strcmp(bug, "exec") == 0)
        execl(arguments[0], arguments[0], "double-free", (char *)NULL);
    return 7;
}
