using System.Runtime.InteropServices;

namespace PrivateHeaps.Win32;

/// <summary>What GetSystemInfo reports. 48 bytes in a 64-bit process.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SYSTEM_INFO
{
    /// <summary>9 for x86-64, 12 for arm64.</summary>
    public ushort wProcessorArchitecture;

    /// <summary>Not used.</summary>
    public ushort wReserved;

    /// <summary>Bytes of a page, in which memory is committed and protected.</summary>
    public uint dwPageSize;

    /// <summary>The lowest address that a program can have.</summary>
    public nint lpMinimumApplicationAddress;

    /// <summary>The highest address that a program can have.</summary>
    public nint lpMaximumApplicationAddress;

    /// <summary>The processors, of the first 64, that the calling thread may run on.</summary>
    public nuint dwActiveProcessorMask;

    /// <summary>How many processors the calling thread may run on.</summary>
    public uint dwNumberOfProcessors;

    /// <summary>8664 for x86-64, 0 for arm64.</summary>
    public uint dwProcessorType;

    /// <summary>Reservations start at multiples of this many bytes: 65536.</summary>
    public uint dwAllocationGranularity;

    /// <summary>The processor's family; 0 where it is not known.</summary>
    public ushort wProcessorLevel;

    /// <summary>The processor's model in the upper byte, its stepping in the lower; 0 where they are not known.</summary>
    public ushort wProcessorRevision;
}
