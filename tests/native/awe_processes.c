/* Frames among threads and processes, and in a process that closes files that it does not know. */
#include "virtual_check.h"
#include <pthread.h>
#include <stdatomic.h>

enum { PAGES = 32 };

static const HANDLE me = (HANDLE)(LONG_PTR)-1;
static char *window;
static ULONG_PTR frames[PAGES];

static char *open_window(ULONG_PTR *numbers, int value)
{
    ULONG_PTR count = PAGES;
    char *start = must_alloc(PAGES * PAGE, MEM_RESERVE | MEM_PHYSICAL, PAGE_READWRITE);
    CHECK(AllocateUserPhysicalPages(me, &count, numbers) && count == PAGES);
    CHECK(MapUserPhysicalPages(start, PAGES, numbers));
    CHECK(all_bytes(start, PAGES * PAGE, 0));
    memset(start, value, PAGES * PAGE);
    return start;
}

static void close_window(char *start, ULONG_PTR *numbers)
{
    ULONG_PTR count = PAGES;
    CHECK(FreeUserPhysicalPages(me, &count, numbers));
    must_release(start);
}

static void check_lost(char *start, ULONG_PTR *numbers)
{
    ULONG_PTR count = PAGES;
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !FreeUserPhysicalPages(me, &count, numbers));
    CHECK_EQUAL(0, count);
    CHECK_ERROR(ERROR_INVALID_PARAMETER, !MapUserPhysicalPages(start, 1, numbers));
    CHECK(!can_read(start));
    check_region(start, start, PAGE_READWRITE, PAGES * PAGE, 0);
}

static void use_in_child(void)
{
    ULONG_PTR own[PAGES];
    alarm(10);
    CHECK(all_bytes(window, PAGES * PAGE, 7));
    check_region(window, window, PAGE_READWRITE, PAGES * PAGE, PAGE_READWRITE);
    check_lost(window, frames);
    char *start = open_window(own, 9);
    CHECK(MapUserPhysicalPages(start, PAGES, NULL) && MapUserPhysicalPages(window, PAGES, own));
    CHECK(all_bytes(window, PAGES * PAGE, 9));
    must_release(start);
    close_window(window, own);
}

static void release_in_child(void)
{
    ULONG_PTR own[PAGES];
    CHECK(all_bytes(window, PAGES * PAGE, 7));
    must_release(window);
    close_window(open_window(own, 9), own);
}

static void check_child(void (*child)(void))
{
    char errors[2000];
    CHECK_EQUAL(0, run_in_child(child, errors, sizeof errors));
    fputs(errors, stderr);
}

TEST("a child of fork sees its parent's frames, and has none")
{
    window = open_window(frames, 7);
    check_child(use_in_child);
    CHECK(all_bytes(window, PAGES * PAGE, 7));
    check_child(release_in_child);
    CHECK(all_bytes(window, PAGES * PAGE, 7));
    CHECK(MapUserPhysicalPages(window, 1, NULL) && MapUserPhysicalPages(window, 1, frames));
    CHECK(all_bytes(window, PAGES * PAGE, 7));
    close_window(window, frames);
}

static int freed[2], written[2];

static void write_late(void)
{
    char byte;
    CHECK(read(freed[0], &byte, 1) == 1);
    memset(window, 5, PAGES * PAGE);
    CHECK(write(written[1], &byte, 1) == 1);
}

TEST("frames are zero although a child of fork wrote into them when they were free")
{
    ULONG_PTR own[PAGES];
    char byte = 0;
    int status;
    CHECK(pipe(freed) == 0 && pipe(written) == 0);
    window = open_window(frames, 7);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        alarm(10);
        write_late();
        _exit(check_failures != 0);
    }
    close_window(window, frames);
    CHECK(write(freed[1], &byte, 1) == 1 && read(written[0], &byte, 1) == 1);
    close_window(open_window(own, 9), own);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static atomic_int stop;

static void *hammer(void *argument)
{
    ULONG_PTR own[PAGES];
    unsigned char value = (unsigned char)(uintptr_t)argument;
    for (int round = 0; round < 400 && !atomic_load(&stop); round++) {
        char *start = open_window(own, value);
        CHECK(MapUserPhysicalPages(start, PAGES / 2, NULL) && !can_read(start));
        CHECK(MapUserPhysicalPages(start + PAGES / 2 * PAGE, PAGES / 2, own));
        CHECK(all_bytes(start + PAGES / 2 * PAGE, PAGES / 2 * PAGE, value));
        memset(start + PAGES / 2 * PAGE, value + 1, PAGES / 2 * PAGE);
        CHECK(MapUserPhysicalPages(start, PAGES / 2, own + PAGES / 2));
        CHECK(all_bytes(start, PAGES / 2 * PAGE, value) && all_bytes(start + PAGES / 2 * PAGE, PAGES / 2 * PAGE, value + 1));
        close_window(start, own);
    }
    return NULL;
}

static void with_hammers(int forks)
{
    pthread_t threads[4];
    window = open_window(frames, 7);
    atomic_store(&stop, 0);
    for (uintptr_t i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, hammer, (void *)(i * 10 + 20));
    for (int i = 0; i < forks; i++)
        check_child(use_in_child);
    atomic_store(&stop, forks != 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    CHECK(all_bytes(window, PAGES * PAGE, 7));
    close_window(window, frames);
}

TEST("threads take, map and give frames at the same time") { with_hammers(0); }

TEST("a child of fork has frames of its own while the parent's threads map theirs") { with_hammers(60); }

static void close_all_files(void)
{
    char name[] = "/tmp/awe-XXXXXX", contents[2 * PAGE];
    ULONG_PTR own[PAGES];
    window = open_window(frames, 7);
    for (int file = 3; file < 100; file++)
        close(file);
    /* A file of the program's own may now have the number that the frames had. */
    int file = mkstemp(name);
    memset(contents, 'x', sizeof contents);
    CHECK(file >= 0 && unlink(name) == 0 && write(file, contents, sizeof contents) == sizeof contents);
    CHECK(all_bytes(window, PAGES * PAGE, 7));
    check_lost(window, frames);
    close_window(open_window(own, 9), own);
    memset(contents, 0, sizeof contents);
    CHECK(pread(file, contents, sizeof contents, 0) == sizeof contents && all_bytes(contents, sizeof contents, 'x'));
    must_release(window);
}

TEST("a program that closes the frames' file loses its frames and nothing else") { check_child(close_all_files); }
