using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using PrivateHeaps.Foundation;

namespace PrivateHeaps.Slabs;

/// <summary>
/// The sizes of slab blocks: every granule up to 256 bytes, eight sizes a doubling up to 32 KiB, four a doubling up to 256 KiB. Anything
/// larger is a page run. Eight where most memory of real programs is keeps the mean slack there near four percent.
/// </summary>
internal static class SizeClass
{
    public const int Count = 84;
    public const uint LargestBytes = 256 * Units.KiB;

    /// <summary>Up to here a heap with a maximum uses slabs: above it, the waste between two classes would count.</summary>
    public const uint LargestBoundedBytes = 32 * Units.KiB;

    /// <summary>Sizes up to this find their class in a table.</summary>
    public const uint TableBytes = 1024;

    /// <summary>The classes of the table, which come first.</summary>
    public const int TableCount = 32;

    /// <summary>A slab has at most this many blocks, so that its bitmap stays small.</summary>
    public const uint SlotMaximum = 1024;

    // Classes from here on divide 256, 512 ... by eight, and from there on 32 KiB, 64 KiB, 128 KiB by four.
    private const int FirstEightClass = 16;
    private const int FirstFourClass = 72;

    private const uint MagazineMaximum = 256;
    private const uint MagazineMinimum = 4;
    private const uint LargeMagazineMinimum = 2;
    private const uint LargeMagazineMaximum = 64;
    private const uint FirstMagazineBytes = 4 * Units.KiB;
    private const uint DepotMostBytes = 16 * Units.MiB;
    private const uint SlabPages = 16;
    private const uint MediumSlabPages = 128;
    private const uint LargeSlabPages = 512;

    private static ReadOnlySpan<byte> ClassOfGranules =>
    [
        0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 16, 17, 17, 18, 18, 19, 19, 20, 20, 21, 21, 22, 22, 23, 23,
        24, 24, 24, 24, 25, 25, 25, 25, 26, 26, 26, 26, 27, 27, 27, 27, 28, 28, 28, 28, 29, 29, 29, 29, 30, 30, 30, 30, 31, 31, 31, 31,
    ];

    /// <summary>The class of a size of at most <see cref="TableBytes"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint OfTable(nuint bytes) =>
        Unsafe.Add(ref MemoryMarshal.GetReference(ClassOfGranules), (nint)((bytes + (Units.GranuleBytes - 1)) >> Units.GranuleShift));

    /// <summary>The smallest class that holds a size of at most <see cref="LargestBytes"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Of(nuint bytes)
    {
        return bytes <= TableBytes ? OfTable(bytes) : OfLarger(bytes);
    }

    /// <summary>The class of a size above <see cref="TableBytes"/> and of at most <see cref="LargestBytes"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint OfLarger(nuint bytes)
    {
        uint last = (uint)bytes - 1;
        int doubling = BitOperations.Log2(last);
        return doubling < 15
            ? TableCount + (uint)(doubling - 10) * 8 + ((last >> (doubling - 3)) & 7)
            : FirstFourClass + (uint)(doubling - 15) * 4 + ((last >> (doubling - 2)) & 3);
    }

    /// <summary>The smallest class of at least the size whose blocks can all start at a multiple of the alignment (at most a page).</summary>
    public static uint OfAligned(nuint bytes, nuint alignment)
    {
        // A multiple of the alignment lies either among classes that are all such multiples or is a class itself.
        return Of(Bits.RoundUp(Bits.Max(bytes, alignment), alignment));
    }

    /// <summary>Size of the blocks of a class.</summary>
    public static uint BlockBytes(uint index)
    {
        if (index < FirstEightClass)
        {
            return (index + 1) << Units.GranuleShift;
        }

        if (index < FirstFourClass)
        {
            uint eighth = index - FirstEightClass;
            return (8 + 1 + eighth % 8) << (int)(5 + eighth / 8);
        }

        uint quarter = index - FirstFourClass;
        return (4 + 1 + quarter % 4) << (int)(13 + quarter / 4);
    }

    /// <summary>What a full magazine holds where there is much traffic; more only where there are very many blocks.</summary>
    public const uint MagazineBytes = 32 * Units.KiB;

    /// <summary>Blocks of a full magazine at most: as many as make 32 KiB, but 64 to 256.</summary>
    public static uint MagazineCapacity(uint index) => Bits.Max(LargeMagazineMaximum, Clamp(index, MagazineBytes));

    /// <summary>Blocks that a thread takes from slabs at most when it only fills a heap: 32 KiB of small blocks. A heap of 10,000 blocks takes 3 % less time by that.</summary>
    public static uint FillCapacity(uint index) => Bits.Max(MagazineCapacity(index), Bits.Min(2 * MagazineMaximum, MagazineBytes / BlockBytes(index)));

    /// <summary>Blocks of a full magazine to begin with.</summary>
    public static uint FirstMagazineCapacity(uint index) => Clamp(index, FirstMagazineBytes);

    /// <summary>Full magazines that a depot keeps at most, when the traffic is such that they come back.</summary>
    public static uint DepotMost(uint index) => Bits.Max(2, DepotMostBytes / (BlockBytes(index) * MagazineCapacity(index)));

    private static uint Clamp(uint index, uint magazineBytes)
    {
        uint block = BlockBytes(index);
        uint least = block <= 8 * Units.KiB ? MagazineMinimum : LargeMagazineMinimum;
        return Bits.Min(MagazineMaximum, Bits.Max(least, magazineBytes / block));
    }

    /// <summary>
    /// Whole pages in a block, where there are at least two: then a free block of a slab can go back to the system without its neighbors. Else 0. Slabs of
    /// such classes have at most 64 blocks.
    /// </summary>
    public static uint PagesOfBlock(uint index)
    {
        uint pages = BlockBytes(index) / Units.PageBytes;
        return pages < 2 ? 0 : pages;
    }

    /// <summary>
    /// Pages of a slab of this class when about the given number is wanted: the next size that wastes at most an eighth and holds no more
    /// blocks than a bitmap can tell apart.
    /// </summary>
    public static uint PagesOfSlab(uint index, uint wanted)
    {
        uint block = BlockBytes(index);
        uint most = block <= 8 * Units.KiB ? Bits.Min(SlabPages, SlotMaximum * block / Units.PageBytes)
            : block <= LargestBoundedBytes ? MediumSlabPages
            : LargeSlabPages;
        uint pages = Bits.Max((block + (Units.PageBytes - 1)) / Units.PageBytes, Bits.Min(wanted, most));
        while (pages < most && pages * Units.PageBytes % block * 8 > pages * Units.PageBytes)
        {
            pages++;
        }

        // Without the pages at the end that no block reaches.
        uint blocksBytes = pages * Units.PageBytes / block * block;
        return (blocksBytes + (Units.PageBytes - 1)) / Units.PageBytes;
    }
}
