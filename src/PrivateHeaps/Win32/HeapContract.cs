namespace PrivateHeaps.Win32;

/// <summary>
/// Which reading of Windows the Win32 functions follow where the published documents and what Windows is seen to do differ. One setting for the
/// process; the idiomatic <see cref="PrivateHeap"/> is the same under both. docs/win32-parity.md shows the differences line by line.
/// </summary>
public enum HeapContract
{
    /// <summary>
    /// The default: what Microsoft's documents say. A failed HeapAlloc, HeapReAlloc for lack of room, or HeapSize leaves the last error untouched; a heap
    /// with a maximum serves blocks below 0x7FFF8 bytes; memory stays committed until the heap is destroyed or optimized; HeapWalk shows a region's whole size.
    /// </summary>
    Documented = 1,

    /// <summary>
    /// What Windows does. The failures above set the last error to 8, 8 and 87; a heap with a maximum serves blocks of up to 0xFEFD8 bytes and keeps 2 KiB of the
    /// maximum for itself; a heap starts with 8 KiB committed and 64 KiB reserved; free memory may go back to the system; HeapWalk shows the size of a region's header.
    /// </summary>
    Observed = 2,
}
