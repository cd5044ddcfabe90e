/* A machine of several NUMA nodes, or of one, whatever this one is: this program defines syscall and getcpu before the C library's, and answers the library's questions
 * about nodes. ONE_NODE makes it one. */
#include "check.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/syscall.h>

enum { NODES = 4, ROUNDS = 30, BLOCKS = 2000, CHUNK_SHIFT = 20, CHUNKS = 1 << 16 };

static _Thread_local unsigned node;
static int asked, opened;

static long to_the_kernel(long number, long first, long second, long third, long fourth, long fifth, long sixth)
{
    register long r10 __asm__("r10") = fourth, r8 __asm__("r8") = fifth, r9 __asm__("r9") = sixth;
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(first), "S"(second), "d"(third), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
    return result;
}

static long file_of(const char *text)
{
    long file = to_the_kernel(SYS_memfd_create, (long)"nodes", 0, 0, 0, 0, 0);
    to_the_kernel(SYS_write, file, (long)text, strlen(text), 0, 0, 0);
    to_the_kernel(SYS_lseek, file, 0, SEEK_SET, 0, 0, 0);
    return file;
}

long syscall(long number, ...)
{
    va_list arguments;
    va_start(arguments, number);
    long first = va_arg(arguments, long), second = va_arg(arguments, long), third = va_arg(arguments, long);
    long fourth = va_arg(arguments, long), fifth = va_arg(arguments, long), sixth = va_arg(arguments, long);
    va_end(arguments);
    long result;
    if (number == SYS_openat && strcmp((const char *)second, "/sys/devices/system/node/has_cpu") == 0) {
        opened++;
#ifdef ONE_NODE
        result = file_of("0\n");
#else
        result = file_of("0,2-4\n");
#endif
    } else
        result = to_the_kernel(number, first, second, third, fourth, fifth, sixth);
    if ((unsigned long)result > -4096UL) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

int getcpu(unsigned *processor, unsigned *its_node)
{
    __atomic_fetch_add(&asked, 1, __ATOMIC_RELAXED);
    if (processor)
        *processor = node;
    if (its_node)
        *its_node = node;
    return 0;
}

/* The node, plus 1, whose threads were the first to get a block in a MiB: nothing less than a region is there. */
static unsigned char first_user[CHUNKS];
static int blocks_had, blocks_of_others;
static pthread_barrier_t turn;

static void note(const void *block)
{
    __atomic_fetch_add(&blocks_had, 1, __ATOMIC_RELAXED);
    unsigned char *user = &first_user[((uintptr_t)block >> CHUNK_SHIFT) % CHUNKS], none = 0;
    if (!__atomic_compare_exchange_n(user, &none, (unsigned char)(node + 1), 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED) && none != node + 1)
        __atomic_fetch_add(&blocks_of_others, 1, __ATOMIC_RELAXED);
}

/* One size after the other, so that slabs come and go, and each comes from where others have left theirs. */
static void *live(void *argument)
{
    static const size_t sizes[] = { 40, 3000, 500, 120000, 16, 1000 };
    void *blocks[BLOCKS];
    node = (unsigned)(uintptr_t)argument;
    for (int round = 0; round < ROUNDS; round++) {
        size_t bytes = sizes[(round + node) % (sizeof sizes / sizeof *sizes)];
        int count = bytes > 10000 ? 20 : BLOCKS;
        for (int index = 0; index < count; index++) {
            blocks[index] = malloc(bytes);
            note(blocks[index]);
            memset(blocks[index], (int)node + 1, 16);
        }
        pthread_barrier_wait(&turn);
        for (int index = 0; index < count; index++) {
            CHECK(all_bytes(blocks[index], 16, (unsigned char)(node + 1)));
            free(blocks[index]);
        }
    }
    return NULL;
}

static void run_threads(void)
{
    pthread_t threads[2 * NODES];
    pthread_barrier_init(&turn, NULL, 2 * NODES);
    for (uintptr_t number = 0; number < 2 * NODES; number++)
        CHECK_EQUAL(0, pthread_create(&threads[number], NULL, live, (void *)(number % NODES)));
    for (int number = 0; number < 2 * NODES; number++)
        pthread_join(threads[number], NULL);
}

#ifdef ONE_NODE
TEST("on a machine of one node nobody asks for it")
{
    run_threads();
    CHECK_EQUAL(1, opened);
    CHECK_EQUAL(0, asked);
    CHECK(blocks_of_others > blocks_had / 2);
}
#else
/* Nearly: where an eighth of all blocks of a size is free, they get those of other nodes. */
TEST("threads get memory that threads of their node were the first to get")
{
    run_threads();
    CHECK_EQUAL(1, opened);
    CHECK(asked > 0);
    CHECK(blocks_of_others < blocks_had / 10);
}
#endif
