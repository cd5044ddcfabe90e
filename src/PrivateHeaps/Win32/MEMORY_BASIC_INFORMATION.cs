using System.Runtime.InteropServices;

namespace PrivateHeaps.Win32;

/// <summary>What VirtualQuery reports about neighboring pages in the same state. 48 bytes in a 64-bit process.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct MEMORY_BASIC_INFORMATION
{
    /// <summary>The address that was asked for, rounded down to a page.</summary>
    public nint BaseAddress;

    /// <summary>Where the reservation begins that the pages belong to; for an image, its first address; 0 for free pages.</summary>
    public nint AllocationBase;

    /// <summary>The PAGE_ constant that was given when the pages were reserved; for memory of others, their protection now.</summary>
    public uint AllocationProtect;

    /// <summary>Always 0.</summary>
    public ushort PartitionId;

    /// <summary>Bytes from <see cref="BaseAddress"/> to the end of the pages that are in the same state.</summary>
    public nuint RegionSize;

    /// <summary>MEM_COMMIT, MEM_RESERVE or MEM_FREE.</summary>
    public uint State;

    /// <summary>The PAGE_ constants of the pages; 0 if they are only reserved, PAGE_NOACCESS if they are free.</summary>
    public uint Protect;

    /// <summary>MEM_PRIVATE, MEM_MAPPED or MEM_IMAGE; 0 for free pages.</summary>
    public uint Type;
}
