namespace PrivateHeaps.Platform;

/// <summary>
/// The memory operations of an operating system. One table is in force in a process; a test may put another in its place, for instance
/// one that fails on the third commit. A call through a pointer costs nothing next to a system call.
/// </summary>
internal unsafe struct OsTable
{
    /// <summary>(bytes) -> page-aligned inaccessible range that costs address space only; null when there is none.</summary>
    public delegate*<nuint, void*> Reserve;

    /// <summary>(bytes) -> a range that is reserved and readable and writable at once, zeroed; null when there is none.</summary>
    public delegate*<nuint, void*> Map;

    /// <summary>(address, bytes, executable): pages of a reserved range become readable and writable. False leaves them as they were.</summary>
    public delegate*<void*, nuint, bool, bool> Commit;

    /// <summary>(address, bytes): gives the contents back; the pages stay accessible and read as zero. False: they may still hold their contents.</summary>
    public delegate*<void*, nuint, bool> Decommit;

    /// <summary>(address, bytes): ends a reservation, or a whole-page part of one.</summary>
    public delegate*<void*, nuint, void> Release;

    /// <summary>
    /// (address, old bytes, new bytes, target): changes the size of a mapped range where it lies (target null), or moves it onto a reserved
    /// range of the new size. False leaves everything as it was.
    /// </summary>
    public delegate*<void*, nuint, nuint, void*, bool> Remap;
}
