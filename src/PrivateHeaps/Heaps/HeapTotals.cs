namespace PrivateHeaps.Heaps;

/// <summary>A heap at one moment. All values are bytes unless the name says count. AllocatedBytes &lt;= CommittedBytes &lt;= ReservedBytes &lt;= MaximumReserveBytes.</summary>
internal struct HeapTotals
{
    /// <summary>Sum of the requested sizes of the live blocks.</summary>
    public nuint AllocatedBytes;
    public nuint CommittedBytes;
    public nuint ReservedBytes;

    /// <summary>The most that may ever be reserved: the maximum of a bounded heap, ReservedBytes of a growable one.</summary>
    public nuint MaximumReserveBytes;
    public nuint BlockCount;
    public nuint LargestBlockBytes;
    public nuint RegionCount;
}
