using PrivateHeaps.Foundation;
using PrivateHeaps.Heaps;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;
using PrivateHeaps.Tests.Platform;
using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Storage;

/// <summary>What of a heap's growth is to come in huge pages. Each runs in a child process, all but the last over <see cref="HugePageSystem"/>.</summary>
internal static unsafe class HugeScenarios
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

    private static HeapState* StateOf(PrivateHeap heap) => HeapRegistry.Find(heap.Handle);

    private static List<nint> RegionsOf(PrivateHeap heap) => ListFrom(StateOf(heap)->Regions.First);

    // What is wished for a large block of which the first bytes may have been touched: the next ones, and then nothing any more.
    private static HugeWish[] Filled(nint block, nuint bytes, nuint touched, nuint most)
    {
        nuint first = Bits.RoundUp((nuint)block + touched, Huge);
        nuint end = Math.Min(Bits.RoundDown((nuint)block + bytes, Huge), first + (most / Huge * Huge));
        return first < end ? [new(first, end - first, true), new((nuint)block, bytes, false)] : [];
    }

    private static List<nint> LargeOf(PrivateHeap heap) => ListFrom(StateOf(heap)->Regions.FirstSolo);

    private static List<nint> ListFrom(Region* first)
    {
        List<nint> regions = [];
        for (Region* region = first; region != null; region = region->Next)
        {
            regions.Add((nint)region);
        }

        return regions;
    }

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
