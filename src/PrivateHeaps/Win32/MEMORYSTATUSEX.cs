using System.Runtime.InteropServices;

namespace PrivateHeaps.Win32;

/// <summary>What GlobalMemoryStatusEx reports, in bytes. 64 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct MEMORYSTATUSEX
{
    /// <summary>The size of this structure, set by the caller before the call.</summary>
    public uint dwLength;

    /// <summary>How much of the physical memory is in use, from 0 to 100.</summary>
    public uint dwMemoryLoad;

    /// <summary>The machine's memory, or the limit of the container that the process runs in.</summary>
    public ulong ullTotalPhys;

    /// <summary>What of it can be used without paging others out.</summary>
    public ulong ullAvailPhys;

    /// <summary>Physical memory and swap space together.</summary>
    public ulong ullTotalPageFile;

    /// <summary>What is available of both.</summary>
    public ulong ullAvailPageFile;

    /// <summary>The addresses that this process can have.</summary>
    public ulong ullTotalVirtual;

    /// <summary>Those of them that are neither reserved nor committed.</summary>
    public ulong ullAvailVirtual;

    /// <summary>Always 0.</summary>
    public ulong ullAvailExtendedVirtual;
}
