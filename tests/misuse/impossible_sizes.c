/* Requests that nobody can serve. They are refused with the documented error, and a block that was to grow stands. */
#include "misuse.h"

/* Volatile: the compiler knows such sizes for what they are. */
static volatile size_t all_bits = SIZE_MAX, half = SIZE_MAX / 2 + 1, word = (size_t)1 << 32;

#if HEAP_FACE
#include "heap.h"

static void unserved(void *block, const char *function)
{
    if (block != NULL)
        harm("%s serves what nobody can serve", function);
    took(answer_of(0, function, UNTOUCHED));
    SetLastError(UNTOUCHED);
}

static void sizes_for_alloc(void)
{
    SetLastError(UNTOUCHED);
    for (size_t less = 0; less < 5000; less += 7) {
        unserved(HeapAlloc(heap, 0, all_bits - less), "HeapAlloc");
        unserved(HeapAlloc(heap, HEAP_ZERO_MEMORY, half - less), "HeapAlloc");
    }
}

static void sizes_for_realloc(void)
{
    SetLastError(UNTOUCHED);
    for (size_t less = 0; less < 5000; less += 7) {
        unserved(HeapReAlloc(heap, 0, victim, all_bits - less), "HeapReAlloc");
        unserved(HeapReAlloc(heap, HEAP_ZERO_MEMORY, victim, half - less), "HeapReAlloc");
    }
}

static void more_than_the_maximum(void)
{
    HANDLE bounded = HeapCreate(0, 0, 1 * MiB);
    SetLastError(UNTOUCHED);
    unserved(HeapAlloc(bounded, 0, 2 * MiB), "HeapAlloc");
    unserved(HeapAlloc(bounded, 0, word), "HeapAlloc");
}

static const struct idea ideas[] = {
    { "HeapAlloc of impossible sizes", sizes_for_alloc, ONLY, SAME, WRONG_SIZE },
    { "HeapReAlloc to impossible sizes", sizes_for_realloc, FEW, SAME, WRONG_SIZE },
    { "HeapAlloc of more than the heap's maximum", more_than_the_maximum, ONLY, SAME, UNSERVED },
};
#else
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

static void unserved(const void *block, const char *function, int documented)
{
    if (block != NULL)
        harm("%s serves what nobody can serve", function);
    if (errno != documented)
        harm("%s sets errno to %d, not %d", function, errno, documented);
    took(REFUSED);
    errno = 0;
}

static void sizes_for_malloc(void)
{
    errno = 0;
    for (size_t less = 0; less < 5000; less += 7) {
        unserved(malloc(all_bits - less), "malloc", ENOMEM);
        unserved(malloc(half - less), "malloc", ENOMEM);
        unserved(pvalloc(all_bits - less), "pvalloc", ENOMEM);
    }
}

static void products_for_calloc(void)
{
    errno = 0;
    unserved(calloc(half, 2), "calloc", ENOMEM);
    unserved(calloc(2, half), "calloc", ENOMEM);
    unserved(calloc(word, word), "calloc", ENOMEM);
    unserved(calloc(word + 1, word), "calloc", ENOMEM);
    unserved(calloc(all_bits, all_bits), "calloc", ENOMEM);
}

static void sizes_for_realloc(void)
{
    errno = 0;
    unserved(realloc(victim, all_bits), "realloc", ENOMEM);
    unserved(realloc(victim, half), "realloc", ENOMEM);
    unserved(reallocarray(victim, word, word), "reallocarray", ENOMEM);
    unserved(reallocarray(victim, half + 1, 2), "reallocarray", ENOMEM);
}

static void alignments(void)
{
    errno = 0;
    unserved(aligned_alloc((size_t)1 << 62, 1), "aligned_alloc", ENOMEM);
    unserved(aligned_alloc(half, 1), "aligned_alloc", ENOMEM);
    unserved(aligned_alloc(4096, all_bits - 100), "aligned_alloc", ENOMEM);
    unserved(aligned_alloc(48, 480), "aligned_alloc", EINVAL);
    unserved(memalign(half + 1, 1), "memalign", EINVAL);
    void *untouched = &errno, *result = untouched;
    if (posix_memalign(&result, 24, 100) != EINVAL || posix_memalign(&result, 4, 100) != EINVAL || posix_memalign(&result, half, 100) != ENOMEM ||
        result != untouched || errno != 0)
        harm("posix_memalign does not refuse as documented");
}

static const struct idea ideas[] = {
    { "malloc of impossible sizes", sizes_for_malloc, ONLY, SAME, WRONG_SIZE },
    { "calloc of products that overflow", products_for_calloc, ONLY, SAME, UNSERVED },
    { "realloc to impossible sizes", sizes_for_realloc, FEW, SAME, WRONG_SIZE },
    { "impossible alignments", alignments, ONLY, SAME, WRONG_SIZE },
};
#endif
IDEAS(ideas)
