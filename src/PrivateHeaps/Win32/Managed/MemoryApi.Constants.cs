namespace PrivateHeaps.Win32;

/// <summary>The constants of winnt.h that the virtual memory functions use.</summary>
public static unsafe partial class MemoryApi
{
    /// <summary>VirtualAlloc: pages become accessible; fresh ones are zero. VirtualQuery: they are.</summary>
    public const uint MEM_COMMIT = AllocationFlags.Commit;

    /// <summary>VirtualAlloc: addresses that nobody else gets. VirtualQuery: they are reserved and not committed.</summary>
    public const uint MEM_RESERVE = AllocationFlags.Reserve;

    /// <summary>VirtualFree: pages lose their contents and stay reserved.</summary>
    public const uint MEM_DECOMMIT = AllocationFlags.Decommit;

    /// <summary>VirtualFree: the whole reservation is given back.</summary>
    public const uint MEM_RELEASE = AllocationFlags.Release;

    /// <summary>VirtualQuery: nothing is there.</summary>
    public const uint MEM_FREE = AllocationFlags.Free;

    /// <summary>VirtualQuery: memory of this process alone, with no file behind it.</summary>
    public const uint MEM_PRIVATE = AllocationFlags.Private;

    /// <summary>VirtualQuery: a mapped file, or memory that processes share.</summary>
    public const uint MEM_MAPPED = AllocationFlags.Mapped;

    /// <summary>VirtualQuery: a program or library.</summary>
    public const uint MEM_IMAGE = AllocationFlags.Image;

    /// <summary>VirtualAlloc: the contents do not matter any more. They are kept here, and paged out before others.</summary>
    public const uint MEM_RESET = AllocationFlags.Reset;

    /// <summary>VirtualAlloc: the contents matter again. Always succeeds, because they were kept.</summary>
    public const uint MEM_RESET_UNDO = AllocationFlags.ResetUndo;

    /// <summary>VirtualAlloc: accepted and without effect.</summary>
    public const uint MEM_TOP_DOWN = AllocationFlags.TopDown;

    /// <summary>VirtualAlloc: refused; nothing here tracks writes.</summary>
    public const uint MEM_WRITE_WATCH = AllocationFlags.WriteWatch;

    /// <summary>
    /// VirtualAlloc, with <see cref="MEM_RESERVE"/> and <see cref="PAGE_READWRITE"/>: a window for
    /// <see cref="MapUserPhysicalPages(void*, nuint, nuint*)"/>.
    /// </summary>
    public const uint MEM_PHYSICAL = AllocationFlags.Physical;

    /// <summary>VirtualAlloc: refused; <see cref="GetLargePageMinimum"/> says that there are no large pages.</summary>
    public const uint MEM_LARGE_PAGES = AllocationFlags.LargePages;

    /// <summary>No access.</summary>
    public const uint PAGE_NOACCESS = PageProtection.NoAccess;

    /// <summary>Can be read.</summary>
    public const uint PAGE_READONLY = PageProtection.ReadOnly;

    /// <summary>Can be read and written.</summary>
    public const uint PAGE_READWRITE = PageProtection.ReadWrite;

    /// <summary>Refused: it is for mapped files.</summary>
    public const uint PAGE_WRITECOPY = PageProtection.WriteCopy;

    /// <summary>Can be executed, and read.</summary>
    public const uint PAGE_EXECUTE = PageProtection.Execute;

    /// <summary>Can be executed and read.</summary>
    public const uint PAGE_EXECUTE_READ = PageProtection.ExecuteRead;

    /// <summary>Can be executed, read and written.</summary>
    public const uint PAGE_EXECUTE_READWRITE = PageProtection.ExecuteReadWrite;

    /// <summary>Refused: it is for mapped files.</summary>
    public const uint PAGE_EXECUTE_WRITECOPY = PageProtection.ExecuteWriteCopy;

    /// <summary>
    /// Modifier: a guard page. It has no access until its protection is changed; the exception of the first access, after which it would be an
    /// ordinary page on Windows, is not raised here.
    /// </summary>
    public const uint PAGE_GUARD = PageProtection.Guard;

    /// <summary>Modifier: remembered and without effect.</summary>
    public const uint PAGE_NOCACHE = PageProtection.NoCache;

    /// <summary>Modifier: remembered and without effect.</summary>
    public const uint PAGE_WRITECOMBINE = PageProtection.WriteCombine;

    /// <summary>For executable pages; accepted and without effect.</summary>
    public const uint PAGE_TARGETS_INVALID = PageProtection.TargetsInvalid;

    /// <summary>For executable pages; accepted and without effect.</summary>
    public const uint PAGE_TARGETS_NO_UPDATE = PageProtection.TargetsInvalid;
}
