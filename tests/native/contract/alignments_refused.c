/* Alignments that are none, and sizes that an alignment makes too large. */
#include "contract.h"

static const size_t no_powers[] = { 3, 5, 6, 7, 9, 12, 15, 17, 24, 48, 100, 4095, 4097, 3 * PAGE, ((size_t)1 << 32) + 1, ((size_t)1 << 62) + 8, SIZE_MAX / 2, SIZE_MAX - 7, SIZE_MAX };
enum { NO_POWERS = sizeof no_powers / sizeof *no_powers };

TEST("posix_memalign answers by its result alone, and leaves errno and the pointer")
{
    void *const kept = (void *)UNTOUCHED;
    void *block = kept;
    errno = UNTOUCHED;
    for (size_t small = 0; small < sizeof(void *); small++)
        CHECK_EQUAL(EINVAL, posix_memalign(&block, small, 8));
    for (int i = 0; i < NO_POWERS; i++) {
        CHECK_EQUAL(EINVAL, posix_memalign(&block, no_powers[i], 8));
        CHECK_EQUAL(EINVAL, posix_memalign(&block, no_powers[i], 0));
        CHECK_EQUAL(EINVAL, posix_memalign(&block, no_powers[i], SIZE_MAX));
    }
    for (size_t alignment = sizeof(void *); alignment != 0; alignment *= 2)
        for (int i = 0; i < HOPELESS; i++)
            CHECK_EQUAL(ENOMEM, posix_memalign(&block, alignment, hopeless_sizes[i]));
    for (size_t alignment = (size_t)1 << 48; alignment != 0; alignment *= 2)
        CHECK_EQUAL(ENOMEM, posix_memalign(&block, alignment, 8));
    CHECK_EQUAL(UNTOUCHED, errno);
    CHECK(block == kept);
}

TEST("aligned_alloc refuses with EINVAL what is no power of two, and with ENOMEM what is too large")
{
    for (int i = -1; i < NO_POWERS; i++) {
        errno = 0;
        CHECK(aligned_alloc(i < 0 ? 0 : no_powers[i], 100) == NULL);
        CHECK_EQUAL(EINVAL, errno);
    }
    for (size_t alignment = 1; alignment != 0; alignment *= 2)
        for (int i = 0; i < HOPELESS; i++) {
            errno = 0;
            CHECK(aligned_alloc(alignment, hopeless_sizes[i]) == NULL);
            CHECK_EQUAL(ENOMEM, errno);
        }
    for (size_t alignment = (size_t)1 << 48; alignment != 0; alignment *= 2) {
        errno = 0;
        CHECK(aligned_alloc(alignment, 8) == NULL);
        CHECK_EQUAL(ENOMEM, errno);
    }
}

TEST("memalign rounds an alignment up to a power of two, and refuses where there is none")
{
    const struct { size_t given, meant; } alignments[] = { { 0, 16 }, { 1, 16 }, { 3, 16 }, { 24, 32 }, { 48, 64 }, { 100, 128 }, { 4095, 4096 }, { 4097, 8192 }, { 3 * PAGE, 4 * PAGE } };
    for (unsigned i = 0; i < sizeof alignments / sizeof *alignments; i++) {
        errno = UNTOUCHED;
        char *block = memalign(alignments[i].given, 100);
        CHECK(block != NULL && (uintptr_t)block % alignments[i].meant == 0);
        CHECK_EQUAL(100, malloc_usable_size(block));
        CHECK_EQUAL(UNTOUCHED, errno);
        free(block);
    }
    const size_t beyond[] = { ((size_t)1 << 63) + 1, SIZE_MAX - 7, SIZE_MAX };
    for (unsigned i = 0; i < sizeof beyond / sizeof *beyond; i++) {
        errno = 0;
        CHECK(memalign(beyond[i], 8) == NULL);
        CHECK_EQUAL(EINVAL, errno);
    }
    errno = 0;
    CHECK(memalign((size_t)1 << 63, 8) == NULL);
    CHECK_EQUAL(ENOMEM, errno);
}
