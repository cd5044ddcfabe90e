namespace PrivateHeaps.Tests.Heaps;

/// <summary>Sizes and alignments at which page counts could overflow 32 bits.</summary>
public sealed unsafe class HugeRequestTests
{
    public static TheoryData<ulong> Sizes => [1UL << 32, 1UL << 40, 1UL << 43, 1UL << 44, 1UL << 45, 1UL << 46, 1UL << 47, 1UL << 63, ulong.MaxValue - 4096, ulong.MaxValue];

    [Theory]
    [MemberData(nameof(Sizes))]
    public void A_bounded_heap_refuses_what_is_larger_than_itself(ulong bytes)
    {
        foreach (nuint maximum in new nuint[] { 4096, 1 << 20, 64 << 20 })
        {
            using PrivateHeap heap = new(new PrivateHeapOptions { MaximumSize = maximum });
            void* kept = heap.Alloc(100);
            Assert.False(heap.TryAlloc((nuint)bytes, out void* block));
            Assert.True(block == null);
            Assert.Throws<OutOfMemoryException>(() => heap.Realloc(kept, (nuint)bytes));
            Assert.Equal((nuint)100, heap.GetSize(kept));
            Assert.True(heap.Validate());
        }
    }

    [Fact]
    public void Every_power_of_two_alignment_is_served_or_refused()
    {
        foreach (nuint maximum in new nuint[] { 0, 1 << 20, 64 << 20 })
        {
            using PrivateHeap heap = new(new PrivateHeapOptions { MaximumSize = maximum });
            for (int shift = 0; shift < 64; shift++)
            {
                try
                {
                    void* block = heap.AlignedAlloc(24, (nuint)1 << shift);
                    Assert.Equal((nuint)0, (nuint)block & (((nuint)1 << shift) - 1));
                    Assert.Equal((nuint)24, heap.GetSize(block));
                    heap.Free(block);
                }
                catch (OutOfMemoryException)
                {
                    Assert.True(shift > 16, $"An alignment of 2^{shift} was refused.");
                }
            }

            Assert.True(heap.Validate());
        }
    }

    [Fact]
    public void A_heap_of_a_tebibyte_costs_what_is_used_of_it()
    {
        using PrivateHeap heap = new(new PrivateHeapOptions { MaximumSize = (nuint)1 << 40 });
        heap.Alloc(1000);
        heap.Alloc(1 << 20);
        Assert.Equal((nuint)1 << 40, heap.GetSummary().ReservedBytes);
        Assert.InRange(heap.GetSummary().CommittedBytes, (nuint)1 << 20, (nuint)8 << 20);
        Assert.True(heap.Validate());
    }
}
