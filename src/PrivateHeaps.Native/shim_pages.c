/* The system calls of Platform/LibcPages.cs. As in shim_os.c they go to the kernel by syscall(2) and keep errno. */
#define _GNU_SOURCE
#include "shim_thread.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#if defined __x86_64__
#include <cpuid.h>
#endif

/* Newer than some C libraries. */
#define CLOSE_ON_EXEC 1U
#define NO_EXECUTE_SEAL 8U

int ph_open(const char *path) { KEEPING_ERRNO(int, syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0)); }

intptr_t ph_read(int file, void *buffer, size_t capacity) { KEEPING_ERRNO(intptr_t, syscall(SYS_read, file, buffer, capacity)); }

int ph_close(int file) { KEEPING_ERRNO(int, syscall(SYS_close, file)); }

/* Kernels from 6.3 on want to be told whether the file may ever be executed; older ones refuse the question. */
int ph_memory_file(void)
{
    int saved = errno;
    long file = syscall(SYS_memfd_create, "frames", CLOSE_ON_EXEC | NO_EXECUTE_SEAL);
    if (file < 0)
        file = syscall(SYS_memfd_create, "frames", CLOSE_ON_EXEC);
    errno = saved;
    return (int)file;
}

uint64_t ph_file_identity(int file)
{
    int saved = errno;
    struct statx status;
    long result = syscall(SYS_statx, file, "", AT_EMPTY_PATH, STATX_INO, &status);
    errno = saved;
    return result == 0 ? status.stx_ino ^ (uint64_t)status.stx_dev_minor << 48 : 0;
}

size_t ph_file_bytes(int file) { KEEPING_ERRNO(size_t, syscall(SYS_lseek, file, 0L, SEEK_END)); }

size_t ph_file_size_limit(void)
{
    int saved = errno;
    struct rlimit limit;
    size_t bytes = getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? (size_t)limit.rlim_cur : SIZE_MAX;
    errno = saved;
    return bytes;
}

int ph_fallocate(int file, int mode, size_t offset, size_t bytes) { KEEPING_ERRNO(int, syscall(SYS_fallocate, file, mode, offset, bytes)); }

int ph_allowed_processors(uint64_t *mask, int capacity) { KEEPING_ERRNO(int, syscall(SYS_sched_getaffinity, 0, (size_t)capacity, mask)); }

unsigned ph_processor_signature(void)
{
#if defined __x86_64__
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) ? a : 0;
#else
    return 0;
#endif
}
