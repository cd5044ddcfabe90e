using PrivateHeaps.Foundation;
using PrivateHeaps.Heaps;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;
using PrivateHeaps.Tests.Platform;
using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Storage;

/// <summary>What of a heap's growth is to come in huge pages. Each runs in a child process, all but the last over <see cref="HugePageSystem"/>.</summary>
internal static unsafe partial class HugeScenarios
{
    private const nuint KiB = 1 << 10, MiB = 1 << 20;
    private const nuint Huge = HugePageSystem.HugeBytes;

    // Of eight steps one is left to small pages, and shows what comes of those that begin 5 to 12 steps behind it.
    private const nuint Interval = 8, NearestShown = 5, FarthestShown = 12;
    private const nuint UsedPages = HugePageSystem.HugePages / 8 * 7;

    public static void Run(string scenario)
    {
        if (scenario == nameof(WhatIsOneMappingToTheHeapIsOneToTheSystem))
        {
            WhatIsOneMappingToTheHeapIsOneToTheSystem();
            return;
        }

        HugePageSystem.Install();
        Action run = scenario switch
        {
            nameof(BelowThirtyTwoMiBNothingIsWished) => BelowThirtyTwoMiBNothingIsWished,
            nameof(WhereMemoryIsUsedSevenOfEightStepsAreHuge) => WhereMemoryIsUsedSevenOfEightStepsAreHuge,
            nameof(WhereMemoryIsNotUsedNoStepIsHuge) => WhereMemoryIsNotUsedNoStepIsHuge,
            nameof(AHeapThatUsesItsMemoryNoLongerGrowsInSmallPagesAgain) => AHeapThatUsesItsMemoryNoLongerGrowsInSmallPagesAgain,
            nameof(WhatTheSystemRefusesChangesNothing) => WhatTheSystemRefusesChangesNothing,
            nameof(WhereAHugePageTakesLongThereIsNoneForASecond) => WhereAHugePageTakesLongThereIsNoneForASecond,
            nameof(AHugePageIsDividedOnceBeforeAPartOfItGoesBack) => AHugePageIsDividedOnceBeforeAPartOfItGoesBack,
            nameof(WhatHugePagesHaveTooMuchGoesBackWithTheRest) => WhatHugePagesHaveTooMuchGoesBackWithTheRest,
            nameof(LargeBlocksBecomeHugeAsLongAsEachEighthIsUsed) => LargeBlocksBecomeHugeAsLongAsEachEighthIsUsed,
            nameof(ALargeBlockSaysNothingOfOnesThatAreManyTimesAsLarge) => ALargeBlockSaysNothingOfOnesThatAreManyTimesAsLarge,
            nameof(OnlyFreshPagesOfALargeBlockSayAnything) => OnlyFreshPagesOfALargeBlockSayAnything,
            nameof(ALargeBlockThatGrowsBecomesHugeOnceIfItIsUsed) => ALargeBlockThatGrowsBecomesHugeOnceIfItIsUsed,
            nameof(NeighborsOfDifferentKindsStayApart) => NeighborsOfDifferentKindsStayApart,
            _ => throw new ArgumentException($"There is no scenario '{scenario}'."),
        };
        run();
        Assert.Empty(HugePageSystem.Complaints);
    }

    /// <summary>Small heaps stay as small as they are, of whatever kind; and so do large ones whose memory was there from the start, or is for code.</summary>
    public static void BelowThirtyTwoMiBNothingIsWished()
    {
        HugePageSystem.CountUsed = (_, pages) => pages;
        (PrivateHeapOptions Options, nuint Bytes)[] heaps =
        [
            (new(), 28 * MiB),
            (new() { MaximumSize = 8 * MiB }, 7 * MiB),
            (new() { MaximumSize = 256 * MiB }, 31 * MiB),
            (new() { NoSerialize = true, MemoryLimit = 64 * MiB }, 28 * MiB),
            (new() { InitialSize = 64 * MiB }, 60 * MiB),
            (new() { EnableExecute = true }, 100 * MiB),
            (new() { EnableExecute = true, MaximumSize = 256 * MiB }, 100 * MiB),
        ];
        foreach ((PrivateHeapOptions options, nuint bytes) in heaps)
        {
            using PrivateHeap heap = new(options);
            Fill(heap, bytes);
            Assert.Empty(HugePageSystem.Wishes);
            Assert.Empty(HugePageSystem.Looks);
        }
    }

    /// <summary>
    /// In a heap that uses what it has, each huge page lies in what was committed at that instant, has its first touch at once and is not wished for any longer then. Those left
    /// out lie at equal distances. The blocks in all of that hold what was written to them, and zeros before.
    /// </summary>
    public static void WhereMemoryIsUsedSevenOfEightStepsAreHuge()
    {
        // As few pages as are called used.
        HugePageSystem.CountUsed = (_, _) => UsedPages;
        PrivateHeapOptions bounded = new() { MaximumSize = 180 * MiB };
        (PrivateHeapOptions, nuint)[] heaps = OperatingSystem.IsLinux()
            ? [(new(), 0), (bounded, 0), (new() { NoSerialize = true }, 0), (bounded, 12 * KiB), (bounded, (10 * MiB) + (12 * KiB)), (new(), (7 * MiB) - (4 * KiB))]
            : [(new(), 0), (bounded, 0)];
        foreach ((PrivateHeapOptions options, nuint phase) in heaps)
        {
            HugePageSystem.Forget();
            HugePageSystem.Phase = phase;
            using PrivateHeap heap = new(options);
            HugePageSystem.Watched = &StateOf(heap)->Regions;
            List<(nint, nuint)> blocks = Fill(heap, 150 * MiB);
            while (options == bounded && heap.TryAlloc(100 * KiB, out void* _))
            {
                // Up to the last page.
            }

            HashSet<nuint> huge = TakeWithdrawn(heap);
            foreach (nint each in RegionsOf(heap))
            {
                Region* region = (Region*)each;
                bool isFirst = region->Index == 0;
                nuint start = (nuint)region->Base, end = start + ((nuint)region->CommittedPages << Units.PageShift);
                nuint earliest = start + (isFirst ? 32 * MiB : 0);

                // The first steps of a region are shown by the end of the one before, if that is large enough.
                nuint sure = region->Previous != null && region->Previous->Kind == RegionKind.Own ? start : start + ((FarthestShown + 1) * Huge);
                for (nuint step = Bits.RoundUp(start, Huge); step < end; step += Huge)
                {
                    bool isHuge = huge.Remove(step);
                    Assert.False(isHuge && (region->Kind != RegionKind.Own || step < earliest || step % (Interval * Huge) == 0 || step + Huge > end));
                    Assert.True(isHuge || step < Math.Max(earliest, sure) || step % (Interval * Huge) == 0 || step + Huge > end);
                }
            }

            Assert.Empty(huge);
            Check(blocks);
            Assert.True(heap.Validate());
            HugePageSystem.Watched = null;
        }
    }

    /// <summary>Steps that are not used leave all others to small pages. Only whole steps of small pages are looked at.</summary>
    public static void WhereMemoryIsNotUsedNoStepIsHuge()
    {
        HugePageSystem.CountUsed = (_, _) => UsedPages - 1;
        using PrivateHeap heap = new(new PrivateHeapOptions { MaximumSize = 200 * MiB });
        Check(Fill(heap, 160 * MiB));
        Region* region = StateOf(heap)->Regions.First;
        Assert.Empty(HugePageSystem.Wishes);
        Assert.InRange(HugePageSystem.Looks.Count, 40, 160);
        Assert.All(HugePageSystem.Looks, look =>
        {
            Assert.Equal((0u, Huge), (look.Address % (Interval * Huge), look.Bytes));
            Assert.InRange(look.Address, (nuint)region->Base, (nuint)region->Base + (160 * MiB) - (NearestShown * Huge));
        });
    }

    /// <summary>What was used before says nothing of what is not used now, but for the few steps whose own could not be looked at yet.</summary>
    public static void AHeapThatUsesItsMemoryNoLongerGrowsInSmallPagesAgain()
    {
        using PrivateHeap heap = new(new PrivateHeapOptions { MaximumSize = 400 * MiB });
        nuint start = (nuint)StateOf(heap)->Regions.First->Base;
        HugePageSystem.CountUsed = (address, pages) => address < start + (80 * MiB) || address >= start + (200 * MiB) ? pages : 0;
        Fill(heap, 360 * MiB);
        nuint[] huge = [.. TakeWithdrawn(heap).Order()];
        Assert.InRange(huge.Count(step => step < start + (80 * MiB)), 20, 32);
        Assert.InRange(huge.Count(step => step >= start + (80 * MiB) && step < start + (200 * MiB)), 4, (int)FarthestShown);
        Assert.DoesNotContain(huge, step => step >= start + (80 * MiB) + (FarthestShown * Huge) && step < start + (200 * MiB) + (NearestShown * Huge));
        Assert.InRange(huge.Count(step => step >= start + (200 * MiB)), 45, 80);
    }

    /// <summary>A wish that is refused is not withdrawn, and its range not touched; a region that cannot be made ready for wishes has none.</summary>
    public static void WhatTheSystemRefusesChangesNothing()
    {
        HugePageSystem.CountUsed = (_, pages) => pages;
        foreach (bool isRegionReady in (bool[])[true, false])
        {
            HugePageSystem.Forget();
            HugePageSystem.Refuses = wish => wish.IsWanted || !isRegionReady;
            using PrivateHeap heap = new();
            HugePageSystem.Watched = &StateOf(heap)->Regions;
            List<(nint Block, nuint)> blocks = Fill(heap, 100 * MiB);
            Assert.InRange(HugePageSystem.Wishes.Count(wish => wish.IsWanted), isRegionReady ? 10 : 0, isRegionReady ? 50 : 0);
            Assert.All(HugePageSystem.Wishes.Where(wish => !wish.IsWanted), wish => Assert.Contains(RegionsOf(heap), region => wish.Bytes == ((Region*)region)->Bytes));
            Assert.InRange(HugePageSystem.Wishes.Count, 10, 50);

            // Each large block is asked for, since the one before is not huge and used; and the last again when it grows.
            HugePageSystem.Forget();
            blocks.AddRange(Enumerable.Range(0, 20).Select(_ => (Allocated(heap, 4 * MiB), 4 * MiB)));
            Assert.Equal(17, HugePageSystem.Wishes.Count);
            nint grown = Resized(heap, blocks[^1].Block, 8 * MiB);
            Assert.Equal(17, HugePageSystem.Wishes.Count);
            grown = Resized(heap, grown, 16 * MiB);
            Assert.Equal(Os.CanMove ? 18 : 17, HugePageSystem.Wishes.Count);
            Assert.All(LargeOf(heap), region => Assert.False(((Region*)region)->IsHuge));
            Check(blocks[..^1]);
            Memory.AssertFilled((void*)grown, 0, 4 * MiB, Value(4 * MiB));
            Memory.AssertFilled((void*)grown, 4 * MiB, 16 * MiB, 0);
            Assert.True(heap.Validate());
            HugePageSystem.Watched = null;
        }
    }

    /// <summary>A huge page that takes longer than its small ones is the last for a second, of regions and large blocks alike; a large block that was to be huge no longer is.</summary>
    public static void WhereAHugePageTakesLongThereIsNoneForASecond()
    {
        HugePageSystem.CountUsed = (_, pages) => pages;
        using PrivateHeap heap = new();
        HugePageSystem.PageNanoseconds = 2_000_000;
        long start = Environment.TickCount64;
        Allocated(heap, 8 * MiB);
        Allocated(heap, 8 * MiB);
        Assert.Equal([true, false], HugePageSystem.Wishes.Select(wish => wish.IsWanted));
        HugePageSystem.Forget();
        HugePageSystem.PageNanoseconds = 0;
        Fill(heap, 60 * MiB);
        nint grown = Resized(heap, Allocated(heap, 8 * MiB), 16 * MiB);
        Assert.True(HugePageSystem.Wishes.Count == 0 || Environment.TickCount64 - start >= 1000);
        while (Environment.TickCount64 - start <= 1050)
        {
            Thread.Sleep(50);
        }

        Fill(heap, 60 * MiB);
        Assert.InRange(TakeWithdrawn(heap).Count, 10, 30);
        HugePageSystem.Forget();
        grown = Resized(heap, grown, 32 * MiB);
        Assert.Equal(Filled(grown, 32 * MiB, 16 * MiB, 4 * MiB), HugePageSystem.Wishes);
    }

    /// <summary>Of each huge page of which a part goes back, that part is named once before, and no other range is.</summary>
    public static void AHugePageIsDividedOnceBeforeAPartOfItGoesBack()
    {
        HugePageSystem.CountUsed = (_, pages) => pages;
        using PrivateHeap heap = new();
        List<(nint Block, nuint)> blocks = Fill(heap, 100 * MiB);
        HashSet<nuint> huge = TakeWithdrawn(heap);
        HashSet<nuint> divided = [];
        foreach ((int kept, int before) in ((int, int)[])[(7, 1), (49, 7)])
        {
            HugePageSystem.Forget();
            foreach ((nint block, nuint _) in blocks.Where((block, index) => index % kept != 0 && index % before == 0))
            {
                heap.Free((void*)block);
            }

            heap.Compact();
            foreach ((nuint address, nuint bytes) in HugePageSystem.Divided)
            {
                nuint step = Bits.RoundDown(address, Huge);
                Assert.Contains(step, huge);
                Assert.True(divided.Add(step) && bytes < Huge && address + bytes <= step + Huge);
                Assert.Contains(HugePageSystem.GivenBack, range => range.Address <= address && address + bytes <= range.Address + range.Bytes);
            }

            Assert.All(HugePageSystem.GivenBack, range => Assert.All(
                new nuint[] { Bits.RoundDown(range.Address, Huge), Bits.RoundDown(range.Address + range.Bytes, Huge) },
                step => Assert.True(!huge.Contains(step) || divided.Contains(step) || (step >= range.Address && step + Huge <= range.Address + range.Bytes) || step == range.Address + range.Bytes)));
        }

        Assert.InRange(divided.Count, huge.Count / 2, huge.Count);
    }

    /// <summary>A heap that is empty and compacted has nothing left of its huge pages, those parts included that no block had yet.</summary>
    public static void WhatHugePagesHaveTooMuchGoesBackWithTheRest()
    {
        HugePageSystem.CountUsed = (_, pages) => pages;
        foreach (PrivateHeapOptions options in (PrivateHeapOptions[])[new(), new() { MaximumSize = 200 * MiB }])
        {
            HugePageSystem.Forget();
            using PrivateHeap heap = new(options);
            Fill(heap, 121 * MiB).ForEach(block => heap.Free((void*)block.Block));
            heap.Compact();
            HashSet<nuint> huge = TakeWithdrawn(heap);
            Assert.InRange(huge.Count, 10, 60);
            HashSet<nuint> pages = [.. huge.SelectMany(step => Enumerable.Range(0, (int)HugePageSystem.HugePages).Select(page => step + ((nuint)page * Units.PageBytes)))];
            foreach ((nuint address, nuint bytes) in HugePageSystem.GivenBack)
            {
                pages.RemoveWhere(page => page - address < bytes);
            }

            // No block gets the first page of a region.
            pages.ExceptWith(RegionsOf(heap).Select(region => (nuint)((Region*)region)->Base));
            Assert.Empty(pages);
            Check(Fill(heap, 121 * MiB));
        }
    }

    private static HeapState* StateOf(PrivateHeap heap) => HeapRegistry.Find(heap.Handle);

    private static List<nint> RegionsOf(PrivateHeap heap) => ListFrom(StateOf(heap)->Regions.First);

    private static List<nint> ListFrom(Region* first)
    {
        List<nint> regions = [];
        for (Region* region = first; region != null; region = region->Next)
        {
            regions.Add((nint)region);
        }

        return regions;
    }

    // The steps that became huge; each wish was the first for its step and withdrawn by the next call. Before all of them the region as a whole wants none.
    private static HashSet<nuint> TakeWithdrawn(PrivateHeap heap)
    {
        List<HugeWish> wishes = HugePageSystem.Wishes;
        foreach (nint each in RegionsOf(heap))
        {
            Region* region = (Region*)each;
            int whole = wishes.IndexOf(new((nuint)region->Base, region->Bytes, false));
            int first = wishes.FindIndex(wish => wish.Address - (nuint)region->Base < region->Bytes);
            Assert.Equal(first, whole);
            if (whole >= 0)
            {
                wishes.RemoveAt(whole);
            }
        }

        Assert.Equal(0, wishes.Count % 2);
        HashSet<nuint> steps = [];
        for (int index = 0; index < wishes.Count; index += 2)
        {
            Assert.Equal((0u, Huge, true), (wishes[index].Address % Huge, wishes[index].Bytes, wishes[index].IsWanted));
            Assert.Equal(wishes[index] with { IsWanted = false }, wishes[index + 1]);
            Assert.True(steps.Add(wishes[index].Address));
        }

        return steps;
    }

    // Zeroed blocks of slabs and page runs, from 1,000 bytes to 500 KiB, that are filled.
    private static List<(nint Block, nuint Bytes)> Fill(PrivateHeap heap, nuint total)
    {
        nuint[] sizes = [1000, 300 * KiB, 40 * KiB, 500 * KiB, 9000];
        List<(nint, nuint)> blocks = [];
        for (nuint sum = 0; sum < total; sum += blocks[^1].Item2)
        {
            nuint bytes = sizes[blocks.Count % sizes.Length];
            blocks.Add((Allocated(heap, bytes), bytes));
        }

        return blocks;
    }

    private static nint Allocated(PrivateHeap heap, nuint bytes)
    {
        nint block = HeapApi.HeapAlloc(heap.Handle, HeapApi.HEAP_ZERO_MEMORY, bytes);
        Assert.True(block != 0, $"{bytes} bytes are refused.");
        Memory.AssertFilled((void*)block, 0, bytes, 0);
        Memory.Fill((void*)block, bytes, Value(bytes));
        return block;
    }

    private static nint Resized(PrivateHeap heap, nint block, nuint bytes)
    {
        nint resized = HeapApi.HeapReAlloc(heap.Handle, HeapApi.HEAP_ZERO_MEMORY, block, bytes);
        Assert.True(resized != 0, $"{bytes} bytes are refused.");
        return resized;
    }

    private static void Check(List<(nint Block, nuint Bytes)> blocks) => blocks.ForEach(block => Memory.AssertFilled((void*)block.Block, 0, block.Bytes, Value(block.Bytes)));

    private static byte Value(nuint bytes) => (byte)(1 + (bytes % 251));
}
