namespace PrivateHeaps;

/// <summary>
/// A heap at one moment. <see cref="AllocatedBytes"/> &lt;= <see cref="CommittedBytes"/> &lt;= <see cref="ReservedBytes"/> &lt;=
/// <see cref="MaximumReserveBytes"/>.
/// </summary>
public readonly record struct HeapSummary
{
    /// <summary>Sum of the requested sizes of the live blocks.</summary>
    public nuint AllocatedBytes { get; init; }

    /// <summary>Memory that is backed and counted against the system, whether in use or free.</summary>
    public nuint CommittedBytes { get; init; }

    /// <summary>Address space that the heap holds.</summary>
    public nuint ReservedBytes { get; init; }

    /// <summary>The most that the heap may ever reserve: its maximum, or <see cref="ReservedBytes"/> if it has none.</summary>
    public nuint MaximumReserveBytes { get; init; }

    /// <summary>Number of live blocks.</summary>
    public nuint BlockCount { get; init; }

    /// <summary>Requested size of the largest live block.</summary>
    public nuint LargestBlockBytes { get; init; }

    /// <summary>Number of reserved ranges that hold the blocks; large blocks with a mapping of their own are not counted.</summary>
    public nuint RegionCount { get; init; }
}
