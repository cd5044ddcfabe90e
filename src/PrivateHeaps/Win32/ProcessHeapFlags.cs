using PrivateHeaps.Foundation;
using PrivateHeaps.Heaps;

namespace PrivateHeaps.Win32;

/// <summary>The values of <see cref="PROCESS_HEAP_ENTRY.wFlags"/> that a walk writes, and the region index of large blocks.</summary>
internal static class ProcessHeapFlags
{
    public const ushort Region = 0x1;
    public const ushort UncommittedRange = 0x2;
    public const ushort EntryBusy = 0x4;

    /// <summary>Windows shows this index for every block that has a mapping of its own.</summary>
    public const byte LargeBlockRegionIndex = 64;

    /// <summary>Regions beyond this one share its index, so that none is taken for a large block.</summary>
    public const byte LastRegionIndex = LargeBlockRegionIndex - 1;

    public static unsafe byte IndexOf(WalkEntry* entry) => entry->Kind == WalkKind.LargeBlock
        ? LargeBlockRegionIndex
        : (byte)Bits.Min(entry->RegionIndex, LastRegionIndex);
}
