using System.Runtime.InteropServices;

namespace PrivateHeaps.Platform;

/// <summary>MEMORY_BASIC_INFORMATION of 64-bit Windows: what VirtualQuery says about the pages from an address on that are alike.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MemoryInformation
{
    public void* Start;

    /// <summary>The base address of the reservation that the pages belong to.</summary>
    public void* Reservation;
    public uint ReservationProtection;
    public ushort Partition;
    public nuint Bytes;

    /// <summary>MEM_COMMIT, MEM_RESERVE or MEM_FREE.</summary>
    public uint State;
    public uint Protection;
    public uint Kind;
}
