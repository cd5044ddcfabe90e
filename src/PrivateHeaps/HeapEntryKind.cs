namespace PrivateHeaps;

/// <summary>What a <see cref="HeapEntry"/> describes.</summary>
public enum HeapEntryKind
{
    /// <summary>A range of addresses that the heap has reserved. Its blocks follow it.</summary>
    Region,

    /// <summary>A block in use.</summary>
    Block,

    /// <summary>Memory that is free for blocks.</summary>
    Free,

    /// <summary>The reserved rest of a region, for which no memory is committed.</summary>
    Uncommitted,
}
