using PrivateHeaps.Foundation;
using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Tests.Slabs;

/// <summary>What the states of a small bounded heap say about its blocks, which lie side by side.</summary>
public sealed unsafe class FittedHeapTests
{
    [Fact]
    public void A_block_of_one_granule_keeps_its_size_whatever_becomes_of_the_block_behind_it()
    {
        for (uint bytes = 0; bytes <= SizeClass.TableBytes; bytes++)
        {
            using PrivateHeap heap = new(new PrivateHeapOptions { MaximumSize = 64 << 10 });
            byte* block = (byte*)heap.Alloc(12), behind = (byte*)heap.Alloc(bytes), last = (byte*)heap.Alloc(7);
            Assert.True(behind == block + Units.GranuleBytes);

            // As a resize does in another thread.
            byte* state = AddressMap.ArrayStateOf(behind);
            nuint slack = BlockState.Slack(state);
            Assert.True(BlockState.TryHold(state));
            Assert.Equal((nuint)12, heap.GetSize(block));
            heap.Free(block);
            Assert.True(BlockState.IsHeld(*state));
            BlockState.SetLive(state, slack);
            Assert.Equal(bytes, heap.GetSize(behind));
            Assert.Equal((nuint)7, heap.GetSize(last));
            heap.Compact();
            Assert.True(heap.Alloc(16) == block);
            Assert.True(heap.Validate());
        }
    }

    [Fact]
    public void A_block_has_its_size_whatever_its_length()
    {
        using PrivateHeap heap = new(new PrivateHeapOptions { MaximumSize = 8 << 20 });
        for (uint bytes = 0; bytes < 3000; bytes++)
        {
            byte* block = (byte*)heap.Alloc(bytes), behind = (byte*)heap.Alloc(1);
            Assert.Equal(bytes, heap.GetSize(block));
            Assert.True(behind < block || behind >= block + bytes);
            Assert.True(heap.Validate());
            heap.Free(block);
            heap.Free(behind);
        }

        Assert.Equal((nuint)0, heap.GetSummary().BlockCount);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_aligned_block_is_as_long_as_it_was_asked_for_and_no_more(bool noSerialize)
    {
        using PrivateHeap heap = new(new PrivateHeapOptions { MaximumSize = 256 << 10, NoSerialize = noSerialize });
        for (nuint alignment = 16; alignment <= 4096; alignment *= 2)
        {
            // The thread's magazines hold blocks as long as the alignment.
            List<nint> warm = [];
            for (int i = 0; i < 40 && heap.TryAlloc(alignment, out void* block); i++)
            {
                warm.Add((nint)block);
            }

            warm.ForEach(block => heap.Free((void*)block));
            for (nuint bytes = 1; bytes < 64; bytes += 9)
            {
                byte* block = (byte*)heap.AlignedAlloc(bytes, alignment);
                Assert.Equal((nuint)0, (nuint)block % alignment);
                Assert.Equal(bytes, heap.GetSize(block));
                Assert.True(heap.Validate());
                heap.Free(block);
            }
        }
    }
}
