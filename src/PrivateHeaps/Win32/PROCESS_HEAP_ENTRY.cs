using System.Runtime.InteropServices;

namespace PrivateHeaps.Win32;

/// <summary>
/// One entry of a HeapWalk. A walk starts with <see cref="lpData"/> 0 and is continued by handing the structure back unchanged.
/// The sizes have 32 bits as in Windows: those of entries of 4 GiB and more are truncated. 40 bytes in a 64-bit process, 28 in a 32-bit one.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct PROCESS_HEAP_ENTRY
{
    /// <summary>Where the block, the region or the uncommitted range starts.</summary>
    public nint lpData;

    /// <summary>The requested bytes of a busy block, the usable bytes of a free one, all bytes of a region or an uncommitted range.
    /// Under <see cref="HeapContract.Observed"/> the bytes of a region in front of its first block.</summary>
    public uint cbData;

    /// <summary>Bytes behind the block that belong to neither it nor the next one; 255 stands for 255 or more. Of a region: bytes of the
    /// heap's structures for it, which lie elsewhere; 0 under <see cref="HeapContract.Observed"/>. 0 for other entries.</summary>
    public byte cbOverhead;

    /// <summary>Counts the regions from 0; each block that has a mapping of its own has a number of its own, or 64 under <see cref="HeapContract.Observed"/>.</summary>
    public byte iRegionIndex;

    /// <summary>PROCESS_HEAP_REGION, PROCESS_HEAP_UNCOMMITTED_RANGE or PROCESS_HEAP_ENTRY_BUSY; 0 for a free block.</summary>
    public ushort wFlags;

    private DETAIL _detail;

    /// <summary>Meaningful only for moveable blocks, which this library never shows: all zero.</summary>
    public BLOCK_DATA Block
    {
        readonly get => _detail.Block;
        set => _detail.Block = value;
    }

    /// <summary>Meaningful only if <see cref="wFlags"/> has PROCESS_HEAP_REGION.</summary>
    public REGION_DATA Region
    {
        readonly get => _detail.Region;
        set => _detail.Region = value;
    }

    /// <summary>The part of an entry that describes a moveable block. Its name keeps clear of <see cref="Block"/>, from which Visual Basic could not tell it by case.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct BLOCK_DATA
    {
        /// <summary>The handle of a moveable block.</summary>
        public nint hMem;

        /// <summary>Not used.</summary>
        public uint dwReserved0;

        /// <summary>Not used.</summary>
        public uint dwReserved1;

        /// <summary>Not used.</summary>
        public uint dwReserved2;
    }

    /// <summary>The part of an entry that describes a region; its name keeps clear of <see cref="Region"/>. Sizes are bytes, truncated to 32 bits.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct REGION_DATA
    {
        /// <summary>Bytes of the region that are committed.</summary>
        public uint dwCommittedSize;

        /// <summary>Bytes of the region that are reserved but not committed.</summary>
        public uint dwUnCommittedSize;

        /// <summary>The address of the region's first block.</summary>
        public nint lpFirstBlock;

        /// <summary>The first address behind the region, where no block can start.</summary>
        public nint lpLastBlock;
    }

    [StructLayout(LayoutKind.Explicit)]
    private struct DETAIL
    {
        [FieldOffset(0)]
        public BLOCK_DATA Block;

        [FieldOffset(0)]
        public REGION_DATA Region;
    }
}
