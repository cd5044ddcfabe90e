using PrivateHeaps.Heaps;

namespace PrivateHeaps.Win32;

/// <summary>The constants of winnt.h that the heap functions use.</summary>
public static unsafe partial class HeapApi
{
    /// <summary>Heap: no two threads will use it at the same time. Call: do not wait for another thread's HeapLock.</summary>
    public const uint HEAP_NO_SERIALIZE = HeapFlags.NoSerialize;

    /// <summary>Accepted and without effect: a heap can grow exactly if it is created without a maximum.</summary>
    public const uint HEAP_GROWABLE = 0x2;

    /// <summary>
    /// Heap and call: a failed allocation throws <see cref="OutOfMemoryException"/> (STATUS_NO_MEMORY) or
    /// <see cref="AccessViolationException"/> (STATUS_ACCESS_VIOLATION) instead of returning 0. The status is in <see cref="Exception.HResult"/>.
    /// </summary>
    public const uint HEAP_GENERATE_EXCEPTIONS = HeapFlags.GenerateExceptions;

    /// <summary>Call: the bytes that the block gains are zero.</summary>
    public const uint HEAP_ZERO_MEMORY = HeapFlags.ZeroMemory;

    /// <summary>HeapReAlloc: fail rather than move the block.</summary>
    public const uint HEAP_REALLOC_IN_PLACE_ONLY = HeapFlags.ReallocInPlaceOnly;

    /// <summary>Heap: as <see cref="Checks.HeapChecks.TailChecking"/>.</summary>
    public const uint HEAP_TAIL_CHECKING_ENABLED = HeapFlags.TailChecking;

    /// <summary>Heap: as <see cref="Checks.HeapChecks.FreeChecking"/>.</summary>
    public const uint HEAP_FREE_CHECKING_ENABLED = HeapFlags.FreeChecking;

    /// <summary>Accepted and without effect.</summary>
    public const uint HEAP_DISABLE_COALESCE_ON_FREE = 0x80;

    /// <summary>Accepted and without effect.</summary>
    public const uint HEAP_CREATE_SEGMENT_HEAP = 0x100;

    /// <summary>Accepted and without effect.</summary>
    public const uint HEAP_CREATE_HARDENED = 0x200;

    /// <summary>Accepted and without effect: blocks are 16-byte aligned in 64-bit processes anyway.</summary>
    public const uint HEAP_CREATE_ALIGN_16 = 0x10000;

    /// <summary>Accepted and without effect.</summary>
    public const uint HEAP_CREATE_ENABLE_TRACING = 0x20000;

    /// <summary>Heap: its blocks may hold code that is executed.</summary>
    public const uint HEAP_CREATE_ENABLE_EXECUTE = HeapFlags.CreateEnableExecute;

    /// <summary>The greatest tag.</summary>
    public const uint HEAP_MAXIMUM_TAG = 0x0FFF;

    /// <summary>Accepted and without effect.</summary>
    public const uint HEAP_PSEUDO_TAG_FLAG = 0x8000;

    /// <summary>How far a tag is shifted in the flags of a call.</summary>
    public const int HEAP_TAG_SHIFT = 18;

    /// <summary><see cref="PROCESS_HEAP_ENTRY.wFlags"/>: the entry is a region, and <see cref="PROCESS_HEAP_ENTRY.Region"/> describes it.</summary>
    public const ushort PROCESS_HEAP_REGION = ProcessHeapFlags.Region;

    /// <summary><see cref="PROCESS_HEAP_ENTRY.wFlags"/>: the entry is the uncommitted rest of a region.</summary>
    public const ushort PROCESS_HEAP_UNCOMMITTED_RANGE = ProcessHeapFlags.UncommittedRange;

    /// <summary><see cref="PROCESS_HEAP_ENTRY.wFlags"/>: the entry is a block in use.</summary>
    public const ushort PROCESS_HEAP_ENTRY_BUSY = ProcessHeapFlags.EntryBusy;

    /// <summary>Never shown by this library.</summary>
    public const ushort PROCESS_HEAP_SEG_ALLOC = 0x8;

    /// <summary>Never shown by this library.</summary>
    public const ushort PROCESS_HEAP_ENTRY_MOVEABLE = 0x10;

    /// <summary>Never shown by this library.</summary>
    public const ushort PROCESS_HEAP_ENTRY_DDESHARE = 0x20;

    /// <summary>The value of <see cref="HEAP_OPTIMIZE_RESOURCES_INFORMATION.Version"/>.</summary>
    public const uint HEAP_OPTIMIZE_RESOURCES_CURRENT_VERSION = 1;

    /// <summary><see cref="Exception.HResult"/> of the exception that a raising allocation throws when there is no room.</summary>
    public const int STATUS_NO_MEMORY = unchecked((int)NtStatus.NoMemory);

    /// <summary><see cref="Exception.HResult"/> of the exception that a raising allocation throws for a heap that does not exist.</summary>
    public const int STATUS_ACCESS_VIOLATION = unchecked((int)NtStatus.AccessViolation);

    /// <summary>Every block starts at a multiple of this: 16 in a 64-bit process, 8 in a 32-bit one.</summary>
    public static int MEMORY_ALLOCATION_ALIGNMENT => 2 * sizeof(nint);
}
