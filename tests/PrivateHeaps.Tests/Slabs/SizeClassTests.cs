using PrivateHeaps.Foundation;
using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Tests.Slabs;

public sealed class SizeClassTests
{
    [Fact]
    public void Every_size_gets_the_smallest_class_that_holds_it()
    {
        for (uint bytes = 0; bytes <= SizeClass.LargestBytes; bytes++)
        {
            uint index = SizeClass.Of(bytes);
            Assert.True(SizeClass.BlockBytes(index) >= bytes);
            Assert.True(index == 0 || SizeClass.BlockBytes(index - 1) < bytes);
        }
    }

    [Fact]
    public void Sizes_of_the_table_always_fit_a_short_state()
    {
        for (uint bytes = 0; bytes <= SizeClass.TableBytes; bytes++)
        {
            Assert.Equal(SizeClass.Of(bytes), SizeClass.OfTable(bytes));
            Assert.True(SizeClass.BlockBytes(SizeClass.OfTable(bytes)) - bytes <= (uint)BlockState.ShortSlackMaximum);
        }
    }

    [Fact]
    public void An_aligned_class_has_every_block_aligned()
    {
        for (nuint alignment = 1; alignment <= 4096; alignment *= 2)
        {
            foreach (nuint bytes in new nuint[] { 0, 1, 16, 100, 1000, 5000, 32768 })
            {
                uint index = SizeClass.OfAligned(bytes, alignment);
                Assert.True(index < SizeClass.Count && SizeClass.BlockBytes(index) >= bytes && SizeClass.BlockBytes(index) % alignment == 0);
            }
        }
    }

    [Fact]
    public void No_slab_wastes_more_than_an_eighth_or_has_too_many_blocks()
    {
        for (uint index = 0; index < SizeClass.Count; index++)
        {
            for (uint wanted = 1; wanted <= 32; wanted *= 2)
            {
                uint bytes = SizeClass.PagesOfSlab(index, wanted) * 4096;
                uint slots = bytes / SizeClass.BlockBytes(index);
                Assert.InRange(slots, 1u, SizeClass.SlotMaximum);
                Assert.True((bytes - slots * SizeClass.BlockBytes(index)) * 8 <= bytes, $"class {index}, {wanted} pages");
            }
        }
    }

    [Fact]
    public void Page_entries_hold_the_states_of_blocks_of_a_page_or_more_and_of_no_others()
    {
        for (uint kind = 0; kind < SizeClass.Count; kind++)
        {
            Assert.Equal(SizeClass.BlockBytes(kind) >= Units.PageBytes, PageEntry.HoldsState(kind));
        }

        Assert.Equal((uint)Units.PageBytes, SizeClass.BlockBytes(PageEntry.FirstStateKind));
        Assert.All([PageEntry.LargeKind, PageEntry.SoloKind, PageEntry.FittedKind, PageEntry.GuardedKind], kind => Assert.False(PageEntry.HoldsState(kind)));
    }
}
