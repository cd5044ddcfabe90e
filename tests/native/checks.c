/* Programs that misuse the heap, each in one way: checks WHAT. Run by the lines of checks.cases under PRIVATEHEAPS_CHECK. */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The compiler is not to see what becomes of a block. */
static void *volatile hidden;
static void *hide(void *block) { hidden = block; return hidden; }

static void overflow(size_t bytes, size_t offset, size_t count)
{
    char *block = hide(malloc(bytes));
    memset(block + bytes + offset, 'X', count);
    free(block);
}

static void overflow_small(void) { overflow(40, 0, 3); }
static void overflow_by_one(void) { overflow(13, 0, 1); }
static void overflow_medium(void) { overflow(5000, 0, 1); }
static void overflow_large(void) { overflow(2000000, 0, 1); }
static void overflow_gap(void) { overflow(40, 5, 2); }

static void overflow_read(void)
{
    char *block = hide(malloc(48));
    hidden = (void *)(intptr_t)block[48];
}

static void overflow_aligned(void)
{
    void *block;
    if (posix_memalign(&block, 256, 100) == 0) {
        ((char *)hide(block))[100] = 1;
        free(block);
    }
}

static void overflow_realloc(void)
{
    char *block = hide(malloc(40));
    block[40] = 1;
    free(realloc(block, 400));
}

static void overflow_grown(void)
{
    char *block = hide(realloc(malloc(40), 50));
    block[50] = 1;
    free(block);
}

static void overflow_kept(void)
{
    char *block = hide(malloc(40));
    block[41] = 1;
}

static void underflow(void)
{
    hide(malloc(40));
    char *block = hide(malloc(40));
    block[-2] = 1;
    free(block);
}

static void underflow_of_live(void)
{
    hide(malloc(40));
    char *block = hide(malloc(40));
    block[-1] = 1;
}

static void underflow_page(void)
{
    char *block = hide(malloc(4096));
    block[-1] = 1;
    free(block);
}

static void write_after_free(size_t bytes)
{
    char *block = hide(malloc(bytes));
    free(block);
    block = hidden;
    block[bytes / 2] = 1;
}

static void use_after_free(void) { write_after_free(40); }
static void use_after_free_medium(void) { write_after_free(20000); }
static void use_after_free_large(void) { write_after_free(1000000); }

static void read_after_free(void)
{
    char *block = hide(malloc(40));
    free(block);
    block = hidden;
    hidden = (void *)(intptr_t)block[8];
}

static void write_after_free_then_work(void)
{
    use_after_free();
    for (int i = 0; i < 100000; i++)
        free(hide(malloc(100)));
}

static void double_free(void)
{
    void *block = hide(malloc(40));
    free(block);
    free(hidden);
}

static void double_free_large(void)
{
    void *block = hide(malloc(3000000));
    free(block);
    free(hidden);
}

static void *free_hidden(void *unused) { free(hidden); return unused; }

static void double_free_thread(void)
{
    pthread_t thread;
    free(hide(malloc(100)));
    pthread_create(&thread, NULL, free_hidden, NULL);
    pthread_join(thread, NULL);
}

static void free_inside(void) { free((char *)hide(malloc(48)) + 16); }
static void free_stack(void) { char local[32]; free(hide(local)); }
static void realloc_freed(void) { void *block = hide(malloc(40)); free(block); hidden = realloc(hidden, 80); }
static void size_of_freed(void) { free(hide(malloc(40))); printf("%zu\n", malloc_usable_size(hidden)); }
static void huge(void) { volatile size_t bytes = SIZE_MAX - 100; hidden = malloc(bytes); }

static void leak(void)
{
    hide(malloc(100));
    hide(calloc(1, 23));
}

static void fresh_and_freed(void)
{
    unsigned *block = hide(malloc(16));
    printf("%X %X\n", block[0], block[3]);
    block = hide(realloc(block, 32));
    printf("%X\n", block[7]);
    unsigned *zeroed = hide(calloc(2, 4));
    printf("%X\n", zeroed[1]);
    free(block);
    printf("%X %X\n", block[0], block[7]);
}

static void on_abort(int signal)
{
    void *block = malloc(1000);
    write(2, block != NULL ? "allocated\n" : "refused\n", block != NULL ? 10 : 8);
    free(block);
    if (fork() == 0)
        _exit(0);
    wait(NULL);
    (void)signal;
}

static void abort_handler(void)
{
    signal(SIGABRT, on_abort);
    overflow_small();
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    printf("handler got %p\n", info->si_addr);
    fflush(stdout);
    _exit(3);
}

static void other_fault(void) { *(volatile int *)8 = 1; }

static void handled_fault(void)
{
    struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
    sigaction(SIGSEGV, &action, NULL);
    other_fault();
}

static void child(void)
{
    char *block = hide(malloc(40));
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        block[40] = 1;
        free(block);
        _exit(0);
    }
    int status;
    waitpid(pid, &status, 0);
    printf("child %s\n", WIFSIGNALED(status) ? "was stopped" : "ended");
    free(block);
}

static void errno_kept(void)
{
    errno = 77;
    for (int i = 0; i < 1000; i++)
        free(hide(malloc(i)));
    printf("errno %d\n", errno);
}

/* One of the blocks lies on guard pages. */
static void sampled_overflow(void)
{
    for (int i = 0; i < 2000000; i++) {
        volatile char *block = hide(malloc(16));
        block[16];
        if (i % 64 == 0)
            hidden = NULL; /* kept */
        else if (i % 64 > 32)
            free((void *)block);
    }
}

static void sampled_use_after_free(void)
{
    for (int i = 0; i < 2000000; i++) {
        volatile char *block = hide(malloc(64));
        if (i % 3 != 0)
            free((void *)block);
        if (i % 3 == 1)
            block[0];
    }
}

static void work(void)
{
    enum { COUNT = 5000 };
    static char *blocks[COUNT];
    static size_t sizes[COUNT];
    unsigned seed = 1;
    for (int i = 0; i < 200000; i++) {
        int at = (seed = seed * 1103515245 + 12345) >> 16 & 0x7fff;
        at %= COUNT;
        size_t bytes = (seed >> 8) % 300;
        if (blocks[at] != NULL && (seed & 64) != 0) {
            blocks[at] = realloc(blocks[at], bytes + 1);
        } else {
            free(blocks[at]);
            blocks[at] = malloc(bytes + 1);
        }
        sizes[at] = bytes + 1;
        memset(blocks[at], at, sizes[at]);
        if (malloc_usable_size(blocks[at]) != sizes[at])
            abort();
    }
    puts("worked");
}

static const struct { const char *name; void (*run)(void); } cases[] = {
#define CASE(name) { #name, name }
    CASE(overflow_small), CASE(overflow_by_one), CASE(overflow_medium), CASE(overflow_large), CASE(overflow_gap), CASE(overflow_read),
    CASE(overflow_aligned), CASE(overflow_realloc), CASE(overflow_grown), CASE(overflow_kept), CASE(underflow), CASE(underflow_of_live), CASE(underflow_page),
    CASE(use_after_free), CASE(use_after_free_medium), CASE(use_after_free_large), CASE(read_after_free), CASE(write_after_free_then_work),
    CASE(double_free), CASE(double_free_large), CASE(double_free_thread), CASE(free_inside), CASE(free_stack), CASE(realloc_freed),
    CASE(size_of_freed), CASE(huge), CASE(leak), CASE(fresh_and_freed), CASE(abort_handler), CASE(other_fault), CASE(handled_fault), CASE(child),
    CASE(errno_kept), CASE(sampled_overflow), CASE(sampled_use_after_free), CASE(work),
};

int main(int count, char **arguments)
{
    for (size_t i = 0; count > 1 && i < sizeof cases / sizeof *cases; i++)
        if (strcmp(arguments[1], cases[i].name) == 0) {
            cases[i].run();
            return 0;
        }
    return 2;
}
