using System.Runtime.InteropServices;
using PrivateHeaps.Explorer.Scheduling;

namespace PrivateHeaps.Platform;

/// <summary>The C functions that the engine calls, in the explored process. It has one processor and no files, and its clock stands.</summary>
internal static unsafe class Libc
{
    // What is written or read in one piece is not kept back, nor seen around what is.

    public static void memset(void* address, int value, nuint bytes)
    {
        Scheduler.Fence();
        NativeMemory.Fill(address, bytes, (byte)value);
    }

    public static void memmove(void* to, void* from, nuint bytes)
    {
        Scheduler.Fence();
        NativeMemory.Copy(from, to, bytes);
    }

    public static void* map_file(byte* path, void* place, nuint bytes) => null;

    public static nint read_file(byte* path, void* buffer, nuint capacity) => -1;

    public static byte* getenv(byte* name) => null;

    public static int getpid() => 1;

    public static int getppid() => 1;

    public static int cpu_number() => 0;

    public static int cpu_count() => 1;

    public static long nanoseconds() => 0;

    public static long milliseconds() => 0;

    public static long clock_realtime() => 0;
}
