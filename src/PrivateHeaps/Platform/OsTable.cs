namespace PrivateHeaps.Platform;

/// <summary>
/// The memory operations of an operating system. One table is in force in a process; a test may put another in its place, for instance
/// one that fails on the third commit. A call through a pointer costs nothing next to a system call. All addresses and sizes are whole
/// pages of the system's; <see cref="Os"/> rounds them.
/// </summary>
internal unsafe struct OsTable
{
    /// <summary>Bytes of the system's page: a power of two, at least the engine's page and at most a piece of the arena.</summary>
    public nuint PageBytes;

    /// <summary>
    /// True where committed memory counts against a limit even if it is never touched, and where decommitted pages are inaccessible until they
    /// are committed again. False where untouched memory is free, and decommitted pages stay accessible.
    /// </summary>
    public bool ChargesCommits;

    /// <summary>Whether large ranges are to be backed by huge pages: then they are committed in steps that hold some.</summary>
    public bool UsesHugePages;

    /// <summary>Bytes of a huge page, a power of two; 0 where the next two are null.</summary>
    public nuint HugePageBytes;

    /// <summary>
    /// (address, bytes, wanted): whether what is touched in a committed range for the first time from now on is to come in huge pages. False: nothing has changed.
    /// Null where the system has none, and where they are not to be used.
    /// </summary>
    public delegate*<void*, nuint, bool, bool> WishHuge;

    /// <summary>(address, bytes) -> how many pages of a committed range hold something; null where the system does not say.</summary>
    public delegate*<void*, nuint, nuint> CountResident;

    /// <summary>
    /// (address, bytes): a part of a huge page, which will be given back; what is left is to be small pages. Else a system keeps all of it in memory until that is short.
    /// Null where WishHuge is.
    /// </summary>
    public delegate*<void*, nuint, void> DivideHuge;

    /// <summary>() -> a clock that only goes forward, in nanoseconds, to tell how long a huge page takes. Null where WishHuge is.</summary>
    public delegate*<long> Nanoseconds;

    /// <summary>(bytes) -> page-aligned inaccessible range that costs address space only; null when there is none.</summary>
    public delegate*<nuint, void*> Reserve;

    /// <summary>(bytes, alignment, executable) -> a range that is reserved and committed at once, zeroed; null when there is none.</summary>
    public delegate*<nuint, nuint, bool, void*> Map;

    /// <summary>
    /// (address, bytes, executable): pages of a reserved range become readable and writable; those that are so already keep their contents.
    /// False: no committed page has changed.
    /// </summary>
    public delegate*<void*, nuint, bool, bool> Commit;

    /// <summary>(address, bytes): gives the contents of pages back, committed or not; when next accessible they read as zero. False: nothing has changed.</summary>
    public delegate*<void*, nuint, bool> Decommit;

    /// <summary>(address, bytes): ends a whole range that Reserve or Map made. The size is the one it has now. False: nothing has changed.</summary>
    public delegate*<void*, nuint, bool> Release;

    /// <summary>(address, old bytes, new bytes): changes the size of a mapped range where it lies. False leaves everything as it was.</summary>
    public delegate*<void*, nuint, nuint, bool> Resize;

    /// <summary>
    /// (address, old bytes, new bytes): changes the size of a mapped range where it lies, or else moves it to where there is room. Where it lies then; null leaves
    /// everything as it was. Null where the system has no such operation.
    /// </summary>
    public delegate*<void*, nuint, nuint, void*> Move;

    /// <summary>
    /// () -> the number of the NUMA node on which the calling thread runs: its processor, and the memory that this reaches fastest. Null where all
    /// processors are on one node, and where that is not known.
    /// </summary>
    public delegate*<uint> NodeNumber;
}
