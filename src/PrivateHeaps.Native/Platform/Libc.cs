using System.Runtime;
using System.Runtime.CompilerServices;

namespace PrivateHeaps.Platform;

/// <summary>
/// The C functions that the engine calls, spelled as in C; shim_os.c has all but the last two. None of them changes errno, none of them can be
/// replaced by another library's mmap or open, and each may be called from any thread at any time, before constructors and in a forked child too.
/// </summary>
internal static unsafe class Libc
{
    /// <summary>As mmap(2); failure is (void*)-1.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_mmap")]
    public static extern void* mmap(void* address, nuint bytes, int protection, int flags, int file, nint offset);

    /// <summary>As munmap(2): 0, or -1 on failure.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_munmap")]
    public static extern int munmap(void* address, nuint bytes);

    /// <summary>As mprotect(2): 0, or -1 on failure.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_mprotect")]
    public static extern int mprotect(void* address, nuint bytes, int protection);

    /// <summary>As mincore(2): 0, or -1 on failure.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_mincore")]
    public static extern int mincore(void* address, nuint bytes, byte* pages);

    /// <summary>As madvise(2): 0, or -1 on failure.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_madvise")]
    public static extern int madvise(void* address, nuint bytes, int advice);

    /// <summary>As mremap(2); the new address counts only with MREMAP_FIXED. Failure is (void*)-1.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_mremap")]
    public static extern void* mremap(void* address, nuint oldBytes, nuint newBytes, int flags, void* newAddress);

    /// <summary>Sleeps while *word is expected, until a wake or the timeout (negative: none). 1 when the timeout passed, else 0; may wake early.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_futex_wait")]
    public static extern int futex_wait(int* word, int expected, long timeoutNanoseconds);

    /// <summary>Wakes at most count sleepers of the word; the number woken.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_futex_wake")]
    public static extern int futex_wake(int* word, int count);

    /// <summary>Tells the system that this process will use <see cref="membarrier"/>. 0, or -1 where only the slow ways exist.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_membarrier_register")]
    public static extern int membarrier_register();

    /// <summary>A full memory barrier in every running thread of this process. Never fails.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_membarrier")]
    public static extern void membarrier();

    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_sched_yield")]
    public static extern int sched_yield();

    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_getpid")]
    public static extern int getpid();

    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_getppid")]
    public static extern int getppid();

    /// <summary>The value of an environment variable, or null; also null before the C library knows its environment.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_getenv")]
    public static extern byte* getenv(byte* name);

    /// <summary>Bytes of address space that the process may have (RLIMIT_AS); nuint.MaxValue for no limit.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_address_space_limit")]
    public static extern nuint address_space_limit();

    /// <summary>Bytes of a page of the system's.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_page_bytes")]
    public static extern nuint page_bytes();

    /// <summary>The number of the processor that the calling thread runs on; -1 where the system does not tell.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_cpu_number")]
    public static extern int cpu_number();

    /// <summary>Processors that the calling thread may run on; at least 1.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_cpu_count")]
    public static extern int cpu_count();

    /// <summary>The number of the NUMA node that the calling thread runs on; 0 where the system does not tell.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_node_number")]
    public static extern int node_number();

    /// <summary>CLOCK_MONOTONIC in nanoseconds.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_nanoseconds")]
    public static extern long nanoseconds();

    /// <summary>CLOCK_MONOTONIC_COARSE in milliseconds.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_milliseconds")]
    public static extern long milliseconds();

    /// <summary>CLOCK_REALTIME in nanoseconds.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_clock_realtime")]
    public static extern long clock_realtime();

    /// <summary>Creates a file that does not exist yet (mode 0600), gives it the size and maps it shared, in the place of what is there; null on any failure, also when it exists.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_map_file")]
    public static extern void* map_file(byte* path, void* place, nuint bytes);

    /// <summary>Reads at most capacity bytes from the start of a file; the number read, or -1.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_read_file")]
    public static extern nint read_file(byte* path, void* buffer, nuint capacity);

    /// <summary>Copies memory that may not be there: 0, or -1 when it is not all readable.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_read_memory")]
    public static extern int read_memory(void* from, void* to, nuint bytes);

    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "memset")]
    public static extern void* memset(void* address, int value, nuint bytes);

    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "memmove")]
    public static extern void* memmove(void* to, void* from, nuint bytes);
}
