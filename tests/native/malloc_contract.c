/* What ISO C, POSIX and glibc promise of malloc and its relatives, and what this library promises beyond. */
#include "check.h"
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <signal.h>

enum { UNTOUCHED = 4711 };
static volatile size_t huge = SIZE_MAX - 100;

TEST("the malloc under test is this library's")
{
    void *block = malloc(17);
    CHECK_EQUAL(17, malloc_usable_size(block));
    free(block);
}

TEST("malloc aligns every size to 16 bytes")
{
    for (size_t bytes = 0; bytes < 5000; bytes++) {
        void *block = malloc(bytes);
        CHECK(block != NULL && (uintptr_t)block % 16 == 0);
        free(block);
    }
    for (size_t bytes = 5000; bytes < 100u << 20; bytes = bytes * 3 / 2) {
        void *block = malloc(bytes);
        CHECK(block != NULL && (uintptr_t)block % 16 == 0);
        free(block);
    }
}

TEST("malloc of zero bytes gives a block of its own")
{
    void *first = malloc(0), *second = malloc(0);
    CHECK(first != NULL && second != NULL && first != second);
    CHECK_EQUAL(0, malloc_usable_size(first));
    free(first);
    free(second);
}

TEST("blocks do not overlap and keep what is written")
{
    enum { COUNT = 3000 };
    static unsigned char *blocks[COUNT];
    for (int i = 0; i < COUNT; i++) {
        blocks[i] = malloc((size_t)i * 7 % 2500 + 1);
        memset(blocks[i], i % 251, (size_t)i * 7 % 2500 + 1);
    }
    for (int i = 0; i < COUNT; i++) {
        CHECK(all_bytes(blocks[i], (size_t)i * 7 % 2500 + 1, i % 251));
        free(blocks[i]);
    }
}

TEST("malloc leaves errno alone when it succeeds and sets ENOMEM when it fails")
{
    errno = UNTOUCHED;
    void *small = malloc(10), *large = malloc(30 << 20);
    CHECK_EQUAL(UNTOUCHED, errno);
    free(small);
    free(large);
    CHECK_EQUAL(UNTOUCHED, errno);
    CHECK(malloc(huge) == NULL);
    CHECK_EQUAL(ENOMEM, errno);
    errno = 0;
    CHECK(malloc((size_t)PTRDIFF_MAX) == NULL);
    CHECK_EQUAL(ENOMEM, errno);
}

TEST("free leaves errno alone and takes null")
{
    void *blocks[100];
    for (int i = 0; i < 100; i++)
        blocks[i] = malloc((size_t)1 << (i % 24));
    errno = UNTOUCHED;
    free(NULL);
    for (int i = 0; i < 100; i++)
        free(blocks[i]);
    CHECK_EQUAL(UNTOUCHED, errno);
}

TEST("calloc clears recycled memory")
{
    for (size_t bytes = 1; bytes < 1 << 22; bytes = bytes * 2 + 1) {
        void *block = malloc(bytes);
        memset(block, 0xAA, bytes);
        free(block);
        block = calloc(1, bytes);
        CHECK(all_bytes(block, bytes, 0));
        free(block);
    }
}

TEST("calloc refuses products that overflow")
{
    volatile size_t half = (size_t)1 << 32;
    errno = 0;
    CHECK(calloc(half, half) == NULL);
    CHECK_EQUAL(ENOMEM, errno);
    CHECK(calloc(huge, 2) == NULL);
    CHECK(calloc(2, huge) == NULL);
    CHECK(calloc(half + 1, half - 1 + 2) == NULL);
    void *none = calloc(0, huge), *other = calloc(huge, 0);
    CHECK(none != NULL && other != NULL);
    free(none);
    free(other);
}

TEST("realloc of null allocates")
{
    void *block = realloc(NULL, 50);
    CHECK_EQUAL(50, malloc_usable_size(block));
    void *empty = realloc(NULL, 0);
    CHECK(empty != NULL);
    free(block);
    free(empty);
}

TEST("realloc to zero bytes frees, returns null and leaves errno alone")
{
    size_t before = mallinfo2().uordblks;
    void *block = malloc(1000);
    errno = UNTOUCHED;
    CHECK(realloc(block, 0) == NULL);
    CHECK_EQUAL(UNTOUCHED, errno);
    CHECK_EQUAL(before, mallinfo2().uordblks);
}

TEST("realloc keeps the contents through every size")
{
    unsigned char *block = malloc(1);
    block[0] = 0;
    size_t filled = 1;
    for (size_t bytes = 2; bytes < 3 << 20; bytes = bytes + bytes / 3 + 1) {
        block = realloc(block, bytes);
        CHECK_EQUAL(bytes, malloc_usable_size(block));
        for (size_t i = 0; i < filled; i += 61)
            CHECK_EQUAL(i * 31 % 251, block[i]);
        for (size_t i = 0; i < bytes; i++)
            block[i] = i * 31 % 251;
        filled = bytes;
    }
    for (size_t bytes = filled; bytes > 0; bytes = bytes * 2 / 3) {
        block = realloc(block, bytes);
        for (size_t i = 0; i < bytes; i += 61)
            CHECK_EQUAL(i * 31 % 251, block[i]);
    }
    free(block);
}

TEST("a realloc that fails leaves the block as it was")
{
    char *block = malloc(100);
    memset(block, 'x', 100);
    errno = 0;
    CHECK(realloc(block, huge) == NULL);
    CHECK_EQUAL(ENOMEM, errno);
    CHECK_EQUAL(100, malloc_usable_size(block));
    CHECK(all_bytes(block, 100, 'x'));
    free(block);
}

TEST("reallocarray multiplies and refuses overflow")
{
    int *block = reallocarray(NULL, 10, sizeof(int));
    CHECK_EQUAL(10 * sizeof(int), malloc_usable_size(block));
    block[9] = 42;
    errno = 0;
    void *volatile none = reallocarray(block, huge, sizeof(int));
    CHECK(none == NULL);
    CHECK_EQUAL(ENOMEM, errno);
    CHECK_EQUAL(42, block[9]);
    block = reallocarray(block, 20, sizeof(int));
    CHECK_EQUAL(42, block[9]);
    free(block);
}

TEST("every power of two is an alignment")
{
    for (size_t alignment = sizeof(void *); alignment <= 8 << 20; alignment *= 2)
        for (size_t bytes = 0; bytes <= 4 * alignment && bytes < 100000; bytes = bytes * 2 + 1) {
            void *first = NULL;
            CHECK_EQUAL(0, posix_memalign(&first, alignment, bytes));
            void *second = aligned_alloc(alignment, bytes), *third = memalign(alignment, bytes);
            CHECK(first != NULL && (uintptr_t)first % alignment == 0);
            CHECK(second != NULL && (uintptr_t)second % alignment == 0);
            CHECK(third != NULL && (uintptr_t)third % alignment == 0);
            CHECK_EQUAL(bytes, malloc_usable_size(first));
            memset(first, 1, bytes);
            memset(second, 2, bytes);
            memset(third, 3, bytes);
            CHECK(all_bytes(first, bytes, 1) && all_bytes(second, bytes, 2));
            free(first);
            free(second);
            free(third);
        }
}

TEST("an aligned block keeps its contents through realloc")
{
    unsigned char *block = aligned_alloc(4096, 5000);
    memset(block, 7, 5000);
    block = realloc(block, 200000);
    CHECK(all_bytes(block, 5000, 7));
    block = realloc(block, 10);
    CHECK(all_bytes(block, 10, 7));
    free(block);
}

TEST("posix_memalign answers by its result, not by errno")
{
    void *block = (void *)UNTOUCHED;
    errno = UNTOUCHED;
    CHECK_EQUAL(EINVAL, posix_memalign(&block, 0, 8));
    CHECK_EQUAL(EINVAL, posix_memalign(&block, 3, 8));
    CHECK_EQUAL(EINVAL, posix_memalign(&block, 4, 8));
    CHECK_EQUAL(EINVAL, posix_memalign(&block, 24, 8));
    CHECK_EQUAL(ENOMEM, posix_memalign(&block, 16, huge));
    CHECK_EQUAL(ENOMEM, posix_memalign(&block, (size_t)1 << 62, 8));
    CHECK_EQUAL(UNTOUCHED, errno);
    CHECK(block == (void *)UNTOUCHED);
}

TEST("aligned_alloc refuses what is no power of two and memalign rounds it up")
{
    errno = 0;
    CHECK(aligned_alloc(48, 100) == NULL);
    CHECK_EQUAL(EINVAL, errno);
    errno = 0;
    CHECK(aligned_alloc(64, huge) == NULL);
    CHECK_EQUAL(ENOMEM, errno);
    void *block = memalign(48, 100);
    CHECK(block != NULL && (uintptr_t)block % 64 == 0);
    free(block);
}

TEST("valloc and pvalloc give whole pages")
{
    size_t page = sysconf(_SC_PAGESIZE);
    void *one = valloc(10), *whole = pvalloc(page + 1);
    CHECK((uintptr_t)one % page == 0 && (uintptr_t)whole % page == 0);
    CHECK_EQUAL(10, malloc_usable_size(one));
    CHECK_EQUAL(2 * page, malloc_usable_size(whole));
    free(one);
    free(whole);
    errno = 0;
    CHECK(pvalloc(SIZE_MAX) == NULL);
    CHECK_EQUAL(ENOMEM, errno);
}

TEST("malloc_usable_size is what was asked for, and 0 for null")
{
    CHECK_EQUAL(0, malloc_usable_size(NULL));
    for (size_t bytes = 0; bytes < 3000; bytes += 7) {
        void *block = malloc(bytes);
        CHECK_EQUAL(bytes, malloc_usable_size(block));
        free(block);
    }
}

TEST("the sized frees of C23 free")
{
    void (*free_sized)(void *, size_t) = (void (*)(void *, size_t))dlsym(RTLD_DEFAULT, "free_sized");
    void (*free_aligned_sized)(void *, size_t, size_t) = (void (*)(void *, size_t, size_t))dlsym(RTLD_DEFAULT, "free_aligned_sized");
    CHECK(free_sized != NULL && free_aligned_sized != NULL);
    size_t before = mallinfo2().uordblks;
    free_sized(malloc(33), 33);
    free_aligned_sized(aligned_alloc(256, 512), 256, 512);
    free_sized(NULL, 0);
    free_aligned_sized(NULL, 16, 0);
    CHECK_EQUAL(before, mallinfo2().uordblks);
}

TEST("mallinfo2 counts the requested bytes")
{
    struct mallinfo2 before = mallinfo2();
    char *small = malloc(1234), *large = malloc(5 << 20);
    struct mallinfo2 between = mallinfo2();
    CHECK_EQUAL(1234 + (5 << 20), between.uordblks - before.uordblks);
    CHECK(between.arena >= between.uordblks);
    CHECK_EQUAL(between.arena - between.uordblks, between.fordblks);
    free(small);
    free(large);
    CHECK_EQUAL(before.uordblks, mallinfo2().uordblks);
}

TEST("malloc_trim gives freed memory back")
{
    enum { COUNT = 20000 };
    static void *blocks[COUNT];
    for (int i = 0; i < COUNT; i++)
        blocks[i] = memset(malloc(2000), 1, 2000);
    for (int i = 0; i < COUNT; i++)
        free(blocks[i]);
    size_t before = mallinfo2().arena;
    malloc_trim(0);
    CHECK(mallinfo2().arena <= before);
    CHECK(mallinfo2().arena < (size_t)COUNT * 2000 / 2);
    void *block = malloc(2000);
    CHECK(block != NULL);
    memset(block, 2, 2000);
    free(block);
}

static char *victim;
static void free_interior(void) { free(victim + 16); }
static void free_misaligned(void) { free(victim + 1); }
static void free_twice(void) { free(victim); free(victim); }
static void free_stack(void) { char local[64]; char *volatile address = local; free(address); }
static void free_static(void) { free((void *)&huge); }
static void free_unmapped(void) { free((void *)0x123456789000); }
static void realloc_freed(void) { free(victim); victim = realloc(victim, 500); }
static void print_statistics(void) { malloc_stats(); }

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

TEST("malloc_stats prints to standard error")
{
    char errors[500];
    CHECK_EQUAL(0, run_in_child(print_statistics, errors, sizeof errors));
    CHECK(strstr(errors, "bytes in use") != NULL);
}
