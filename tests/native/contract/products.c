/* calloc and reallocarray multiply, and refuse a product that no size_t holds. */
#include "contract.h"

static const size_t half = (size_t)1 << 32;

TEST("products that overflow are refused with ENOMEM")
{
    const size_t third = SIZE_MAX / 3;
    const struct { size_t count, size; } products[] = { { half, half }, { half + 1, half - 1 + 2 }, { SIZE_MAX, 2 }, { SIZE_MAX, SIZE_MAX }, { SIZE_MAX / 2 + 1, 2 },
        { third + 1, 3 }, { third + 2, 3 }, { (size_t)1 << 63, 2 }, { (size_t)1 << 63, 16 }, { ((size_t)1 << 60) + 1, 16 }, { half * 2, half }, { half * 3, half * 5 },
        { 0x5555555555555556, 3 }, { half, half - 1 }, { third, 3 } }; /* the last two fit and are hopeless */
    char *block = memset(malloc(24), 'k', 24);
    size_t before = in_use();
    for (unsigned i = 0; i < sizeof products / sizeof *products; i++)
        for (int turned = 0; turned < 2; turned++) {
            size_t count = turned ? products[i].size : products[i].count, size = turned ? products[i].count : products[i].size;
            errno = 0;
            CHECK(calloc(count, size) == NULL);
            CHECK_EQUAL(ENOMEM, errno);
            errno = 0;
            CHECK(reallocarray(NULL, count, size) == NULL);
            CHECK_EQUAL(ENOMEM, errno);
            errno = 0;
            void *volatile resized = reallocarray(block, count, size);
            CHECK(resized == NULL);
            CHECK_EQUAL(ENOMEM, errno);
            CHECK(malloc_usable_size(block) == 24 && all_bytes(block, 24, 'k'));
        }
    CHECK_EQUAL(before, in_use());
    free(block);
}

TEST("products that fit are multiplied, with factors of more than half a word too")
{
    const struct { size_t count, size; } products[] = { { 1, 1 }, { 3, 7 }, { 65537, 3 }, { 1, half / 1024 }, { 10, sizeof(int) }, { 0, half * 2 }, { half * 2, 0 } };
    for (unsigned i = 0; i < sizeof products / sizeof *products; i++) {
        size_t bytes = products[i].count * products[i].size;
        char *cleared = calloc(products[i].count, products[i].size), *array = reallocarray(NULL, products[i].count, products[i].size);
        CHECK(cleared != NULL && array != NULL && all_bytes(cleared, bytes, 0));
        CHECK_EQUAL(bytes, malloc_usable_size(cleared));
        CHECK_EQUAL(bytes, malloc_usable_size(array));
        free(cleared);
        free(array);
    }
}

TEST("reallocarray keeps what the block held")
{
    int *numbers = reallocarray(NULL, 10, sizeof(int));
    for (int i = 0; i < 10; i++)
        numbers[i] = i;
    for (size_t count = 20; count < 2000000; count *= 3) {
        numbers = reallocarray(numbers, count, sizeof(int));
        CHECK_EQUAL(count * sizeof(int), malloc_usable_size(numbers));
        for (int i = 0; i < 10; i++)
            CHECK_EQUAL(i, numbers[i]);
    }
    free(numbers);
}
