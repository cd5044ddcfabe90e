/* Huge pages where the system gives them on request: the process heap has them where it is used densely, and nowhere that a program would notice it by its size. */
#include "check.h"
#include <pthread.h>

#include <sys/syscall.h>
#include <time.h>

enum { PAGE = 4096, HUGE = 2 << 20, MIB = 1 << 20 };

/* The library's clock too: no time passes, so that a slow machine, where it would do without huge pages, has them. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (clock != CLOCK_MONOTONIC)
        return (int)syscall(SYS_clock_gettime, clock, now);
    *now = (struct timespec){ .tv_sec = 1 };
    return 0;
}

/* The number behind a name in a file of the system's. */
static long number(const char *path, const char *name)
{
    char line[256];
    long found = -1;
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    while (file != NULL && fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0)
            found = atol(line + strlen(name));
    fclose(file);
    CHECK(found >= 0);
    return found;
}

/* KiB of this process. */
static long resident(void) { return number("/proc/self/smaps_rollup", "Rss:"); }
static long huge(void) { return number("/proc/self/smaps_rollup", "AnonHugePages:"); }

/* Huge pages that have become small ones, of all processes ever. */
static long divided(void) { return number("/proc/vmstat", "thp_split_page "); }

/* How many mappings there are, or only those in which the system is to make huge pages of what is touched, now and later. */
static int mappings(const char *flag)
{
    char line[512];
    int found = 0;
    FILE *file = fopen("/proc/self/smaps", "r");
    CHECK(file != NULL);
    while (file != NULL && fgets(line, sizeof line, file))
        found += strncmp(line, "VmFlags:", 8) == 0 && strstr(line, flag) != NULL;
    fclose(file);
    return found;
}

static char **blocks;
static size_t count;

/* As many blocks of one size as have so many bytes, of each of which so many are written. */
static void take(size_t total, size_t bytes, size_t written)
{
    count = total / bytes;
    CHECK((blocks = calloc(count, sizeof *blocks)) != NULL);
    for (size_t index = 0; index < count; index++) {
        CHECK((blocks[index] = malloc(bytes)) != NULL);
        memset(blocks[index], 1 + index % 200, written);
    }
}

/* Frees all of them but each so-manieth; 0 for none. */
static void drop(size_t kept)
{
    for (size_t index = 0; index < count; index++)
        if (kept == 0 || index % kept != 0)
            free(blocks[index]);
    if (kept == 0)
        free(blocks);
}

/* What is measured with huge pages and without: resident KiB that it costs. */
static long fill(void)
{
    long before = resident();
    take(128 * MIB, 100, 100);
    return resident() - before;
}

static long touch_first_pages(void)
{
    long before = resident();
    take(256 * MIB, 64 << 10, PAGE);
    return resident() - before;
}

static long free_all(void)
{
    long before = resident();
    take(256 * MIB, 200, 200);
    drop(0);
    return resident() - before;
}

static long leave_some(void)
{
    long before = resident();
    take(256 * MIB, 200, 200);
    drop(1000);
    return resident() - before;
}

static const struct { const char *name; long (*run)(void); } measures[] = {
    { "fill", fill }, { "touch_first_pages", touch_first_pages }, { "free_all", free_all }, { "leave_some", leave_some },
};

/* This program as another process that measures and ends. */
__attribute__((constructor)) static void measure_if_asked(void)
{
    const char *name = getenv("MEASURE");
    for (size_t index = 0; name != NULL && index < sizeof measures / sizeof *measures; index++)
        if (strcmp(name, measures[index].name) == 0) {
            long before = divided(), cost = measures[index].run();
            printf("%ld %ld %d %d %ld\n", cost, huge(), mappings(" hg"), mappings(""), divided() - before);
            exit(check_failures != 0);
        }
}

static struct { long cost, huge; int wishing, mappings; long divided; } measured;

static long cost_of(const char *name, int with)
{
    char self[512] = "", command[700];
    CHECK(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    snprintf(command, sizeof command, "PRIVATEHEAPS_HUGE_PAGES=%s MEASURE=%s '%s'", with ? "" : "0", name, self);
    FILE *other = popen(command, "r");
    CHECK(other != NULL && fscanf(other, "%ld %ld %d %d %ld", &measured.cost, &measured.huge, &measured.wishing, &measured.mappings, &measured.divided) == 5);
    CHECK_EQUAL(0, pclose(other));
    fprintf(stderr, "%s %s: %ld KiB, %ld of them huge, in %d mappings\n", name, with ? "with" : "without", measured.cost, measured.huge, measured.mappings);
    return measured.cost;
}

TEST("small blocks that fill 128 MiB lie in huge pages, unless the environment says no")
{
    long without = cost_of("fill", 0);
    CHECK_EQUAL(0, measured.huge);
    int mappings_without = measured.mappings;
    long with = cost_of("fill", 1);
    CHECK(measured.huge > 0 && measured.huge % (HUGE >> 10) == 0);
    CHECK_EQUAL(0, measured.wishing);
    CHECK(with <= without + without / 50);

    /* One for each step would be 50 more; a process may not have many. */
    CHECK(measured.mappings <= mappings_without + 8);
}

TEST("blocks of which only the first page is touched have small pages")
{
    long without = cost_of("touch_first_pages", 0), with = cost_of("touch_first_pages", 1);
    CHECK(with <= without + without / 10);
}

/* 3 percent, as without huge pages: see memory_returned.c. */
TEST("huge pages go back to the system when all blocks are freed")
{
    CHECK(cost_of("free_all", 1) <= 256 * 1024 * 3 / 100);
    CHECK_EQUAL(0, measured.wishing);
}

TEST("huge pages go back to the system in part, between the blocks that are left")
{
    long without = cost_of("leave_some", 0), with = cost_of("leave_some", 1);
    fprintf(stderr, "%ld huge pages were divided\n", measured.divided);

    /* What is left of one that is not divided is resident as far as it is used, and in memory as a whole. */
    CHECK(measured.divided >= 30);
    CHECK(with <= without + 256 * 1024 * 3 / 100);
}

/* Of eight large blocks one has small pages, and shows that they are not used: seven have the huge pages of 8 MiB by then. */
TEST("large blocks of which one page is touched are huge at most seven times after dense ones, and never else")
{
    enum { SPARSE = 64, BYTES = 16 * MIB };
    for (int dense = 0; dense <= 5; dense = 4 * dense + 1) {
        for (int index = 0; index < dense; index++)
            memset(malloc(BYTES), 1, BYTES);
        /* The page, and of the heap's own page entry, state and structures. */
        long before = resident(), most = SPARSE * 5 * (PAGE >> 10) + (dense ? 7 * 8 * (MIB >> 10) : 0);
        for (int index = 0; index < SPARSE; index++) {
            char *block = calloc(1, BYTES);
            CHECK(block != NULL && block[BYTES / 2] == 0);
            block[BYTES / 2] = 1;
        }
        long cost = resident() - before;
        fprintf(stderr, "after %d dense ones %ld KiB, at most %ld\n", dense, cost, most);
        CHECK(cost <= most);
    }
}

static void fill_numbers(uint32_t *block, size_t from, size_t to)
{
    for (size_t index = from / sizeof *block; index < to / sizeof *block; index++)
        block[index] = (uint32_t)(index * 2654435761u);
}

static int has_numbers(const uint32_t *block, size_t bytes)
{
    for (size_t index = 0; index < bytes / sizeof *block; index++)
        if (block[index] != (uint32_t)(index * 2654435761u))
            return 0;
    return 1;
}

TEST("a block that grows to 256 MiB, by doubling or by steps, keeps its bytes and becomes huge")
{
    const size_t most = (size_t)256 * MIB;
    for (size_t step = 0; step <= 37 * MIB; step += 37 * MIB / 2) {
        size_t bytes = MIB;
        uint32_t *block = malloc(bytes);
        fill_numbers(block, 0, bytes);
        while (bytes < most) {
            size_t more = step == 0 ? 2 * bytes : bytes + step < most ? bytes + step : most;
            CHECK((block = realloc(block, more)) != NULL);
            fill_numbers(block, bytes, more);
            bytes = more;
        }
        CHECK(has_numbers(block, bytes));
        fprintf(stderr, "steps of %zu: %ld KiB are huge\n", step, huge());
        CHECK(huge() > 0);
        for (; bytes > MIB; bytes /= 3)
            CHECK((block = realloc(block, bytes)) != NULL && has_numbers(block, bytes));
        free(block);
    }
}

TEST("a child of fork and its parent write to huge pages, and each sees its own")
{
    enum { BYTES = 64 * MIB };
    take(64 * MIB, 100, 100);
    uint32_t *large = malloc(BYTES / 16);
    fill_numbers(large, 0, BYTES / 16);
    large = realloc(large, BYTES);
    fill_numbers(large, BYTES / 16, BYTES);
    CHECK(huge() > 0);
    pid_t child = fork();
    int is_child = child == 0;
    for (size_t index = 0; index < count; index++) {
        CHECK(all_bytes(blocks[index], 100, 1 + index % 200));
        memset(blocks[index], is_child ? 251 : 252, 100);
    }
    CHECK(has_numbers(large, BYTES));
    memset(large, is_child ? 253 : 254, BYTES);
    for (size_t index = 0; index < count; index++)
        CHECK(all_bytes(blocks[index], 100, is_child ? 251 : 252));
    CHECK((large = realloc(large, BYTES / 2)) != NULL && all_bytes(large, BYTES / 2, is_child ? 253 : 254));
    drop(0);
    take(96 * MIB, 100, 100);
    for (size_t index = 0; index < count; index++)
        CHECK(all_bytes(blocks[index], 100, 1 + index % 200));
    if (is_child)
        _exit(check_failures != 0);
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_EQUAL(0, status);
}

enum { THREADS = 4, TURNS = 400, LIVE = 4 };

/* Each looks at the others' large blocks, in the middle of the resize or free that they are in, to know what to make of its own. */
static void *change_large_blocks(void *number)
{
    unsigned char *live[LIVE] = { 0 }, first = 1 + (unsigned char)(uintptr_t)number;
    size_t bytes[LIVE] = { 0 };
    unsigned state = 12345 * first;
    for (int turn = 0; turn < TURNS; turn++) {
        int which = turn % LIVE;
        size_t wanted = MIB + (size_t)(rand_r(&state) % 1024) * 8 * 1024;
        if (turn % 3 == 0) {
            free(live[which]);
            CHECK((live[which] = calloc(1, wanted)) != NULL && all_bytes(live[which], wanted, 0));
            bytes[which] = 0;
        } else {
            CHECK((live[which] = realloc(live[which], wanted)) != NULL);
            bytes[which] = bytes[which] < wanted ? bytes[which] : wanted;
        }
        CHECK(all_bytes(live[which], bytes[which], first));
        bytes[which] = turn % 2 ? wanted : wanted / 4;
        memset(live[which], first, bytes[which]);
    }
    for (int which = 0; which < LIVE; which++)
        free(live[which]);
    return NULL;
}

TEST("threads that take, resize and free large blocks at once find their own bytes and zeros")
{
    pthread_t threads[THREADS];
    for (uintptr_t number = 0; number < THREADS; number++)
        CHECK(pthread_create(&threads[number], NULL, change_large_blocks, (void *)number) == 0);
    for (int number = 0; number < THREADS; number++)
        pthread_join(threads[number], NULL);
}
