namespace PrivateHeaps.Platform;

/// <summary>The machine's memory at one moment, in bytes, as far as this process may use it.</summary>
internal struct MemoryTotals
{
    /// <summary>All memory, or the limit of the container that the process runs in.</summary>
    public ulong Physical;

    /// <summary>What can be used of it without paging others out.</summary>
    public ulong AvailablePhysical;

    public ulong Swap;
    public ulong AvailableSwap;

    /// <summary>Address space: what the process can have, and what of it is unused.</summary>
    public ulong Addresses;
    public ulong AvailableAddresses;
}
