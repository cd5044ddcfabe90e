/* The malloc face: each function hands the calling thread's state to the C# function of Exports.Malloc.cs and is otherwise a jump to it. */
#define _GNU_SOURCE
#include "shim_thread.h"
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

/* To those that are called most their cache comes last, so that the other argument stays in its register. */
void *ph_malloc(size_t, void *);
void *malloc(size_t bytes) { return ph_malloc(bytes, ph_near.process); }

/* The sized forms, here and in new.cpp, go by the address alone: it decides exactly, and a wrong size harms nobody. Programs do pass wrong ones, as when they
 * delete an object by a base class. */
void ph_free(void *, void *);
void free(void *block) { ph_free(block, ph_near.process); }
void free_sized(void *block, size_t bytes) { (void)bytes, ph_free(block, ph_near.process); }
void free_aligned_sized(void *block, size_t alignment, size_t bytes) { (void)alignment, (void)bytes, ph_free(block, ph_near.process); }

void *ph_calloc(size_t, size_t, void *);
void *calloc(size_t count, size_t size) { return ph_calloc(count, size, ph_near.process); }

void *ph_realloc(struct ph_thread *, void *, size_t);
void *realloc(void *block, size_t bytes) { return ph_realloc(ph_thread, block, bytes); }

void *ph_reallocarray(struct ph_thread *, void *, size_t, size_t);
void *reallocarray(void *block, size_t count, size_t size) { return ph_reallocarray(ph_thread, block, count, size); }

int ph_posix_memalign(struct ph_thread *, void **, size_t, size_t);
int posix_memalign(void **result, size_t alignment, size_t bytes) { return ph_posix_memalign(ph_thread, result, alignment, bytes); }

void *ph_aligned_alloc(struct ph_thread *, size_t, size_t);
void *aligned_alloc(size_t alignment, size_t bytes) { return ph_aligned_alloc(ph_thread, alignment, bytes); }

void *ph_memalign(struct ph_thread *, size_t, size_t);
void *memalign(size_t alignment, size_t bytes) { return ph_memalign(ph_thread, alignment, bytes); }

void *ph_valloc(struct ph_thread *, size_t);
void *valloc(size_t bytes) { return ph_valloc(ph_thread, bytes); }

void *ph_pvalloc(struct ph_thread *, size_t);
void *pvalloc(size_t bytes) { return ph_pvalloc(ph_thread, bytes); }

size_t ph_malloc_usable_size(void *, void *);
size_t malloc_usable_size(void *block) { return ph_malloc_usable_size(block, ph_near.process); }

int ph_malloc_trim(struct ph_thread *);
int malloc_trim(size_t pad) { return (void)pad, ph_malloc_trim(ph_thread); }

void ph_mallinfo2(struct ph_thread *, struct mallinfo2 *); /* MallocInfo of src/PrivateHeaps/Malloc has its layout */
struct mallinfo2 mallinfo2(void)
{
    struct mallinfo2 info;
    ph_mallinfo2(ph_thread, &info);
    return info;
}

/* Numbers that do not fit wrap around, as in glibc. */
struct mallinfo mallinfo(void)
{
    struct mallinfo2 info = mallinfo2();
    return (struct mallinfo){ .arena = (int)info.arena, .uordblks = (int)info.uordblks, .fordblks = (int)info.fordblks,
        .keepcost = (int)info.keepcost };
}

void malloc_stats(void)
{
    struct mallinfo2 info = mallinfo2();
    ph_say("process heap: %zu bytes in use, %zu bytes committed.", info.uordblks, info.arena);
}

/* The form of glibc's answer with one heap; what it says of bins has no counterpart here. */
int malloc_info(int options, FILE *stream)
{
    if (options != 0) {
        errno = EINVAL;
        return -1;
    }
    struct mallinfo2 info = mallinfo2();
    fprintf(stream,
        "<malloc version=\"1\">\n<heap nr=\"0\">\n<sizes>\n</sizes>\n</heap>\n<total type=\"fast\" count=\"0\" size=\"0\"/>\n"
        "<total type=\"rest\" count=\"0\" size=\"%zu\"/>\n<total type=\"mmap\" count=\"0\" size=\"0\"/>\n"
        "<system type=\"current\" size=\"%zu\"/>\n<system type=\"max\" size=\"%zu\"/>\n"
        "<aspace type=\"total\" size=\"%zu\"/>\n<aspace type=\"mprotect\" size=\"%zu\"/>\n</malloc>\n",
        info.fordblks, info.arena, info.arena, info.arena, info.arena);
    return 0;
}
