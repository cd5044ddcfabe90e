/* The face of malloc. */
#include "misuse.h"
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

const struct shape shapes[SHAPE_COUNT] = {
    { "24 B", 24, 16, 32, 300, 0, 0 },
    { "3000 B", 3000, 16, 12, 60, 0, 0 },
    { "40000 B", 40000, 16, 4, 16, 0, 0 },
    { "300000 B", 300000, 16, 4, 8, 0, 0 },
    { "4000000 B", 4000000, 16, 2, 4, 0, 0 },
    { "200 B aligned to 64", 200, 64, 16, 200, 0, 0 },
    { "5000 B aligned to 4096", 5000, 4096, 8, 40, 0, 0 },
    { "100000 B aligned to 1 MiB", 100000, 1 * MiB, 4, 8, 0, 0 },
};

/* Under the library the heap that malloc stands on can be asked whether it is sound; elsewhere nobody can be. */
static void *(*process_heap)(void);
static int (*validate)(void *, unsigned, const void *);

void face_begin(const struct shape *shape)
{
    (void)shape;
    process_heap = (void *(*)(void))dlsym(RTLD_DEFAULT, "GetProcessHeap");
    validate = (int (*)(void *, unsigned, const void *))dlsym(RTLD_DEFAULT, "HeapValidate");
}

void *face_allocate(const struct shape *shape)
{
    return shape->alignment > 16 ? aligned_alloc(shape->alignment, shape->bytes) : malloc(shape->bytes);
}

int face_free(void *block)
{
    errno = 0;
    free(block);
    return errno == 0;
}

enum answer face_wrong_free(void *address)
{
    free(address);
    return ACCEPTED;
}

void *face_resize(void *block, size_t bytes) { return realloc(block, bytes); }

enum answer face_wrong_resize(void *address, size_t bytes)
{
    void *block = realloc(address, bytes);
    if (block == NULL)
        return REFUSED;
    adopt(block, bytes);
    return ACCEPTED;
}

enum answer face_wrong_size(void *address)
{
    size_t bytes = malloc_usable_size(address);
    if (bytes != 0)
        harm("malloc_usable_size reports %zu bytes for what is no live block", bytes);
    return REFUSED;
}

int face_measures(void *block, size_t bytes)
{
    return validate != NULL ? malloc_usable_size(block) == bytes : malloc_usable_size(block) >= bytes;
}

int face_is_sound(void) { return validate == NULL || validate(process_heap(), 0, NULL); }

void face_trim(void) { malloc_trim(0); }
