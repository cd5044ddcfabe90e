namespace PrivateHeaps;

/// <summary>One step of a walk through a heap, see <see cref="PrivateHeap.Walk"/>.</summary>
public readonly record struct HeapEntry
{
    /// <summary>What the entry describes.</summary>
    public HeapEntryKind Kind { get; init; }

    /// <summary>Where it starts.</summary>
    public nint Address { get; init; }

    /// <summary>In bytes: what was requested for a block, what a free block can hold, the whole of a region or an uncommitted range.</summary>
    public nuint Size { get; init; }

    /// <summary>Bytes behind a block that belong neither to it nor to the next one.</summary>
    public nuint Overhead { get; init; }

    /// <summary>Bytes of a region that are committed; 0 for other entries.</summary>
    public nuint Committed { get; init; }

    /// <summary>The region that the entry is or lies in, counted from 0; -1 for a block that has a mapping of its own.</summary>
    public int RegionIndex { get; init; }
}
