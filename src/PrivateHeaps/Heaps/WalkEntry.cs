namespace PrivateHeaps.Heaps;

/// <summary>What a <see cref="WalkEntry"/> describes.</summary>
internal enum WalkKind : uint
{
    /// <summary>The next call returns the first entry of the heap.</summary>
    Start,
    Region,
    FreeBlock,
    BusyBlock,

    /// <summary>A block with a mapping of its own; it is listed after all regions.</summary>
    LargeBlock,
    Uncommitted,
}

/// <summary>
/// One step of a heap walk: the regions in order, of each its blocks busy and free in address order and then its uncommitted rest,
/// and after all regions the large blocks. Address and Kind alone say where the next step goes on; there is no hidden state.
/// </summary>
internal unsafe struct WalkEntry
{
    public WalkKind Kind;
    /// <summary>Counts the regions from 0 and, beyond them, the large blocks, with gaps where some were freed.</summary>
    public uint RegionIndex;
    public byte* Address;

    /// <summary>Requested size of a busy block; usable bytes of a free one; reserved bytes of a region; bytes of an uncommitted range.</summary>
    public nuint Bytes;

    /// <summary>Blocks: bytes between the end of this block and the next one that belong to neither (slack). Regions: bytes of their own structures, which lie elsewhere.</summary>
    public nuint OverheadBytes;

    /// <summary>Regions only.</summary>
    public nuint CommittedBytes;

    /// <summary>Regions only.</summary>
    public nuint UncommittedBytes;

    /// <summary>Regions only: where the first block can start.</summary>
    public byte* FirstBlock;

    /// <summary>Regions only: one past the last byte of the region.</summary>
    public byte* RegionEnd;
}
