/* What a program may still do when malloc's face ends it: a handler of SIGABRT that allocates, frees, forks and prints, with other threads inside the
 * heap. No lock is held then, and nothing is left half done. */
#include "check.h"
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

static atomic_int stop;
static void *small_block, *large_block, *aligned_block;

static void use_the_heap(void)
{
    char *blocks[50];
    for (int i = 0; i < 50; i++)
        blocks[i] = memset(malloc(i * 2000 + 1), i, i * 2000 + 1);
    blocks[0] = realloc(blocks[0], 500000);
    for (int i = 49; i >= 0; i--)
        free(blocks[i]);
}

static void *begin_and_end(void *argument) { use_the_heap(); return argument; }

/* Everything that a crash reporter does; then the process ends with 42. */
static void report(int signal)
{
    alarm(60);
    use_the_heap();
    printf("%s %d\n", "a handler that prints, after signal", signal);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        use_the_heap();
        _exit(41);
    }
    int status = -1;
    waitpid(child, &status, 0);
    pthread_t thread;
    pthread_create(&thread, NULL, begin_and_end, NULL);
    pthread_join(thread, NULL);
    atomic_store(&stop, 1);
    _exit(WIFEXITED(status) && WEXITSTATUS(status) == 41 ? 42 : 43);
}

static void *hammer(void *argument)
{
    unsigned seed = (unsigned)(uintptr_t)argument;
    while (!atomic_load(&stop)) {
        void *block = malloc(rand_r(&seed) % (rand_r(&seed) % 20 ? 3000 : 600000));
        free(realloc(block, rand_r(&seed) % 3000 + 1));
    }
    return NULL;
}

static void prepare(void (*handler)(int))
{
    pthread_t thread;
    freopen("/dev/null", "w", stdout);
    signal(SIGABRT, handler);
    small_block = malloc(48);
    large_block = malloc(3000000);
    aligned_block = aligned_alloc(4096, 10000);
    for (uintptr_t i = 1; i <= 3; i++)
        pthread_create(&thread, NULL, hammer, (void *)i);
}

static void *address;
static void (*wrong)(void *);
static void free_it(void *block) { free(block); }
static void resize_it(void *block) { block = realloc(block, 100); }
static void resize_to_nothing(void *block) { block = realloc(block, 0); }

static void be_wrong(void) { prepare(report); wrong(address); }
static void free_small_twice(void) { prepare(report); free(small_block); wrong(small_block); }
static void free_large_twice(void) { prepare(report); free(large_block); wrong(large_block); }
static void free_aligned_twice(void) { prepare(report); free(aligned_block); wrong(aligned_block); }
static void inside_small(void) { prepare(report); wrong((char *)small_block + 16); }
static void inside_large(void) { prepare(report); wrong((char *)large_block + 100000); }
static void inside_aligned(void) { prepare(report); wrong((char *)aligned_block + 4096); }
static void of_stack(void) { prepare(report); char local[64]; address = local; wrong(address); }

TEST("after a wrong address the handler of SIGABRT allocates, frees, forks, prints and makes threads")
{
    void (*functions[])(void *) = { free_it, resize_it, resize_to_nothing };
    void (*cases[])(void) = { free_small_twice, free_large_twice, free_aligned_twice, inside_small, inside_large, inside_aligned, of_stack, be_wrong };
    address = (void *)0x123456789000;
    for (unsigned f = 0; f < sizeof functions / sizeof *functions; f++)
        for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
            char errors[1000];
            wrong = functions[f];
            int status = run_in_child(cases[i], errors, sizeof errors);
            CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);
            CHECK(strncmp(errors, wrong == free_it ? "privateheaps: free() was given 0x" : "privateheaps: realloc() was given 0x", 32) == 0);
            if (check_failures != 0)
                fprintf(stderr, "function %u, case %u, status 0x%x: %s\n", f, i, status, errors);
        }
}

static void err_again(int signal) { (void)signal; alarm(60); free((char *)small_block + 16); }
static void wrong_in_handler(void) { prepare(err_again); free((char *)small_block + 32); }

TEST("a handler of SIGABRT that gives a wrong address itself does not wait for ever")
{
    char errors[1000];
    int status = run_in_child(wrong_in_handler, errors, sizeof errors);
    /* How abort ends a process whose handler comes back to it is the C library's to say. */
    CHECK(status != 0 && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM));
    CHECK(strstr(errors, "points 32 bytes into a live block of 48 bytes") != NULL);
    CHECK(strstr(errors, "another wrong address was given") != NULL);
}

/* Many at once: each says its sentence or ends with the process; nobody hangs and nothing is torn. */
static void *err(void *argument) { free((char *)small_block + 16); return argument; }
static void wrong_in_threads(void)
{
    pthread_t threads[8];
    prepare(SIG_DFL);
    for (int i = 0; i < 8; i++)
        pthread_create(&threads[i], NULL, err, NULL);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
}

TEST("eight threads that give a wrong address at once end the process with a whole sentence")
{
    for (int round = 0; round < 20; round++) {
        char errors[2000];
        int status = run_in_child(wrong_in_threads, errors, sizeof errors);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
        CHECK(strstr(errors, "points 16 bytes into a live block of 48 bytes.\n") != NULL);
    }
}
