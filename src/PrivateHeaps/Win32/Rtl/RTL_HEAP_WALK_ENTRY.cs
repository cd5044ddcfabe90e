using System.Runtime.InteropServices;

namespace PrivateHeaps.Win32;

/// <summary>
/// One entry of an RtlWalkHeap. A walk starts with <see cref="DataAddress"/> 0 and is continued by handing the structure back unchanged.
/// Other numbers than <see cref="PROCESS_HEAP_ENTRY"/> has for the same facts. 48 bytes in a 64-bit process.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct RTL_HEAP_WALK_ENTRY
{
    /// <summary>Where the block, the segment or the uncommitted range starts.</summary>
    public nint DataAddress;

    /// <summary>The requested bytes of a busy block, the usable bytes of a free one, all bytes of a segment or an uncommitted range.</summary>
    public nuint DataSize;

    /// <summary>As <see cref="PROCESS_HEAP_ENTRY.cbOverhead"/>.</summary>
    public byte OverheadBytes;

    /// <summary>As <see cref="PROCESS_HEAP_ENTRY.iRegionIndex"/>.</summary>
    public byte SegmentIndex;

    /// <summary>1 busy; 2 segment; 0x10 a value can be attached; 0x20, 0x40, 0x80 the attached flags; 0x1000 uncommitted; 0x4000 a mapping of its own.</summary>
    public ushort Flags;

    private DETAIL _detail;

    /// <summary>Meaningful only for busy blocks.</summary>
    public BLOCK_DATA Block
    {
        readonly get => _detail.Block;
        set => _detail.Block = value;
    }

    /// <summary>Meaningful only for segments.</summary>
    public SEGMENT_DATA Segment
    {
        readonly get => _detail.Segment;
        set => _detail.Segment = value;
    }

    /// <summary>The part of an entry that describes a busy block.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct BLOCK_DATA
    {
        /// <summary>The value that the program attached.</summary>
        public nuint Settable;

        /// <summary>Always 0.</summary>
        public ushort TagIndex;

        /// <summary>Always 0.</summary>
        public ushort AllocatorBackTraceIndex;

        /// <summary>Not used.</summary>
        public uint Reserved0;

        /// <summary>Not used.</summary>
        public uint Reserved1;
    }

    /// <summary>The part of an entry that describes a segment. Sizes are bytes, truncated to 32 bits.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct SEGMENT_DATA
    {
        /// <summary>Bytes of the segment that are committed.</summary>
        public uint CommittedSize;

        /// <summary>Bytes of the segment that are reserved but not committed.</summary>
        public uint UnCommittedSize;

        /// <summary>The address of the segment's first block.</summary>
        public nint FirstEntry;

        /// <summary>The first address behind the segment.</summary>
        public nint LastEntry;
    }

    [StructLayout(LayoutKind.Explicit)]
    private struct DETAIL
    {
        [FieldOffset(0)]
        public BLOCK_DATA Block;

        [FieldOffset(0)]
        public SEGMENT_DATA Segment;
    }
}
