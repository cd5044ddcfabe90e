/* A program whose memory ends: it allocates until it is refused, finds everything as it left it, frees half, and goes on. For limits that come from outside. */
#include "check.h"
#include <errno.h>
#include <sys/resource.h>

enum { MOST = 1 << 16, KiB = 1024, MiB = 1024 * 1024 };

static unsigned char **blocks;
static size_t sizes[] = { 24, 100, 700, 5000, 40000, 300 * KiB, 2 * MiB };
enum { SIZES = sizeof sizes / sizeof *sizes };

static size_t size_of(size_t i) { return sizes[i % SIZES]; }

/* How many blocks there were before one was refused; at most as many as fit into the bytes. */
static size_t fill(size_t most_bytes)
{
    size_t count = 0, bytes = 0;
    for (; count < MOST && bytes < most_bytes; count++) {
        size_t size = size_of(count);
        errno = 0;
        if (blocks[count] == NULL && (blocks[count] = malloc(size)) == NULL) {
            CHECK_EQUAL(ENOMEM, errno);
            return count;
        }
        blocks[count][0] = blocks[count][size - 1] = (unsigned char)(count * 11 + 3);
        bytes += size;
    }
    return count;
}

static size_t bytes_of(size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += size_of(i);
    return bytes;
}

static void check(size_t count)
{
    for (size_t i = 0; i < count; i++)
        CHECK(blocks[i] == NULL || (blocks[i][0] == (unsigned char)(i * 11 + 3) && blocks[i][size_of(i) - 1] == (unsigned char)(i * 11 + 3)));
}

static void until_refused(size_t most_bytes)
{
    static unsigned char *places[MOST];
    blocks = places;
    size_t first = fill(most_bytes), again = 0;
    check(first);
    for (size_t i = 0; i < first; i += 2) {
        free(blocks[i]);
        blocks[i] = NULL;
    }
    check(first);

    /*
     * What was freed serves again: at least three quarters of as many bytes as before. The system may now place a mapping where none was before, in another
     * 64 MiB of addresses: to know about those takes 4.25 MiB, which a small limit may have had for blocks. The block that is refused counts, since it may be the largest.
     */
    again = fill(most_bytes);
    check(again < first ? first : again);
    if (bytes_of(again + 1) + 4352 * KiB < bytes_of(first) / 4 * 3)
        fprintf(stderr, "%zu blocks before a refusal, and %zu after half of them was freed\n", first, again);
    CHECK(bytes_of(again + 1) + 4352 * KiB >= bytes_of(first) / 4 * 3);

    /* A block that cannot grow stays as it is. */
    for (size_t i = 0; i < first && i < 50; i++)
        if (blocks[i] != NULL) {
            unsigned char *grown = realloc(blocks[i], size_of(i) + (16 << 20)), value = (unsigned char)(i * 11 + 3);
            CHECK((grown != NULL ? grown : blocks[i])[size_of(i) - 1] == value);
            blocks[i] = grown != NULL ? grown : blocks[i];
            if (grown != NULL) {
                free(grown);
                blocks[i] = NULL;
            }
        }
    for (size_t i = 0; i < MOST; i++)
        free(blocks[i]);


    /* Under the smallest limits there is no room for the library itself: then every call is refused. */
    struct rlimit limit;
    getrlimit(RLIMIT_AS, &limit);
    void *block = calloc(1, 1000);
    CHECK(first == 0 || block != NULL);
    CHECK(first > 20 || limit.rlim_cur < 64 * MiB);
    free(block);
    fprintf(stderr, "%zu blocks, then %zu\n", first, again);
}

TEST("a program allocates until it is refused, frees half, and goes on") { until_refused((size_t)1 << 30); }

TEST("a program that has forked under the limit allocates until it is refused")
{
    pid_t child = fork();
    if (child == 0) {
        until_refused((size_t)1 << 30);
        _exit(check_failures != 0);
    }
    int status = -1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}
