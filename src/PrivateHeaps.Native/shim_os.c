/* The system calls of Platform/Libc.cs and the little that Platform/Host.cs needs of C. They go to the kernel by syscall(2), so that a
 * library that puts its own mmap or open before the C library's cannot call back into a half-done allocation; and they keep errno, which
 * malloc and free must not change when they succeed. */
#define _GNU_SOURCE
#include "shim_thread.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* What compiled C# asks before it uses an instruction that not every processor has. No bit is set: that brings less than 1 %. */
int g_cpuFeatures __attribute__((visibility("hidden")));

void *ph_mmap(void *address, size_t bytes, int protection, int flags, int file, intptr_t offset)
{
    KEEPING_ERRNO(void *, syscall(SYS_mmap, address, bytes, protection, flags, file, offset));
}

int ph_munmap(void *address, size_t bytes) { KEEPING_ERRNO(int, syscall(SYS_munmap, address, bytes)); }

int ph_mprotect(void *address, size_t bytes, int protection) { KEEPING_ERRNO(int, syscall(SYS_mprotect, address, bytes, protection)); }

int ph_mincore(void *address, size_t bytes, unsigned char *pages) { KEEPING_ERRNO(int, syscall(SYS_mincore, address, bytes, pages)); }
int ph_madvise(void *address, size_t bytes, int advice) { KEEPING_ERRNO(int, syscall(SYS_madvise, address, bytes, advice)); }

void *ph_mremap(void *address, size_t old_bytes, size_t new_bytes, int flags, void *new_address)
{
    KEEPING_ERRNO(void *, syscall(SYS_mremap, address, old_bytes, new_bytes, flags, new_address));
}

int ph_futex_wait(int *word, int expected, int64_t timeout_nanoseconds)
{
    struct timespec timeout = { timeout_nanoseconds / 1000000000, timeout_nanoseconds % 1000000000 };
    int saved = errno;
    long result = syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, timeout_nanoseconds < 0 ? NULL : &timeout, NULL, 0);
    int timed_out = result != 0 && errno == ETIMEDOUT;
    errno = saved;
    return timed_out;
}

int ph_futex_wake(int *word, int count) { KEEPING_ERRNO(int, syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0)); }

int ph_membarrier_register(void)
{
    KEEPING_ERRNO(int, syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
}

/* Taking a page's write permission away makes the kernel interrupt every processor that runs this process, to flush its view of the page:
 * a barrier for kernels and sandboxes without membarrier. */
static void barrier_by_protection(void)
{
    size_t page = getauxval(AT_PAGESZ);
    char *memory = ph_mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return;
    *(volatile char *)memory = 1;
    ph_mprotect(memory, page, PROT_READ);
    ph_munmap(memory, page);
}

void ph_membarrier(void)
{
    int saved = errno;
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0
        && (ph_membarrier_register() != 0 || syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0)
        && syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) != 0)
        barrier_by_protection();
    errno = saved;
}

int ph_sched_yield(void) { KEEPING_ERRNO(int, syscall(SYS_sched_yield)); }
int ph_getpid(void) { return (int)syscall(SYS_getpid); }
int ph_getppid(void) { return (int)syscall(SYS_getppid); }

const char *ph_getenv(const char *name) { return environ == NULL ? NULL : getenv(name); }

int ph_configured_contract(void)
{
    const char *value = ph_getenv("PRIVATEHEAPS_CONTRACT");
    if (value == NULL || *value == 0)
        return 0;
    if (strcmp(value, "documented") == 0)
        return 1;
    if (strcmp(value, "observed") == 0)
        return 2;
    ph_say("PRIVATEHEAPS_CONTRACT is '%.60s', which is neither 'documented' nor 'observed'; 'documented' is in force.", value);
    return 0;
}

int ph_wants_huge_pages(void)
{
    const char *value = ph_getenv("PRIVATEHEAPS_HUGE_PAGES");
    if (value == NULL || *value == 0)
        return 2;
    if (strcmp(value, "0") == 0)
        return 0;
    if (strcmp(value, "1") == 0)
        return 1;
    ph_say("PRIVATEHEAPS_HUGE_PAGES is '%.60s', which is neither 0 nor 1; huge pages are not asked for.", value);
    return 0;
}

size_t ph_page_bytes(void) { return getauxval(AT_PAGESZ); }

size_t ph_address_space_limit(void)
{
    int saved = errno;
    struct rlimit limit;
    size_t bytes = getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? (size_t)limit.rlim_cur : SIZE_MAX;
    errno = saved;
    return bytes;
}

/* Not by syscall(2): the C library knows the numbers without going to the kernel. */
int ph_cpu_number(void) { KEEPING_ERRNO(int, sched_getcpu()); }

int ph_node_number(void)
{
    int saved = errno;
    unsigned node = 0;
    if (getcpu(NULL, &node) != 0)
        node = 0;
    errno = saved;
    return (int)node;
}

int ph_cpu_count(void)
{
    unsigned long processors[128];
    int saved = errno, count = 0;
    long bytes = syscall(SYS_sched_getaffinity, 0, sizeof processors, processors);
    for (long word = 0; word * (long)sizeof *processors < bytes; word++)
        for (unsigned long left = processors[word]; left != 0; left &= left - 1)
            count++;
    errno = saved;
    return count > 0 ? count : 1;
}

int64_t ph_nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t ph_milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t ph_clock_realtime(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* In the place of what is there. Exclusive: two processes never write into one file, and a name that somebody prepared in a shared directory is not followed. */
void *ph_map_file(const char *path, void *place, size_t bytes)
{
    int saved = errno;
    void *memory = NULL;
    long file = syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file >= 0) {
        if (syscall(SYS_ftruncate, file, bytes) == 0)
            memory = ph_mmap(place, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, (int)file, 0);
        syscall(SYS_close, file);
    }
    errno = saved;
    return memory == MAP_FAILED ? NULL : memory;
}

intptr_t ph_read_file(const char *path, void *buffer, size_t capacity)
{
    int saved = errno;
    intptr_t count = -1;
    long file = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (file >= 0) {
        count = syscall(SYS_read, file, buffer, capacity);
        syscall(SYS_close, file);
    }
    errno = saved;
    return count;
}

/* The kernel copies, and answers for an address that is not there. Where process_vm_readv is forbidden, a pipe does the same. */
int ph_read_memory(const void *from, void *to, size_t bytes)
{
    int saved = errno, ends[2], result = -1;
    struct { const void *base; size_t bytes; } local = { to, bytes }, remote = { from, bytes };
    if (syscall(SYS_process_vm_readv, ph_getpid(), &local, 1, &remote, 1, 0) == (long)bytes)
        result = 0;
    else if (errno != EFAULT && bytes <= PIPE_BUF && syscall(SYS_pipe2, ends, O_CLOEXEC | O_NONBLOCK) == 0) {
        if (syscall(SYS_write, ends[1], from, bytes) == (long)bytes && syscall(SYS_read, ends[0], to, bytes) == (long)bytes)
            result = 0;
        syscall(SYS_close, ends[0]);
        syscall(SYS_close, ends[1]);
    }
    errno = saved;
    return result;
}

void ph_write_error(const char *text, size_t bytes)
{
    int saved = errno;
    while (bytes > 0) {
        long written = syscall(SYS_write, STDERR_FILENO, text, bytes);
        if (written <= 0 && errno != EINTR)
            break;
        if (written > 0) {
            text += written;
            bytes -= written;
        }
    }
    errno = saved;
}

void ph_say(const char *format, ...)
{
    char line[256] = "privateheaps: ";
    va_list arguments;
    va_start(arguments, format);
    int prefix = sizeof "privateheaps: " - 1, room = sizeof line - prefix - 1;
    int length = vsnprintf(line + prefix, room, format, arguments);
    va_end(arguments);
    length = prefix + (length < 0 ? 0 : length >= room ? room - 1 : length);
    line[length++] = '\n';
    ph_write_error(line, length);
}

/* One write to a file that is open for appending is never mixed with another's. */
void ph_append_to_file(const char *path, const char *text, size_t bytes)
{
    int saved = errno;
    long file = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (file < 0 || syscall(SYS_write, file, text, bytes) != (long)bytes)
        ph_say("the finding could not be appended to '%.120s'.", path);
    if (file >= 0)
        syscall(SYS_close, file);
    errno = saved;
}

void ph_set_errno(int code) { errno = code; }

void ph_abort(void) { abort(); }

void ph_fail_fast(const char *sentence)
{
    ph_say("%s", sentence);
    abort();
}
