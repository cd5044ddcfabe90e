namespace PrivateHeaps.Win32;

/// <summary>The MEM_ constants of winnt.h: what VirtualAlloc and VirtualFree are to do, and what VirtualQuery found.</summary>
internal static class AllocationFlags
{
    public const uint Commit = 0x1000;
    public const uint Reserve = 0x2000;
    public const uint Decommit = 0x4000;
    public const uint Release = 0x8000;
    public const uint Free = 0x10000;
    public const uint Private = 0x20000;
    public const uint Mapped = 0x40000;
    public const uint Reset = 0x80000;
    public const uint TopDown = 0x100000;
    public const uint WriteWatch = 0x200000;
    public const uint Physical = 0x400000;
    public const uint ResetUndo = 0x1000000;
    public const uint Image = 0x1000000;
    public const uint LargePages = 0x20000000;
}
