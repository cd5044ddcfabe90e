/* malloc when every call to the system may fail; and that zero is zero whatever the system does with what it was given back. */
#include "faults.h"
#include <malloc.h>
#include <pthread.h>

extern char **environ;

enum { MOST = 600, SAMPLE = 128 * 1024, KiB = 1024, MiB = 1024 * 1024 };

static struct { unsigned char *at; size_t bytes; unsigned char value; } blocks[MOST];
static int block_count;

static void check_blocks(void)
{
    for (int i = 0; i < block_count; i++) {
        HOLDS(malloc_usable_size(blocks[i].at) == blocks[i].bytes, "a block of %zu bytes is live", blocks[i].bytes);
        for (size_t at = 0; at < blocks[i].bytes; at += at < 64 ? 1 : SAMPLE)
            HOLDS(blocks[i].at[at] == blocks[i].value, "byte %zu of %zu", at, blocks[i].bytes);
    }
}

/* After a call: refused only if one of the system's was, with ENOMEM; errno as it was if not, whatever had to be recovered from. */
static void check_result(const char *name, int before, const void *result, size_t bytes)
{
    int error = errno;
    HOLDS(result != NULL || refusals != before, "%s of %zu bytes is refused", name, bytes);
    HOLDS(error == (result == NULL ? ENOMEM : UNTOUCHED_ERRNO), "%s of %zu bytes leaves errno %d", name, bytes, error);
}

static void *add(const char *name, unsigned char *block, size_t bytes, int before)
{
    check_result(name, before, block, bytes);
    if (block != NULL) {
        blocks[block_count].at = block;
        blocks[block_count].bytes = bytes;
        blocks[block_count].value = (unsigned char)(block_count * 7 + 1);
        for (size_t at = 0; at < bytes; at += at < 64 ? 1 : SAMPLE)
            block[at] = blocks[block_count].value;
        block_count++;
    }
    if (refusals != before)
        check_blocks();
    return block;
}

static void allocate(size_t bytes)
{
    int before = refusals;
    errno = UNTOUCHED_ERRNO;
    add("malloc", malloc(bytes), bytes, before);
}

static void allocate_zeroed(size_t bytes)
{
    int before = refusals;
    errno = UNTOUCHED_ERRNO;
    char *block = calloc(1, bytes);
    int error = errno;
    for (size_t at = 0; block != NULL && at < bytes; at += 512)
        HOLDS(block[at] == 0, "byte %zu of %zu is zero", at, bytes);
    errno = error;
    add("calloc", (unsigned char *)block, bytes, before);
}

static void allocate_aligned(size_t alignment, size_t bytes)
{
    int before = refusals;
    errno = UNTOUCHED_ERRNO;
    void *block = aligned_alloc(alignment, bytes);
    HOLDS((uintptr_t)block % alignment == 0, "%zu bytes at a multiple of %zu", bytes, alignment);
    add("aligned_alloc", block, bytes, before);
    before = refusals;
    errno = UNTOUCHED_ERRNO;
    block = NULL;
    int result = posix_memalign(&block, alignment, bytes);
    HOLDS(errno == UNTOUCHED_ERRNO && result == (block == NULL ? ENOMEM : 0), "posix_memalign answers %d", result);
    errno = block == NULL ? ENOMEM : errno;
    add("posix_memalign", block, bytes, before);
}

static void resize(int i, size_t bytes)
{
    if (i < 0 || i >= block_count)
        return;
    int before = refusals;
    size_t kept = blocks[i].bytes < bytes ? blocks[i].bytes : bytes;
    errno = UNTOUCHED_ERRNO;
    unsigned char *block = realloc(blocks[i].at, bytes);
    check_result("realloc", before, block, bytes);
    if (block != NULL) {
        blocks[i].at = block;
        blocks[i].bytes = bytes;
        for (size_t at = 0; at < bytes; at += at < 64 ? 1 : SAMPLE) {
            HOLDS(at >= kept || block[at] == blocks[i].value, "byte %zu of %zu after realloc", at, bytes);
            block[at] = blocks[i].value;
        }
    }
    if (refusals != before)
        check_blocks();
}

static void release(int i)
{
    int before = refusals;
    errno = UNTOUCHED_ERRNO;
    free(blocks[i].at);
    HOLDS(errno == UNTOUCHED_ERRNO, "free leaves errno %d", errno);
    blocks[i] = blocks[--block_count];
    if (refusals != before)
        check_blocks();
}

static void *in_thread(void *unused)
{
    void *mine[30];
    for (int i = 0; i < 30; i++)
        mine[i] = malloc((size_t)i * 100);
    for (int i = 0; i < 30; i++)
        free(mine[i]);
    return unused;
}

static void life(void)
{
    for (size_t i = 0; i < 60; i++)
        i % 3 == 0 ? allocate_zeroed(i * 97 % 1024) : allocate(i * 97 % 1024);
    static const size_t sizes[] = { 2000, 8000, 20000, 32 * KiB, 33 * KiB, 100 * KiB, 256 * KiB, 257 * KiB, 600 * KiB, 0xFF000, 3 * MiB };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        allocate(sizes[i]);
        allocate_zeroed(sizes[i]);
    }
    allocate_aligned(64 * KiB, 5000);
    allocate_aligned(2 * MiB, 100);
    allocate_aligned(4 * MiB, 3 * MiB);
    for (int i = 0; i < 400; i++)
        allocate(200 * KiB);
    while (block_count > 80)
        release(block_count - 1);
    pthread_t thread;
    if (pthread_create(&thread, NULL, in_thread, NULL) == 0)
        pthread_join(thread, NULL);
    allocate(9 * MiB);
    resize(block_count - 1, 5 * MiB);
    resize(block_count - 1, 12 * MiB);
    resize(block_count - 1, 300 * KiB);
    for (size_t bytes = 2 * MiB; bytes < 9 * MiB; bytes += MiB) {
        allocate(bytes);
        release(block_count - 1);
        allocate_zeroed(bytes + bytes / 4);
    }
    for (int i = 0; i < block_count; i += 3) {
        resize(i, blocks[i].bytes + 40);
        resize(i + 1, i + 1 < block_count ? blocks[i + 1].bytes / 2 + 1 : 0);
        resize(i + 2, i + 2 < block_count ? blocks[i + 2].bytes * 3 + 1 : 0);
    }
    for (int i = 0; i < block_count; i++)
        release(i);
    malloc_trim(0);
    for (size_t bytes = 16; bytes < 6 * MiB; bytes = bytes * 3 + 5)
        allocate_zeroed(bytes);
    while (block_count != 0)
        release(block_count - 1);
}

TEST("every call to the system may fail, and malloc loses nothing by it")
{
    life();
    size_t before = mallinfo2().uordblks;
    with_every_refusal(life);
    CHECK_EQUAL(before, mallinfo2().uordblks);
}

/* The process that is refused from its first call on: it asks until it is served, and then goes through a life. */
static int is_started_child(void) { return getenv("REFUSE") != NULL; }

TEST("a process whose first calls to the system fail is served as soon as they do not")
{
    if (is_started_child()) {
        char *first = malloc(100);
        int had = refusals;
        HOLDS(first != NULL || had != 0, "malloc is refused at the start");
        restore();
        HOLDS(first != NULL || (first = malloc(100)) != NULL, "malloc is refused when memory is back");
        free(first);
        life();
        _exit(check_failures != 0 ? 1 : had == 0 ? 7 : 0);
    }
    int most = 0;
    for (int until_restored = 0; until_restored < 2; until_restored++)
        for (int count = 1;; count++) {
            char refusal[60], sentence[] = "a process whose first calls to the system fail is served as soon as they do not", *arguments[] = { "faults", sentence, NULL };
            snprintf(refusal, sizeof refusal, "%d %d %d", ALL_CALLS, count, until_restored);
            setenv("REFUSE", refusal, 1);
            fflush(NULL);
            pid_t child = fork();
            if (child == 0) {
                execve("/proc/self/exe", arguments, environ);
                _exit(9);
            }
            int status = -1;
            waitpid(child, &status, 0);
            unsetenv("REFUSE");
            if (WIFEXITED(status) && WEXITSTATUS(status) == 7)
                break;
            if (status != 0)
                fprintf(stderr, "with call %d%s refused the status is %d\n", count, until_restored ? " and all after it" : "", status);
            CHECK(status == 0);
            most = count > most ? count : most;
            if (status != 0)
                break;
        }
    CHECK(most >= 5);
}

/* At the edges of all sizes that are treated alike. */
static void zeroed_is_zero(void)
{
    static const size_t edges[] = { 16, 32, 128, 160, 1024, 1280, 2048, 4096, 8192, 10240, 32 * KiB, 40 * KiB, 64 * KiB, 256 * KiB, 260 * KiB, 512 * KiB, 0xFF000, MiB,
        2 * MiB, 5 * MiB };
    for (size_t edge = 0; edge < sizeof edges / sizeof *edges; edge++)
        for (size_t bytes = edges[edge] - 1; bytes <= edges[edge] + 1; bytes++) {
            for (int turn = 0; turn < 4; turn++) {
                char *some[4];
                for (int i = 0; i < 4; i++) {
                    some[i] = calloc(1, bytes);
                    CHECK(some[i] != NULL && all_bytes(some[i], bytes, 0));
                    memset(some[i], 0xC9, bytes);
                    some[i] = realloc(some[i], turn == 3 ? bytes / 5 + 1 : bytes * 2);
                }
                for (int i = 0; i < 4; i++)
                    free(some[i]);
                if (turn % 2 == 1)
                    malloc_trim(0);
            }
        }
}

TEST("zeroed memory is zero when the system gives contents back") { zeroed_is_zero(); }

TEST("zeroed memory is zero when the system refuses to give contents back") { advice = FAILS; zeroed_is_zero(); }

TEST("zeroed memory is zero when the system says that it gives contents back and does not") { advice = DOES_NOTHING; zeroed_is_zero(); }
