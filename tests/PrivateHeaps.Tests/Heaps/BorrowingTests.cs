using PrivateHeaps.Foundation;
using PrivateHeaps.Heaps;
using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Tests.Heaps;

/// <summary>A class all of whose blocks are in use takes a free one that is a little larger, for a while, before it gets memory of its own.</summary>
public sealed unsafe class BorrowingTests
{
    // Of classes that follow one another: 4,608, 5,120 and 5,632 bytes.
    private const int Small = 4500;
    private const int Medium = 5000;
    private const int Large = 5500;

    // With a cache for the heap, and one block of the largest class that is free.
    private static PrivateHeap MakeHeap(out byte* free)
    {
        PrivateHeap heap = new();
        Heap.EnableFrontEnd(heap.Handle);
        heap.Free(heap.Alloc(16));
        free = (byte*)heap.Alloc(Large);
        heap.Free(free);
        return heap;
    }

    [Theory]
    [InlineData(Small, true)]
    [InlineData(Medium, true)]
    [InlineData(Large, true)]
    [InlineData(4096, false)]
    [InlineData(1000, false)]
    [InlineData(6000, false)]
    public void A_block_comes_from_a_larger_class_if_that_is_no_more_than_a_quarter_larger(int bytes, bool borrows)
    {
        using PrivateHeap heap = MakeHeap(out byte* free);
        byte* block = (byte*)heap.Alloc((nuint)bytes);
        Assert.Equal(borrows, block == free);
        Assert.Equal((nuint)bytes, heap.GetSize(block));
        Assert.True(heap.Validate());
        heap.Free(block);
        Assert.False(Heap.Free(CurrentThread.State, heap.Handle, 0, block));
        Assert.True(heap.Validate());
    }

    [Fact]
    public void A_class_with_a_free_block_does_not_borrow()
    {
        using PrivateHeap heap = MakeHeap(out _);
        List<nint> blocks = [];
        do
        {
            blocks.Add((nint)heap.Alloc(Medium));
        }
        while (IsBorrowed((byte*)blocks[^1], Medium));
        Assert.True(blocks.Count > 1);
        blocks.ForEach(block => heap.Free((void*)block));
        Assert.False(IsBorrowed((byte*)heap.Alloc(Medium), Medium));
    }

    [Fact]
    public void A_class_that_borrows_often_gets_blocks_of_its_own()
    {
        using PrivateHeap heap = MakeHeap(out byte* free);
        int loans = 0;
        for (int turn = 0; turn < 1000; turn++)
        {
            byte* block = (byte*)heap.Alloc(Medium);
            loans += block == free ? 1 : 0;
            heap.Free(block);
        }

        Assert.True(loans is > 100 and < 500, $"It borrowed {loans} times.");
        Assert.True(heap.Alloc(Medium) != free);
    }

    [Fact]
    public void A_block_on_a_boundary_is_not_borrowed()
    {
        using PrivateHeap heap = MakeHeap(out byte* free);
        byte* block = (byte*)heap.AlignedAlloc(5120, 1024);
        Assert.True(block != free && (nuint)block % 1024 == 0);
    }

    [Fact]
    public void Many_sizes_with_few_blocks_each_share_their_memory()
    {
        using PrivateHeap heap = new();
        Random random = new(7);
        byte*[] blocks = new byte*[100];
        nuint live = 0, most = 0;
        for (int turn = 0; turn < 20_000; turn++)
        {
            int index = random.Next(blocks.Length);
            live -= blocks[index] == null ? 0 : heap.GetSize(blocks[index]);
            heap.Free(blocks[index]);
            nuint bytes = (nuint)random.Next(2000, 30_000);
            blocks[index] = (byte*)heap.Alloc(bytes);
            live += bytes;
            most = nuint.Max(most, live);
        }

        Assert.True(heap.Validate());
        nuint used = HeapRegistry.Find(heap.Handle)->Regions.UsedPages << Units.PageShift;
        Assert.True(used < 2 * most, $"{used} bytes are in slabs, and {most} were live at most.");
    }

    private static bool IsBorrowed(byte* block, nuint bytes) => AddressMap.EntryOf(block)->Kind > SizeClass.Of(bytes);
}
