namespace PrivateHeaps.Heaps;

/// <summary>
/// A block of the process heap that is known by a handle of <see cref="HandleTable"/> and so may change its address, or be discarded: then
/// the handle lives on without a block. The table's lock guards all fields, and only the table writes them.
/// </summary>
internal unsafe struct MoveableBlock
{
    public const uint InUse = 0x1;
    public const uint Moveable = 0x2;
    public const uint Discardable = 0x4;

    /// <summary>Set exactly while the handle has no block.</summary>
    public const uint Discarded = 0x8;
    public const uint DdeShare = 0x8000;

    /// <summary>The lock count lies in bits 16 to 23.</summary>
    public const uint LockUnit = 0x10000;
    public const uint LockMask = 0xFF * LockUnit;

    /// <summary>Null while discarded, or when the entry is free.</summary>
    public void* Block;

    /// <summary>The next in the same bucket; of a free entry the next free one, or null.</summary>
    public MoveableBlock* Next;

    /// <summary>The bits above, as Windows has them; 0 for a free entry.</summary>
    public uint Flags;

    public readonly bool IsLocked => (Flags & LockMask) != 0;
}
