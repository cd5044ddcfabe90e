namespace PrivateHeaps.Win32;

/// <summary>The constants of winbase.h that the Global and Local functions use.</summary>
public static unsafe partial class WinBase
{
    /// <summary>A block that is known by its address.</summary>
    public const uint GMEM_FIXED = 0x0000;

    /// <summary>A block that is known by a handle; in GlobalReAlloc: the block may move.</summary>
    public const uint GMEM_MOVEABLE = MemoryFlags.Moveable;

    /// <summary>What the block gains is zero.</summary>
    public const uint GMEM_ZEROINIT = MemoryFlags.ZeroInit;

    /// <summary>GlobalReAlloc: change the attributes and not the size.</summary>
    public const uint GMEM_MODIFY = MemoryFlags.Modify;

    /// <summary>Remembered for a moveable block, and without effect.</summary>
    public const uint GMEM_DISCARDABLE = MemoryFlags.GlobalDiscardable;

    /// <summary>Remembered for a moveable block, and without effect.</summary>
    public const uint GMEM_DDESHARE = MemoryFlags.DdeShare;

    /// <summary>The same as <see cref="GMEM_DDESHARE"/>.</summary>
    public const uint GMEM_SHARE = GMEM_DDESHARE;

    /// <summary>Accepted and without effect.</summary>
    public const uint GMEM_NOCOMPACT = 0x0010;

    /// <summary>Accepted and without effect.</summary>
    public const uint GMEM_NODISCARD = 0x0020;

    /// <summary>Accepted and without effect.</summary>
    public const uint GMEM_NOT_BANKED = 0x1000;

    /// <summary>Accepted and without effect.</summary>
    public const uint GMEM_LOWER = GMEM_NOT_BANKED;

    /// <summary>Accepted and without effect.</summary>
    public const uint GMEM_NOTIFY = 0x4000;

    /// <summary>The flags that GlobalAlloc accepts; GlobalReAlloc accepts <see cref="GMEM_MODIFY"/> too.</summary>
    public const uint GMEM_VALID_FLAGS = MemoryFlags.GlobalValid;

    /// <summary>GlobalFlags: the bits of the lock count.</summary>
    public const uint GMEM_LOCKCOUNT = 0x00FF;

    /// <summary>GlobalFlags: the handle has no block.</summary>
    public const uint GMEM_DISCARDED = MemoryFlags.Discarded;

    /// <summary>GlobalFlags: there is no such block.</summary>
    public const uint GMEM_INVALID_HANDLE = MemoryFlags.InvalidHandle;

    /// <summary>A moveable block of zeros.</summary>
    public const uint GHND = GMEM_MOVEABLE | GMEM_ZEROINIT;

    /// <summary>A fixed block of zeros.</summary>
    public const uint GPTR = GMEM_FIXED | GMEM_ZEROINIT;

    /// <summary>A block that is known by its address.</summary>
    public const uint LMEM_FIXED = GMEM_FIXED;

    /// <summary>A block that is known by a handle; in LocalReAlloc: the block may move.</summary>
    public const uint LMEM_MOVEABLE = GMEM_MOVEABLE;

    /// <summary>What the block gains is zero.</summary>
    public const uint LMEM_ZEROINIT = GMEM_ZEROINIT;

    /// <summary>LocalReAlloc: change the attributes and not the size.</summary>
    public const uint LMEM_MODIFY = GMEM_MODIFY;

    /// <summary>Remembered for a moveable block, and without effect.</summary>
    public const uint LMEM_DISCARDABLE = MemoryFlags.LocalDiscardable;

    /// <summary>Accepted and without effect.</summary>
    public const uint LMEM_NOCOMPACT = GMEM_NOCOMPACT;

    /// <summary>Accepted and without effect.</summary>
    public const uint LMEM_NODISCARD = GMEM_NODISCARD;

    /// <summary>The flags that LocalAlloc accepts; LocalReAlloc accepts <see cref="LMEM_MODIFY"/> too.</summary>
    public const uint LMEM_VALID_FLAGS = MemoryFlags.LocalValid;

    /// <summary>LocalFlags: the bits of the lock count.</summary>
    public const uint LMEM_LOCKCOUNT = GMEM_LOCKCOUNT;

    /// <summary>LocalFlags: the handle has no block.</summary>
    public const uint LMEM_DISCARDED = GMEM_DISCARDED;

    /// <summary>LocalFlags: there is no such block.</summary>
    public const uint LMEM_INVALID_HANDLE = GMEM_INVALID_HANDLE;

    /// <summary>A moveable block of zeros.</summary>
    public const uint LHND = LMEM_MOVEABLE | LMEM_ZEROINIT;

    /// <summary>A fixed block of zeros.</summary>
    public const uint LPTR = LMEM_FIXED | LMEM_ZEROINIT;

    /// <summary>A moveable block.</summary>
    public const uint NONZEROLHND = LMEM_MOVEABLE;

    /// <summary>A fixed block.</summary>
    public const uint NONZEROLPTR = LMEM_FIXED;
}
