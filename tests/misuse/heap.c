/* The face of the Win32 heap functions, over a private heap. */
#include "heap.h"
#include "misuse.h"

const struct shape shapes[SHAPE_COUNT] = {
    { "24 B", 24, 16, 32, 300, 0, 0 },
    { "3000 B", 3000, 16, 12, 60, 0, 0 },
    { "40000 B", 40000, 16, 4, 16, 0, 0 },
    { "300000 B", 300000, 16, 4, 8, 0, 0 },
    { "4000000 B", 4000000, 16, 2, 4, 0, 0 },
    { "24 B of 1 MiB", 24, 16, 32, 300, 0, 1 * MiB },
    { "40000 B of 16 MiB", 40000, 16, 4, 16, 0, 16 * MiB },
    { "24 B, unserialized", 24, 16, 32, 300, HEAP_NO_SERIALIZE, 0 },
};

HANDLE heap;

void face_begin(const struct shape *shape)
{
    heap = HeapCreate(shape->heap_options, 0, shape->heap_maximum);
    if (heap == NULL)
        harm("no heap could be made");
}

void *face_allocate(const struct shape *shape) { return HeapAlloc(heap, 0, shape->bytes); }

int face_free(void *block) { return HeapFree(heap, 0, block); }

enum answer answer_of(int said, const char *function, DWORD documented)
{
    DWORD error = GetLastError();
    if (said)
        return ACCEPTED;
    if (error != documented)
        harm("%s fails with %u, not %u", function, (unsigned)error, (unsigned)documented);
    return REFUSED;
}

enum answer face_wrong_free(void *address)
{
    SetLastError(UNTOUCHED);
    int said = HeapFree(heap, 0, address);
    return answer_of(said, "HeapFree", ERROR_INVALID_PARAMETER);
}

void *face_resize(void *block, size_t bytes) { return HeapReAlloc(heap, 0, block, bytes); }

enum answer face_wrong_resize(void *address, size_t bytes)
{
    SetLastError(UNTOUCHED);
    void *block = HeapReAlloc(heap, 0, address, bytes);
    if (block != NULL)
        adopt(block, bytes);
    return answer_of(block != NULL, "HeapReAlloc", ERROR_INVALID_PARAMETER);
}

enum answer face_wrong_size(void *address)
{
    SetLastError(UNTOUCHED);
    SIZE_T bytes = HeapSize(heap, 0, address);
    if (bytes != (SIZE_T)-1)
        harm("HeapSize reports %zu bytes for what is no live block", bytes);
    return answer_of(0, "HeapSize", UNTOUCHED);
}

int face_measures(void *block, size_t bytes) { return HeapSize(heap, 0, block) == bytes && HeapValidate(heap, 0, block); }

int face_is_sound(void) { return HeapValidate(heap, 0, NULL) && HeapValidate(GetProcessHeap(), 0, NULL); }

void face_trim(void) { HeapCompact(heap, 0); }
