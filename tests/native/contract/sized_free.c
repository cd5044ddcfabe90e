/* free_sized and free_aligned_sized of C23. They free by the address, which decides exactly; what they are told beside it is not looked at. */
#include "contract.h"
#include <dlfcn.h>

static void (*sized)(void *, size_t);
static void (*aligned_sized)(void *, size_t, size_t);

/* This system's headers may be older than the functions. */
static void find_functions(void)
{
    sized = (void (*)(void *, size_t))dlsym(RTLD_DEFAULT, "free_sized");
    aligned_sized = (void (*)(void *, size_t, size_t))dlsym(RTLD_DEFAULT, "free_aligned_sized");
    CHECK(sized != NULL && aligned_sized != NULL);
}

TEST("the sized frees free blocks of every size and take null")
{
    find_functions();
    size_t before = in_use();
    for (const size_t *bytes = border_sizes; *bytes != 0; bytes++) {
        void *blocks[] = { malloc(*bytes), calloc(1, *bytes), realloc(NULL, *bytes), aligned_alloc(256, *bytes), aligned_alloc(PAGE, *bytes) };
        errno = UNTOUCHED;
        for (int i = 0; i < 3; i++)
            sized(blocks[i], *bytes);
        aligned_sized(blocks[3], 256, *bytes);
        aligned_sized(blocks[4], PAGE, *bytes);
        CHECK_EQUAL(UNTOUCHED, errno);
    }
    sized(NULL, 0);
    sized(NULL, 100);
    aligned_sized(NULL, 16, 0);
    aligned_sized(NULL, 0, 100);
    CHECK_EQUAL(before, in_use());
}

TEST("a sized free that is told a wrong size or alignment frees the block, and only that")
{
    find_functions();
    size_t before = in_use();
    for (const size_t *bytes = border_sizes; *bytes != 0 && *bytes < MIB; bytes++) {
        const size_t told[] = { 0, 1, *bytes - 1, *bytes + 1, *bytes * 2, SIZE_MAX };
        for (unsigned i = 0; i < sizeof told / sizeof *told; i++) {
            char *neighbors[2] = { memset(malloc(*bytes), 'n', *bytes), NULL }, *block = malloc(*bytes), *aligned = aligned_alloc(64, *bytes);
            neighbors[1] = memset(malloc(*bytes), 'n', *bytes);
            sized(block, told[i]);
            aligned_sized(aligned, told[i], told[i]);
            CHECK(all_bytes(neighbors[0], *bytes, 'n') && all_bytes(neighbors[1], *bytes, 'n'));
            free(neighbors[0]);
            free(neighbors[1]);
        }
    }
    CHECK_EQUAL(before, in_use());
}

static char *victim;
static void free_sized_twice(void) { free(victim); sized(victim, 100); }
static void free_aligned_sized_twice(void) { free(victim); aligned_sized(victim, 16, 100); }

TEST("a sized free of what is no block ends the process as free does")
{
    find_functions();
    char errors[500];
    victim = malloc(100);
    CHECK(WIFSIGNALED(run_in_child(free_sized_twice, errors, sizeof errors)) && strstr(errors, "already freed") != NULL);
    CHECK(WIFSIGNALED(run_in_child(free_aligned_sized_twice, errors, sizeof errors)) && strstr(errors, "already freed") != NULL);
    free(victim);
}
