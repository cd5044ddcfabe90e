using PrivateHeaps.Foundation;
using PrivateHeaps.Heaps;

namespace PrivateHeaps.Win32;

/// <summary>The values of <see cref="PROCESS_HEAP_ENTRY.wFlags"/> that a walk writes, and the region indexes.</summary>
internal static class ProcessHeapFlags
{
    public const ushort Region = 0x1;
    public const ushort UncommittedRange = 0x2;
    public const ushort EntryBusy = 0x4;

    /// <summary>Windows is seen to show this index for every block that has a mapping of its own, where the documents promise each its own.</summary>
    private const byte ObservedLargeIndex = 64;

    /// <summary>What a walk shows: regions beyond the last number share it, and none is taken for a large block.</summary>
    public static unsafe byte IndexOf(WalkEntry* entry)
    {
        if (!Contract.IsObserved)
        {
            return (byte)Bits.Min(entry->RegionIndex, byte.MaxValue);
        }

        return entry->Kind == WalkKind.LargeBlock ? ObservedLargeIndex : (byte)Bits.Min(entry->RegionIndex, ObservedLargeIndex - 1);
    }
}
