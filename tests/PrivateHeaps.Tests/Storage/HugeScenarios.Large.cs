using PrivateHeaps.Foundation;
using PrivateHeaps.Heaps;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;
using PrivateHeaps.Tests.Platform;
using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Storage;

/// <summary>Large blocks, each with a mapping of its own.</summary>
internal static unsafe partial class HugeScenarios
{
    /// <summary>Of large blocks that are used, each eighth has small pages and shows whether it is; of those that are not, none is huge; where they are not any longer, seven are.</summary>
    public static void LargeBlocksBecomeHugeAsLongAsEachEighthIsUsed()
    {
        const int count = 40, stillUsed = 17;
        foreach (bool isUsed in (bool[])[false, true])
        {
            using PrivateHeap heap = new();
            List<nint> blocks = [];
            HugePageSystem.Forget();
            HugePageSystem.CountUsed = (_, pages) => isUsed && blocks.Count <= stillUsed ? pages / 8 * 7 : (pages / 8 * 7) - 1;
            while (blocks.Count < count)
            {
                blocks.Add(Allocated(heap, 4 * MiB));
            }

            HugeWish[] expected = [.. blocks.Where((_, index) => isUsed && index % 8 != 0 && index < 24).SelectMany(block => Filled(block, 4 * MiB, 0, 4 * MiB))];
            Assert.Equal(expected, HugePageSystem.Wishes);
            Assert.Equal(expected.Where(wish => !wish.IsWanted).Select(wish => wish.Address), LargeOf(heap).Where(region => ((Region*)region)->IsHuge).Select(region => (nuint)((Region*)region)->Base));
            Check([.. blocks.Select(block => (block, 4 * MiB))]);
        }

        // Where the one with small pages is gone when the next is allocated, the huge ones before it show nothing.
        using PrivateHeap another = new();
        HugePageSystem.CountUsed = (_, pages) => pages;
        nint[] nine = [.. Enumerable.Range(0, 9).Select(_ => Allocated(another, 4 * MiB))];
        another.Free((void*)nine[8]);
        HugePageSystem.Forget();
        Allocated(another, 4 * MiB);
        Assert.Empty(HugePageSystem.Wishes);
    }

    /// <summary>One that is used makes those of up to eight times its size huge, and none below the size of a huge page.</summary>
    public static void ALargeBlockSaysNothingOfOnesThatAreManyTimesAsLarge()
    {
        using PrivateHeap heap = new();
        HugePageSystem.CountUsed = (_, pages) => pages;
        heap.Alloc(2 * MiB);
        foreach ((nuint bytes, bool isHuge) in ((nuint, bool)[])[((16 * MiB) + 1, false), (16 * MiB, true), (1000 * MiB, false), ((2 * MiB) - (4 * KiB), false), (4 * MiB, true)])
        {
            HugePageSystem.Forget();
            nint block = (nint)heap.Alloc(bytes);
            Assert.Equal(isHuge ? Filled(block, bytes, 0, 8 * MiB) : [], HugePageSystem.Wishes);
            HugePageSystem.CountUsed = (_, _) => 0;
        }
    }

    /// <summary>What was there before shows nothing, whether a block got it from another one that was freed or from a spare mapping behind it.</summary>
    public static void OnlyFreshPagesOfALargeBlockSayAnything()
    {
        nint heap = HeapApi.GetProcessHeap();
        RegionSet* regions = &HeapRegistry.Find(heap)->Regions;
        HugePageSystem.CountUsed = (_, pages) => pages;
        if (!Os.CanMove)
        {
            return;
        }

        // Mappings are kept once some were missed. Blocks of less than a huge page are not looked at.
        nint first;
        nuint kept = (2 * MiB) - (64 * KiB);
        for (int turn = 0; ; turn++)
        {
            Assert.True(turn < 100);
            first = HeapApi.HeapAlloc(heap, 0, kept);
            if (regions->LastSolo->UsedPages == regions->LastSolo->PageCount)
            {
                break;
            }

            Assert.True(HeapApi.HeapFree(heap, 0, first));
        }

        Assert.Empty(HugePageSystem.Looks);

        // All of it was there: nobody looks, and the next is not huge.
        nint second = HeapApi.HeapAlloc(heap, 0, 6 * MiB);
        Assert.Empty(HugePageSystem.Looks);
        Assert.Empty(HugePageSystem.Wishes);

        // The end of a block goes and comes back, and goes again: then it has less than was there before.
        Region* region = regions->LastSolo;
        nuint lessBytes = (5 * MiB) + (512 * KiB);
        foreach (nuint bytes in (nuint[])[lessBytes, 6 * MiB, lessBytes])
        {
            Assert.Equal(second, HeapApi.HeapReAlloc(heap, HeapApi.HEAP_REALLOC_IN_PLACE_ONLY, second, bytes));
            Assert.Equal(bytes, region->Bytes);
            Assert.Equal(bytes == lessBytes, region->PageCount != region->UsedPages);
        }

        HeapApi.HeapAlloc(heap, 0, 64 * MiB);
        Assert.Empty(HugePageSystem.Looks);
        Assert.Empty(HugePageSystem.Wishes);
        Memory.Fill((void*)second, lessBytes, 0xC9);
        Assert.True(HeapApi.HeapFree(heap, 0, second));

        // What was kept of a mapping, with fresh pages behind it: only those are looked at.
        HugePageSystem.CountUsed = (_, _) => 0;
        nint third = HeapApi.HeapAlloc(heap, HeapApi.HEAP_ZERO_MEMORY, 32 * MiB);
        Memory.AssertFilled((void*)third, 0, 32 * MiB, 0);
        HugePageSystem.Forget();
        nuint used = (nuint)regions->LastSolo->UsedPages << Units.PageShift;
        Assert.InRange(used, 512 * KiB, 6 * MiB);
        HeapApi.HeapAlloc(heap, 0, 32 * MiB);
        (nuint address, nuint looked, _) = Assert.Single(HugePageSystem.Looks);
        Assert.InRange(address, (nuint)third + used, (nuint)third + (32 * MiB) - looked);
    }

    /// <summary>
    /// A block that was filled and grows gets huge pages for the next quarter, where it lies then, and again when it grows on; one that was not filled, or grows more than eight
    /// times, does not.
    /// </summary>
    public static void ALargeBlockThatGrowsBecomesHugeOnceIfItIsUsed()
    {
        using PrivateHeap heap = new();
        if (!Os.CanMove)
        {
            return;
        }

        foreach ((nuint first, nuint second, bool isUsed, bool isHuge) in ((nuint, nuint, bool, bool)[])
            [(8 * MiB, 12 * MiB, true, true), (8 * MiB, 64 * MiB, true, true), (8 * MiB, 65 * MiB, true, false), (8 * MiB, 12 * MiB, false, false), (1 * MiB, 2 * MiB, true, false)])
        {
            HugePageSystem.CountUsed = (_, _) => 0;
            nint block = Allocated(heap, first);
            HugePageSystem.Forget();
            HugePageSystem.CountUsed = (_, pages) => isUsed ? pages : 0;
            block = Resized(heap, block, second);
            Assert.Equal(isHuge ? Filled(block, second, first, first / 4) : [], HugePageSystem.Wishes);
            Memory.AssertFilled((void*)block, 0, first, Value(first));
            Memory.AssertFilled((void*)block, first, second, 0);
            HugePageSystem.Forget();
            if (isHuge)
            {
                // It is no longer looked at.
                nuint third = second + (4 * MiB), less = second - (1 * MiB), last = 128 * MiB;
                nint grown = Resized(heap, block, third);
                block = Resized(heap, grown, less);
                block = Resized(heap, block, last);
                Assert.Empty(HugePageSystem.Looks);
                HugeWish[] again = Filled(grown, third, second, second / 4);
                Assert.Equal(less * 8 >= last ? [.. again, .. Filled(block, last, less, less / 4)] : again, HugePageSystem.Wishes);
                Memory.AssertFilled((void*)block, 0, Math.Min(first, second - (1 * MiB)), Value(first));
                Memory.AssertFilled((void*)block, first, last, 0);
            }

            Assert.True(heap.Validate());
            heap.Free((void*)block);
        }
    }

    /// <summary>Spare mappings become one where they are one to the system: moved equally far, and huge since the same moment.</summary>
    public static void NeighborsOfDifferentKindsStayApart()
    {
        const uint pages = 64;
        const nuint bytes = pages * (nuint)Units.PageBytes;
        Assert.True(Engine.Start());
        foreach ((uint lowNumber, uint highNumber, nint displacement, bool areOne) in ((uint, uint, nint, bool)[])
            [(0, 0, 0, true), (1, 1, 0, true), (2, 2, 0, true), (0, 1, 0, false), (1, 0, 0, false), (1, 2, 0, false), (2, 3, 0, false), (1, 1, 4096, false)])
        {
            foreach (bool isLowFirst in (bool[])[true, false])
            {
                SpareMappings spares = new() { IsOn = true };
                byte* range = (byte*)Os.Map(2 * bytes);
                Region* low = MadeRegion(range, pages, lowNumber, 0), high = MadeRegion(range + bytes, pages, highNumber, displacement);
                Assert.True(SpareMappings.Keep(&spares, isLowFirst ? low : high, 0));
                Assert.True(SpareMappings.Keep(&spares, isLowFirst ? high : low, 0));
                Region* taken = SpareMappings.Take(&spares, 2 * pages, 2 * pages, false);
                Assert.Equal(areOne ? 2 * pages : pages, taken->PageCount);
                SpareMappings.ReleaseAll(&spares);
                Os.Release(taken->Base, taken->Bytes);

                // A block takes what lies behind it on the same condition.
                range = (byte*)Os.Map(2 * bytes);
                low = MadeRegion(range, pages, lowNumber, 0);
                high = MadeRegion(range + bytes, pages, highNumber, displacement);
                Assert.True(SpareMappings.Keep(&spares, high, pages));
                Assert.Equal(areOne, SpareMappings.TakeBehind(&spares, low, pages, 2 * pages));
                SpareMappings.ReleaseAll(&spares);
                Os.Release(range, areOne ? 2 * bytes : bytes);
            }
        }
    }

    /// <summary>
    /// Two neighbors that were filled with huge pages: with the real system, which has two mappings then and moves only one at a time, each can be moved and enlarged. Of two that
    /// were not it has one.
    /// </summary>
    public static void WhatIsOneMappingToTheHeapIsOneToTheSystem()
    {
        const uint pages = 1024;
        const nuint bytes = pages * (nuint)Units.PageBytes;
        Assert.True(Engine.Start());
        if (!Os.CanMove || Os.HugePageBytes == 0)
        {
            return;
        }

        foreach (bool isFilled in (bool[])[false, true])
        {
            RegionSet set = default;
            byte* range = (byte*)Bits.RoundUp((nuint)Os.Map(4 * bytes), Huge) + bytes;
            Region* low = MadeRegion(range, pages, 0, 0), high = MadeRegion(range + bytes, pages, 0, 0);
            if (isFilled)
            {
                HugeGrowth.Fill(&set, low, low->Base, low->Bytes, 0, Huge);
                HugeGrowth.Fill(&set, high, high->Base, high->Bytes, 0, bytes);
            }

            *low->Base = 1;
            *high->Base = 2;

            bool isOne = Region.IsOneMapping(low, high);
            Assert.Equal(!low->IsHuge, isOne);
            foreach (Region* region in (nint[])(isOne ? [(nint)low] : [(nint)low, (nint)high]))
            {
                nuint whole = isOne ? 2 * bytes : bytes;
                byte first = *region->Base;
                byte* moved = (byte*)Os.Move(region->Base, whole, 4 * bytes);
                Assert.True(moved != null);
                Assert.Equal(first, *moved);
                Assert.True(Os.Release(moved, 4 * bytes));
            }
        }
    }

    // What is wished for a large block of which the first bytes may have been touched: the next ones, and then nothing any more.
    private static HugeWish[] Filled(nint block, nuint bytes, nuint touched, nuint most)
    {
        nuint first = Bits.RoundUp((nuint)block + touched, Huge);
        nuint end = Math.Min(Bits.RoundDown((nuint)block + bytes, Huge), first + (most / Huge * Huge));
        return first < end ? [new(first, end - first, true), new((nuint)block, bytes, false)] : [];
    }

    private static List<nint> LargeOf(PrivateHeap heap) => ListFrom(StateOf(heap)->Regions.FirstSolo);

    private static Region* MadeRegion(byte* start, uint pages, uint hugeNumber, nint displacement)
    {
        Region* region = (Region*)Metadata.Take((nuint)sizeof(Region));
        region->Kind = RegionKind.Solo;
        region->Base = start;
        region->PageCount = pages;
        region->HugeNumber = hugeNumber;
        region->Displacement = displacement;
        return region;
    }
}
