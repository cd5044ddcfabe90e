/* What malloc says about itself, as the programs that ask expect it. */
#include "contract.h"

TEST("the malloc under test is this library's")
{
    void *block = malloc(17);
    CHECK_EQUAL(17, malloc_usable_size(block));
    free(block);
}

TEST("mallinfo2 counts the requested bytes, and mallinfo the same")
{
    struct mallinfo2 before = mallinfo2();
    char *small = malloc(1234), *large = malloc(5 << 20);
    struct mallinfo2 between = mallinfo2();
    CHECK_EQUAL(1234 + (5 << 20), between.uordblks - before.uordblks);
    CHECK(between.arena >= between.uordblks);
    CHECK_EQUAL(between.arena - between.uordblks, between.fordblks);
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    struct mallinfo old = mallinfo();
    CHECK_EQUAL((int)between.uordblks, old.uordblks);
    CHECK_EQUAL((int)between.arena, old.arena);
    free(small);
    free(large);
    CHECK_EQUAL(before.uordblks, mallinfo2().uordblks);
}

TEST("malloc_trim gives freed memory back and says so")
{
    enum { COUNT = 20000 };
    static void *blocks[COUNT];
    for (int i = 0; i < COUNT; i++)
        blocks[i] = memset(malloc(2000), 1, 2000);
    for (int i = 0; i < COUNT; i++)
        free(blocks[i]);
    size_t before = mallinfo2().arena;
    errno = UNTOUCHED;
    int said = malloc_trim(0);
    CHECK(said == (mallinfo2().arena < before));
    CHECK_EQUAL(0, malloc_trim(0));
    CHECK_EQUAL(0, malloc_trim(SIZE_MAX));
    CHECK_EQUAL(UNTOUCHED, errno);
    CHECK(mallinfo2().arena < (size_t)COUNT * 2000 / 2);
    void *block = malloc(2000);
    CHECK(block != NULL);
    memset(block, 2, 2000);
    free(block);
}

static void print_statistics(void) { malloc_stats(); }

TEST("malloc_stats prints to standard error")
{
    char errors[500];
    CHECK_EQUAL(0, run_in_child(print_statistics, errors, sizeof errors));
    CHECK(strstr(errors, "bytes in use") != NULL);
}

TEST("malloc_info writes the figures of mallinfo2 as XML")
{
    char *text = NULL;
    size_t length;
    void *block = malloc(3 << 20);
    FILE *stream = open_memstream(&text, &length);
    setvbuf(stream, NULL, _IOFBF, 4000);
    CHECK_EQUAL(0, malloc_info(0, stream));
    fclose(stream);
    size_t system = 0, rest = 0;
    const char *totals = strstr(text, "<total type=\"rest\""), *current = strstr(text, "<system type=\"current\"");
    CHECK(strncmp(text, "<malloc version=\"1\">\n", 21) == 0 && strcmp(text + length - 10, "</malloc>\n") == 0);
    CHECK(totals != NULL && sscanf(totals, "<total type=\"rest\" count=\"%*u\" size=\"%zu\"/>", &rest) == 1);
    CHECK(current != NULL && sscanf(current, "<system type=\"current\" size=\"%zu\"/>", &system) == 1);
    CHECK(system >= (3 << 20) && rest < system);
    free(block);
    free(text);
    errno = 0;
    CHECK(malloc_info(1, stderr) != 0);
    CHECK_EQUAL(EINVAL, errno);
}

TEST("mallopt answers, and changes nothing")
{
    const int parameters[] = { M_MXFAST, M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD, M_MMAP_MAX, M_CHECK_ACTION, M_PERTURB, M_ARENA_TEST, M_ARENA_MAX };
    char *block = memset(malloc(100), 'o', 100);
    for (unsigned i = 0; i < sizeof parameters / sizeof *parameters; i++)
        CHECK_EQUAL(1, mallopt(parameters[i], 1));
    CHECK(malloc_usable_size(block) == 100 && all_bytes(block, 100, 'o'));
    for (const size_t *bytes = border_sizes; *bytes != 0; bytes++) {
        void *cleared = calloc(1, *bytes);
        CHECK(cleared != NULL && all_bytes(cleared, *bytes, 0));
        free(cleared);
    }
    free(block);
}
