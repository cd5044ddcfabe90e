/* A library that stands before the C library's mmap, open and getenv and allocates in them, looking up the next one as it is called. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/types.h>

#define NEXT(function) __typeof__(function) *next = (__typeof__(function) *)dlsym(RTLD_NEXT, #function)

static void allocate(void) { free(realloc(malloc(100), 5000)); }

void *mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset)
{
    NEXT(mmap);
    allocate();
    return next(address, bytes, protection, flags, file, offset);
}

int open(const char *path, int flags, ...)
{
    NEXT(open);
    va_list list;
    va_start(list, flags);
    mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;
    va_end(list);
    allocate();
    return next(path, flags, mode);
}

char *getenv(const char *name)
{
    NEXT(getenv);
    allocate();
    return next(name);
}
