using System.Diagnostics;
using System.Runtime.InteropServices;

namespace PrivateHeaps.Platform;

/// <summary>
/// The C functions that the engine calls, for a .NET process. The native library has a file of the same name and shape. A thread that waits in
/// one of them does not hold up a garbage collection.
/// </summary>
internal static unsafe class Libc
{
    private const string Library = "libc";
    private const int FutexWaitPrivate = 128;
    private const int FutexWakePrivate = 129;
    private const int AddressSpace = 9; // RLIMIT_AS
    private const long NanosecondsPerSecond = 1_000_000_000;

    [DllImport(Library)]
    public static extern void* mmap(void* address, nuint bytes, int protection, int flags, int file, nint offset);

    [DllImport(Library)]
    public static extern int munmap(void* address, nuint bytes);

    [DllImport(Library)]
    public static extern int mprotect(void* address, nuint bytes, int protection);

    [DllImport(Library)]
    public static extern int mincore(void* address, nuint bytes, byte* pages);

    [DllImport(Library)]
    public static extern int madvise(void* address, nuint bytes, int advice);

    [DllImport(Library)]
    public static extern void* mremap(void* address, nuint oldBytes, nuint newBytes, int flags, void* newAddress);

    [DllImport(Library)]
    public static extern int sched_yield();

    public static int getpid() => Environment.ProcessId;

    [DllImport(Library)]
    public static extern int getppid();

    /// <summary>Bytes of a page of the system's.</summary>
    /// <summary>.NET's first look changes the last error.</summary>
    public static nuint page_bytes()
    {
        int error = Marshal.GetLastPInvokeError();
        nuint bytes = (nuint)Environment.SystemPageSize;
        Marshal.SetLastPInvokeError(error);
        return bytes;
    }

    public static int futex_wait(int* word, int expected, long timeoutNanoseconds)
    {
        long* timeout = stackalloc long[2];
        timeout[0] = timeoutNanoseconds / NanosecondsPerSecond;
        timeout[1] = timeoutNanoseconds % NanosecondsPerSecond;
        return (int)syscall(FutexCall, (nint)word, FutexWaitPrivate, expected, timeoutNanoseconds < 0 ? 0 : (nint)timeout);
    }

    public static int futex_wake(int* word, int count) => (int)syscall(FutexCall, (nint)word, FutexWakePrivate, count, 0);

    /// <summary>Never asked here: CurrentOs uses the barrier of .NET.</summary>
    public static int membarrier_register() => 0;

    public static void membarrier() => Interlocked.MemoryBarrierProcessWide();

    public static int read_memory(void* from, void* to, nuint bytes)
    {
        nuint* local = stackalloc nuint[2] { (nuint)to, bytes };
        nuint* remote = stackalloc nuint[2] { (nuint)from, bytes };
        return process_vm_readv(Environment.ProcessId, local, 1, remote, 1, 0) == (nint)bytes ? 0 : -1;
    }

    public static nuint address_space_limit()
    {
        nuint* limit = stackalloc nuint[2];
        return getrlimit(AddressSpace, limit) == 0 ? limit[0] : nuint.MaxValue;
    }

    public static void memset(void* address, int value, nuint bytes) => NativeMemory.Fill(address, bytes, (byte)value);

    public static void memmove(void* to, void* from, nuint bytes) => NativeMemory.Copy(from, to, bytes);

    /// <summary>Only the native library, preloaded into a program, keeps a census.</summary>
    public static void* map_file(byte* path, void* place, nuint bytes) => null;

    public static nint read_file(byte* path, void* buffer, nuint capacity) => -1;

    public static byte* getenv(byte* name) => null;

    public static int cpu_number() => Thread.GetCurrentProcessorId();

    public static int cpu_count() => Environment.ProcessorCount;

    public static int node_number()
    {
        uint node;
        return syscall(GetCpuCall, 0, (nint)(&node), 0, 0) == 0 ? (int)node : 0;
    }

    public static long nanoseconds() => (long)Stopwatch.GetElapsedTime(0).TotalNanoseconds;

    public static long milliseconds() => Environment.TickCount64;

    public static long clock_realtime() => (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * 100;

    private static nint GetCpuCall => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 168 : 309;

    private static nint FutexCall => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 98 : 202;

    [DllImport(Library)]
    private static extern nint syscall(nint number, nint first, nint second, nint third, nint fourth);

    [DllImport(Library)]
    private static extern nint process_vm_readv(int process, nuint* local, nuint localCount, nuint* remote, nuint remoteCount, nuint flags);

    [DllImport(Library)]
    private static extern int getrlimit(int resource, nuint* limit);
}
