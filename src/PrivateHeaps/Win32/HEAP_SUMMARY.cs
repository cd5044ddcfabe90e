using System.Runtime.InteropServices;

namespace PrivateHeaps.Win32;

/// <summary>
/// What HeapSummary reports, in bytes: <see cref="cbAllocated"/> &lt;= <see cref="cbCommitted"/> &lt;= <see cref="cbReserved"/> &lt;=
/// <see cref="cbMaxReserve"/>. 40 bytes in a 64-bit process, 20 in a 32-bit one.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct HEAP_SUMMARY
{
    /// <summary>The size of this structure, set by the caller before the call.</summary>
    public uint cb;

    /// <summary>Sum of the requested sizes of the live blocks.</summary>
    public nuint cbAllocated;

    /// <summary>Memory that is backed and counted against the system.</summary>
    public nuint cbCommitted;

    /// <summary>Address space that the heap holds.</summary>
    public nuint cbReserved;

    /// <summary>The most that the heap may ever reserve: its maximum, or <see cref="cbReserved"/> if it has none.</summary>
    public nuint cbMaxReserve;
}
