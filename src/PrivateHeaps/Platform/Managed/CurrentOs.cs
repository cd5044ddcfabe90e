using System.Runtime.CompilerServices;

namespace PrivateHeaps.Platform;

/// <summary>
/// The system that this .NET process runs on. The questions are constants to the compiler, so that one branch of each remains. In the native
/// library the name stands for the one system that it was built for.
/// </summary>
internal static unsafe class CurrentOs
{
    /// <summary>Whether the engine has a Platform layer for the system and for its word size.</summary>
    public static bool IsSupported =>
        Environment.Is64BitProcess && (OperatingSystem.IsLinux() || OperatingSystem.IsWindows() || OperatingSystem.IsMacOS());

    public static void Fill(out OsTable table)
    {
        if (OperatingSystem.IsWindows())
        {
            WindowsOs.Fill(out table);
        }
        else if (OperatingSystem.IsMacOS())
        {
            MacOs.Fill(out table);
        }
        else
        {
            LinuxOs.Fill(out table);
        }
    }

    public static nuint AddressSpaceLimit() => OperatingSystem.IsLinux() ? LinuxOs.AddressSpaceLimit() : nuint.MaxValue;

    /// <summary>.NET has a process-wide barrier on every system: FlushProcessWriteBuffers, membarrier, or a signal to every thread.</summary>
    public static bool RegisterProcessBarrier() => true;

    public static void ProcessBarrier() => Interlocked.MemoryBarrierProcessWide();

    public static void Wait(int* word, int value, long nanoseconds)
    {
        if (OperatingSystem.IsWindows())
        {
            WindowsOs.Wait(word, value, nanoseconds);
        }
        else if (OperatingSystem.IsMacOS())
        {
            MacOs.Wait(word, value, nanoseconds);
        }
        else
        {
            LinuxOs.Wait(word, value, nanoseconds);
        }
    }

    public static void Wake(int* word, int count)
    {
        if (OperatingSystem.IsWindows())
        {
            WindowsOs.Wake(word, count);
        }
        else if (OperatingSystem.IsMacOS())
        {
            MacOs.Wake(word, count);
        }
        else
        {
            LinuxOs.Wake(word, count);
        }
    }

    public static void Yield()
    {
        if (OperatingSystem.IsWindows())
        {
            WindowsOs.Yield();
        }
        else
        {
            LinuxOs.Yield();
        }
    }

    /// <summary>As on Linux; fewer on Windows, where it is charged at once that they can be read: 17 MiB.</summary>
    public static nuint HomeWindows
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => OperatingSystem.IsWindows() ? 4u : LinuxOs.HomeWindows;
    }

    /// <summary>Not asked on Windows, which charges commits.</summary>
    public static bool Show(void* address, nuint bytes) => Posix.Show(address, bytes);

    public static bool Hide(void* address, nuint bytes) =>
        OperatingSystem.IsWindows() ? WindowsOs.Hide(address, bytes)
        : OperatingSystem.IsMacOS() ? MacOs.Hide(address, bytes)
        : LinuxOs.Hide(address, bytes);

    public static bool TryRead(void* from, void* to, nuint bytes) =>
        OperatingSystem.IsWindows() ? WindowsOs.TryRead(from, to, bytes)
        : OperatingSystem.IsMacOS() ? MacOs.TryRead(from, to, bytes)
        : LinuxOs.TryRead(from, to, bytes);
}
