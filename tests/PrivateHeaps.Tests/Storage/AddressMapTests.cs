using PrivateHeaps.Storage;

namespace PrivateHeaps.Tests.Storage;

public sealed unsafe class AddressMapTests
{
    private const nuint FirstBytes = 2048;

    [Fact]
    public void A_block_that_starts_where_a_window_ends_keeps_its_size()
    {
        List<PrivateHeap> heaps = [];
        nuint boundary;
        do
        {
            // An odd number of arena units, so that a boundary falls inside one of them sooner or later.
            heaps.Add(new PrivateHeap(new PrivateHeapOptions { InitialSize = 4096, MaximumSize = 125 * Arena.UnitBytes }));
            boundary = ((nuint)heaps[^1].Alloc(FirstBytes) | AddressMap.WindowMask) + 1;
        }
        while (!HoldsBoundary(heaps[^1], boundary));

        PrivateHeap heap = heaps[^1];
        byte* last = TakeLastGranule(heap, boundary, 100);
        byte* next = (byte*)heap.Alloc(200);
        Memory.Fill(last, 100, 0xA1);
        Memory.Fill(next, 200, 0xA2);
        Assert.Equal((100u, 200u), (heap.GetSize(last), heap.GetSize(next)));
        Memory.AssertFilled(last, 0, 100, 0xA1);

        // One granule is all that is left of it, and nothing of its old length.
        heap.Clear();
        heap.Alloc(FirstBytes);
        last = TakeLastGranule(heap, boundary, 10);
        Assert.Equal(boundary, (nuint)heap.Alloc(300));
        Assert.Equal(10u, heap.GetSize(last));
        Assert.True(heap.Validate());
        heap.Free(last);
        Assert.True(heap.Validate());
        heaps.ForEach(each => each.Dispose());
    }

    private static bool HoldsBoundary(PrivateHeap heap, nuint boundary)
    {
        nuint start = 0;
        foreach (HeapEntry entry in heap.Walk())
        {
            start = start == 0 ? (nuint)entry.Address : start;
        }

        return boundary - start > 2 * FirstBytes && boundary - start < heap.MaximumSize - 2 * FirstBytes;
    }

    // Fills the heap up to the last granule before the boundary, and puts a block there.
    private static byte* TakeLastGranule(PrivateHeap heap, nuint boundary, nuint bytes)
    {
        nuint filled = (nuint)heap.Alloc(FirstBytes) + FirstBytes;
        heap.Alloc(boundary - 16 - filled);
        byte* last = (byte*)heap.Alloc(bytes);
        Assert.Equal(boundary - 16, (nuint)last);
        return last;
    }
}
