using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;
using PrivateHeaps.Tests.Storage;

namespace PrivateHeaps.Tests.Slabs;

/// <summary>Slabs that the thread to whose cache they were biased has let go of. Biases are given by number, as those of caches are.</summary>
public sealed unsafe class VacantSlabTests
{
    private const uint First = 1;
    private const uint Second = 2;

    // The place of a size of which a page has some blocks.
    private const int Size = 0;

    [Fact]
    public void Whoever_takes_from_a_vacant_slab_next_gives_it_his_bias()
    {
        using BareHeap heap = new();
        List<Round> blocks = heap.Take(Size, 4, First);
        Slab* slab = SlabOf(blocks[0]);
        Assert.Equal((First, First), BiasOf(slab));
        heap.Give(Size, blocks, First);
        Assert.Equal((Bias.Vacant, Bias.Vacant), BiasOf(slab));

        blocks = heap.Take(Size, 4, Second);
        Assert.True(SlabOf(blocks[0]) == slab);
        Assert.Equal((Second, Second), BiasOf(slab));
        Assert.Equal(1u, heap.Bins[Size].SlabCount);

        heap.Give(Size, blocks, Second);
        blocks = heap.Take(Size, 4, Bias.None);
        Assert.True(SlabOf(blocks[0]) == slab);
        Assert.Equal((Bias.None, Bias.None), BiasOf(slab));
        heap.Give(Size, blocks);
    }

    [Fact]
    public void Only_its_owner_lets_go_of_a_slab_and_only_of_a_whole_one()
    {
        using BareHeap heap = new();
        List<Round> blocks = heap.Take(Size, 4, First);
        Slab* slab = SlabOf(blocks[0]);
        heap.Give(Size, blocks[..3], First);
        Assert.Equal((First, First), BiasOf(slab));
        heap.Give(Size, blocks[3..], Second);
        Assert.Equal((First, First), BiasOf(slab));

        // So another makes a slab of its own.
        blocks = heap.Take(Size, 4, Second);
        Assert.True(SlabOf(blocks[0]) != slab);
        Assert.Equal(2u, heap.Bins[Size].SlabCount);
        heap.Give(Size, blocks, Second);
    }

    [Fact]
    public void Who_may_end_his_own_slabs_may_end_vacant_ones()
    {
        using BareHeap heap = new();
        List<Round> blocks = heap.Take(Size, 4, First), others = heap.Take(Size, 4, Second);
        heap.Give(Size, blocks, First);
        heap.Give(Size, others);
        Slab* free = Bin.TakeFree(heap.Bins + Size, null, onlySurplus: false, First);
        Assert.True(free != null && free->Next == null && free->Bias == Bias.Vacant);
        Assert.Equal(0u, Slab.TagOf(free));
        Bin.GiveFree(heap.Bins + Size, heap.Regions, free);
        Assert.Equal((Bias.Vacant, Bias.Vacant), BiasOf(free));
    }

    private static Slab* SlabOf(Round round) => (Slab*)AddressMap.EntryOf(round.Block)->Owner;

    // What the slab says and what its pages do.
    private static (uint Slab, uint Tag) BiasOf(Slab* slab) => (slab->Bias, PageEntry.BiasOf(Slab.TagOf(slab)));
}
