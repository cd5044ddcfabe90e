/* What malloc's contract says of addresses that are no blocks: nothing. What this library does with them. The contract itself is in contract/. */
#include "check.h"
#include <malloc.h>
#include <signal.h>

static volatile size_t huge = SIZE_MAX - 100;

static char *victim;
static void free_interior(void) { free(victim + 16); }
static void free_misaligned(void) { free(victim + 1); }
static void free_twice(void) { free(victim); free(victim); }
static void free_stack(void) { char local[64]; char *volatile address = local; free(address); }
static void free_static(void) { free((void *)&huge); }
static void free_unmapped(void) { free((void *)0x123456789000); }
static void realloc_freed(void) { free(victim); victim = realloc(victim, 500); }

static void check_refusal(void (*misuse)(void), const char *function, const char *what)
{
    char errors[500], start[100];
    int status = run_in_child(misuse, errors, sizeof errors);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    snprintf(start, sizeof start, "privateheaps: %s() was given 0x", function);
    CHECK(strncmp(errors, start, strlen(start)) == 0);
    snprintf(start, sizeof start, ", which %s.\n", what);
    CHECK(strstr(errors, start) != NULL);
}

TEST("a bad address ends the process with one sentence")
{
    for (size_t bytes = 100; bytes <= 100000000; bytes *= 100) {
        victim = malloc(bytes);
        char inside[100], misaligned[100];
        snprintf(inside, sizeof inside, "points 16 bytes into a live block of %zu bytes", bytes);
        snprintf(misaligned, sizeof misaligned, "points 1 bytes into a live block of %zu bytes", bytes);
        check_refusal(free_interior, "free", inside);
        check_refusal(free_misaligned, "free", misaligned);
        check_refusal(free_twice, "free", "was already freed");
        check_refusal(realloc_freed, "realloc", "was already freed");
        free(victim);
    }
    check_refusal(free_stack, "free", "lies in no heap");
    check_refusal(free_static, "free", "lies in no heap");
    check_refusal(free_unmapped, "free", "lies in no heap");
}
