namespace PrivateHeaps.Checks;

/// <summary>What a record says about its block.</summary>
internal enum RecordState : uint
{
    /// <summary>The place of the table is empty.</summary>
    None,
    Live,

    /// <summary>Freed by the program and not yet by the heap.</summary>
    Quarantined,

    /// <summary>Freed; kept until its place is needed, to tell a second free.</summary>
    Freed,
}

/// <summary>One block of a checked heap, out of line. Written under the lock of the heap's checks.</summary>
internal unsafe struct BlockRecord
{
    public nuint Address;

    /// <summary>The requested size.</summary>
    public nuint Bytes;

    /// <summary>The region of a block on guard pages, and of a quarantined one with a mapping of its own; else null.</summary>
    public void* Owner;

    /// <summary>Stack numbers of <see cref="Stacks"/>; 0 for none.</summary>
    public uint AllocatedBy;
    public uint FreedBy;
    public RecordState State;

    /// <summary>What lies in front of the block is a border of this heap's.</summary>
    public bool HasFront;
}
