using System.Globalization;
using PrivateHeaps.Heaps;
using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;
using PrivateHeaps.Tests.Platform;
using Xunit.Abstractions;

namespace PrivateHeaps.Tests.Storage;

/// <summary>What a heap does on a machine of several nodes, which is simulated: threads say on which one they run.</summary>
public sealed unsafe class NodeTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void Threads_get_slabs_and_page_runs_in_regions_of_their_node(int nodeCount)
    {
        using SimulatedNodes nodes = new();
        using PrivateHeap heap = new();
        using NodeThreads threads = new(2 * nodeCount, nodeCount);
        List<nint>[] blocks = [.. Enumerable.Range(0, threads.Count).Select(_ => new List<nint>())];
        for (int round = 0; round < 3; round++)
        {
            threads.TakeTurns(number =>
            {
                for (int index = 0; index < (round == 0 ? 1000 : 500); index++)
                {
                    byte* block = (byte*)heap.Alloc((nuint)NodeTraffic.Sizes[index % NodeTraffic.Sizes.Length]);
                    Assert.Equal(SimulatedNodes.Here, ((Slab*)AddressMap.EntryOf(block)->Owner)->Node);
                    Assert.Equal(SimulatedNodes.Here, RegionOf(heap, block)->Node);
                    blocks[number].Add((nint)block);
                }

                byte* large = (byte*)heap.Alloc(300_000);
                Assert.Equal(SimulatedNodes.Here, RegionOf(heap, large)->Node);
                blocks[number].Add((nint)large);
            });

            // Who frees half of them, for the next round, is on the next node.
            threads.TakeTurns(number =>
            {
                List<nint> others = blocks[(number + 1) % threads.Count];
                for (int index = 1000; index >= 0; index -= 2)
                {
                    heap.Free((void*)others[index]);
                    others.RemoveAt(index);
                }
            });
            heap.Compact();
            Assert.True(heap.Validate());
        }

        Assert.Equal(nodeCount, Regions(heap).Select(region => ((Region*)region)->Node).Distinct().Count());
    }

    [Theory]
    [InlineData(16 << 20, 0)]
    [InlineData(0, 16 << 20)]
    public void A_heap_that_may_not_grow_serves_every_node_from_all_that_it_has(int maximum, int limit)
    {
        PrivateHeapOptions options = new() { MaximumSize = (nuint)maximum, MemoryLimit = (nuint)limit };
        int[] onOne = Fill(options, 1), onTwo = Fill(options, 2);
        Assert.InRange(onTwo.Sum(), onOne.Sum() * 98 / 100, onOne.Sum());
        Assert.InRange(onTwo.Min(), onTwo.Max() * 98 / 100, onTwo.Max());
    }

    [Fact]
    public void Where_no_region_can_be_added_those_of_other_nodes_serve()
    {
        using SimulatedNodes nodes = new();
        using PrivateHeap heap = new(new PrivateHeapOptions { InitialSize = 1 << 20 });
        using NodeThreads threads = new(2, 2);
        Region* first = StateOf(heap)->Regions.First;
        StateOf(heap)->Regions.Bounded = true;
        threads.Run(1, _ =>
        {
            for (int index = 0; index < 100; index++)
            {
                byte* block = (byte*)heap.Alloc((nuint)(100 * index));
                Assert.True(RegionOf(heap, block) == first);
                Assert.Equal(1u, ((Slab*)AddressMap.EntryOf(block)->Owner)->Node);
            }
        });
        Assert.Equal(0, first->Node);
        Assert.True(heap.Validate());
    }

    [Theory]
    [InlineData(false, 1.1)]
    [InlineData(true, 2.2)]
    public void What_one_node_allocates_and_another_frees_is_used_again(bool rolesChange, double most)
    {
        nuint onOne = TouchedByHandingOver(1, rolesChange);
        Assert.InRange(TouchedByHandingOver(2, rolesChange), 0u, (nuint)(most * onOne));
    }

    // The pages that a heap has touched after two threads, which may be on two nodes, have allocated and freed for a while.
    private static nuint TouchedByHandingOver(int nodeCount, bool rolesChange)
    {
        using SimulatedNodes nodes = new();
        using PrivateHeap heap = new();
        using NodeThreads threads = new(2, nodeCount);
        List<nint> blocks = [];
        Random random = new(1);
        for (int round = 0; round < 60; round++)
        {
            int producer = rolesChange ? round % 2 : 0;
            threads.Run(producer, _ =>
            {
                for (int index = 0; index < 5000; index++)
                {
                    blocks.Add((nint)heap.Alloc((nuint)random.Next(2000)));
                }
            });
            threads.Run(1 - producer, _ => blocks.ForEach(block => heap.Free((void*)block)));
            blocks.Clear();
        }

        Assert.Equal((nuint)0, heap.GetSummary().BlockCount);
        Assert.True(heap.Validate());
        return TouchedPages(heap);
    }

    [Fact]
    public void Slabs_of_the_node_serve_wherever_they_stand_and_those_of_others_once_an_eighth_of_all_is_free()
    {
        const int size = 3;
        using SimulatedNodes nodes = new();
        using BareHeap heap = new();
        Bin* bin = heap.Bins + size;
        bin->Sharing = byte.MaxValue;
        List<Round>[] rounds = [[], []];
        for (uint node = 0; node < 2; node++)
        {
            SimulatedNodes.Here = node;
            while (rounds[node].Count < 20_000)
            {
                rounds[node].AddRange(heap.Take(size, 64, Bias.First));
                bin->Sharing = byte.MaxValue;
            }
        }

        // Half of all blocks, from each slab some, become free: first those of node 0, whose slabs lie behind all others then.
        for (uint node = 0; node < 2; node++)
        {
            heap.Give(size, [.. rounds[node].Where((_, index) => index % 2 == 0)]);
            rounds[node] = [.. rounds[node].Where((_, index) => index % 2 != 0)];
        }

        uint slabs = bin->SlabCount;
        SimulatedNodes.Here = 0;
        List<Round> more = [];
        for (; rounds[0].Count < 20_000; rounds[0].AddRange(more))
        {
            more = heap.Take(size, 64, Bias.First);
            Assert.Equal([0], NodesOf(more));
        }

        for (; bin->FreeCount > bin->BlockCount / 8; rounds[1].AddRange(more))
        {
            more = heap.Take(size, 64, Bias.First);
            Assert.NotEmpty(more);
        }

        // All of that was there; what comes now is the node's own again.
        Assert.Equal(slabs, bin->SlabCount);
        more = heap.Take(size, 64, Bias.First);
        Assert.Equal([0], NodesOf(more));
        Array.ForEach([.. rounds, more], given => heap.Give(size, given));
    }

    [Fact]
    public void The_depot_gives_a_node_the_magazines_that_hold_its_blocks()
    {
        using SimulatedNodes nodes = new();
        using BareHeap heap = new();
        uint index = SizeClass.Of((nuint)NodeTraffic.Sizes[0]);
        heap.Bins->DepotExtra = 20;
        heap.Bins->Sharing = byte.MaxValue;
        for (int number = 0; number < 20; number++)
        {
            Rounds* full = Rounds.Create(16);
            full->Node = (byte)(number / 5 % 2);
            Rounds.Drop(Bin.TradeFull(heap.Bins, full, index));
        }

        foreach (byte node in (byte[])[1, 0, 0, 1])
        {
            SimulatedNodes.Here = node;
            for (int count = 0; count < 5; count++)
            {
                Rounds* full = Bin.TakeFull(heap.Bins, index, Bias.First);
                Assert.Equal(node, full->Node);
                Rounds.Drop(full);
            }
        }

        SimulatedNodes.Here = 0;
    }

    [Fact]
    public void What_a_dropped_heap_leaves_serves_heaps_of_its_node()
    {
        using SimulatedNodes nodes = new();
        using NodeThreads threads = new(2, 2);
        nint[] bases = new nint[2];

        // Heaps of other tests shall not go meanwhile and leave room in front.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        for (int round = 0; round < 3; round++)
        {
            threads.TakeTurns(number =>
            {
                using PrivateHeap heap = new(new PrivateHeapOptions { InitialSize = 12 << 20 });
                Region* region = StateOf(heap)->Regions.First;
                Assert.Equal(number, region->Node);
                Assert.Equal(bases[number] == 0 ? (nint)region->Base : bases[number], (nint)region->Base);
                bases[number] = (nint)region->Base;
                Memory.Fill(heap.Alloc(1 << 20), 1 << 20, 1);
            });
        }

        Assert.NotEqual(bases[0], bases[1]);
    }

    [Fact]
    public void On_one_node_nothing_is_different()
    {
        List<(uint, nint)> places = Places();
        using SimulatedNodes nodes = new();
        Assert.Equal(places, Places());
    }

    // "phases": each thread uses one size after the other, by itself. "handed": four threads allocate what four others free, on the other node. "server": each replaces
    // blocks at random, of all sizes and whoever allocated them.
    [Theory]
    [InlineData("phases", 0.02)]
    [InlineData("handed", 0.02)]
    [InlineData("server", 0.52)]
    public void Few_blocks_lie_where_the_other_node_was_first(string pattern, double most)
    {
        (double without, nuint pagesWithout) = ShareOfOther(pattern, isTold: false);
        (double with, nuint pagesWith) = ShareOfOther(pattern, isTold: true);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{pattern}: {without:P1} in {pagesWithout} pages without, {with:P1} in {pagesWith} with"));
        Assert.InRange(with, 0, most);
        Assert.InRange(with, 0, without);
        Assert.InRange(pagesWith, 0u, 2 * pagesWithout);
    }

    // Of the blocks that eight threads on two nodes get, those on a page that a thread of the other node has touched before all others. Where the engine is not told of the nodes,
    // they are there all the same. And the pages that the heap has touched.
    private static (double Share, nuint Pages) ShareOfOther(string pattern, bool isTold)
    {
        using SimulatedNodes? nodes = isTold ? new() : null;
        using PrivateHeap heap = new();
        using NodeThreads threads = new(8, 2);
        NodeTraffic traffic = new(heap, threads.Count);
        for (int round = 0; round < 40; round++)
        {
            if (round == 10)
            {
                traffic.Forget();
            }

            threads.TakeTurns(number => traffic.Use(pattern, number, round));
        }

        Assert.True(heap.Validate());
        return (traffic.ShareOfOther, TouchedPages(heap));
    }

    // Blocks of 1,000 bytes, by threads of so many nodes in turn, until there is no memory: how many each has.
    private static int[] Fill(PrivateHeapOptions options, int nodeCount)
    {
        using SimulatedNodes nodes = new();
        using PrivateHeap heap = new(options);
        using NodeThreads threads = new(4, nodeCount);
        int[] counts = new int[threads.Count];
        int before;
        do
        {
            before = counts.Sum();
            threads.TakeTurns(number =>
            {
                for (int index = 0; index < 100 && heap.TryAlloc(1000, out void* _); index++)
                {
                    counts[number]++;
                }
            });
        }
        while (counts.Sum() != before);
        Assert.True(heap.Validate());
        return counts;
    }

    // Where the blocks and runs lie that a fixed sequence of calls takes: the region, and how far from its start.
    private static List<(uint Region, nint Offset)> Places()
    {
        const uint biases = 4, capacity = 64;
        using BareHeap heap = new();
        RegionSet* regions = heap.Regions;
        Bin* bins = heap.Bins;
        List<(uint, nint)> places = [];
        List<Round>[] blocks = [.. NodeTraffic.Sizes.Select(_ => new List<Round>())];
        List<(nint Region, nint Run, uint Pages)> runs = [];
        Random random = new(1);
        void Note(Region* region, byte* place) => places.Add((region->Index, (nint)(place - region->Base)));
        for (int step = 0; step < 10_000; step++)
        {
            int size = random.Next(NodeTraffic.Sizes.Length), action = random.Next(8);
            uint index = SizeClass.Of((nuint)NodeTraffic.Sizes[size]), bias = (uint)random.Next(1, (int)biases), count = (uint)random.Next(1, (int)capacity);
            Bin* bin = bins + size;
            bin->Sharing = (byte)(random.Next(4) == 0 ? byte.MaxValue : 0);
            Rounds* full = null;
            switch (action)
            {
                case 0 or 1 or 2:
                    foreach (Round round in heap.Take(size, count, bias))
                    {
                        blocks[size].Add(round);
                        Note(((Slab*)AddressMap.EntryOf(round.Block)->Owner)->Region, round.Block);
                    }

                    break;
                case 3:
                    full = Bin.TakeFull(bin, index, bias);
                    blocks[size].AddRange(full == null ? [] : new Span<Round>(Rounds.Items(full), (int)full->Count));
                    break;
                case 4 or 5:
                    // A magazine for the depot, of blocks that were taken at different times; or for the slabs, when the depot has enough.
                    full = Rounds.Create(capacity);
                    for (; full->Count < capacity && blocks[size].Count != 0; full->Count++)
                    {
                        int place = Math.Max(0, blocks[size].Count - random.Next(1, 1000));
                        Rounds.Items(full)[full->Count] = blocks[size][place];
                        blocks[size].RemoveAt(place);
                    }

                    full->Bias = (byte)bias;
                    full->Node = full->Count == 0 ? (byte)0 : Slab.NodeOf(Rounds.Items(full)->Block);
                    Rounds* empty = action == 4 && full->Count == capacity ? Bin.TradeFull(bin, full, index) : null;
                    if (empty == null)
                    {
                        Bin.Give(bin, regions, Rounds.Items(full), full->Count, bias);
                    }

                    full = empty == null ? full : empty;
                    break;
                case 6:
                    byte* run = RegionSet.TakeRun(regions, count, 0, 0, out Region* region, out _);
                    runs.Add(((nint)region, (nint)run, count));
                    Note(region, run);
                    break;
                default:
                    int last = runs.Count - 1;
                    if (last >= 0)
                    {
                        RegionSet.GiveRun(regions, (Region*)runs[last / 2].Region, (byte*)runs[last / 2].Run, runs[last / 2].Pages);
                        runs.RemoveAt(last / 2);
                    }

                    break;
            }

            if (full != null)
            {
                Rounds.Drop(full);
            }
        }

        for (int size = 0; size < NodeTraffic.Sizes.Length; size++)
        {
            heap.Give(size, blocks[size]);
        }

        runs.ForEach(run => RegionSet.GiveRun(regions, (Region*)run.Region, (byte*)run.Run, run.Pages));
        return places;
    }

    private static int[] NodesOf(List<Round> rounds) => [.. rounds.Select(round => (int)Slab.NodeOf(round.Block)).Distinct()];

    private static HeapState* StateOf(PrivateHeap heap) => HeapRegistry.Find(heap.Handle);

    private static Region* RegionOf(PrivateHeap heap, void* block) => RegionSet.RegionOf(&StateOf(heap)->Regions, block);

    private static List<nint> Regions(PrivateHeap heap)
    {
        List<nint> regions = [];
        for (Region* region = StateOf(heap)->Regions.First; region != null; region = region->Next)
        {
            regions.Add((nint)region);
        }

        return regions;
    }

    private static nuint TouchedPages(PrivateHeap heap) => (nuint)Regions(heap).Sum(region => ((Region*)region)->TouchedPages);
}
