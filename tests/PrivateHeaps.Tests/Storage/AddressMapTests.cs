using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
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

    [Fact]
    public void Blocks_far_from_home_are_served_as_those_at_home()
    {
        // What is reserved stays so until a heap finds room for its region beyond it only.
        List<nint> reserved = [];
        List<PrivateHeap> heaps = [];
        do
        {
            reserved.Add((nint)Os.Reserve(Units.GiB));
            heaps.Add(new PrivateHeap(new PrivateHeapOptions { InitialSize = 80 * Units.MiB }));
        }
        while (IsAtHome(heaps[^1].Alloc(FirstBytes)) && reserved.Count < 16);

        PrivateHeap heap = heaps[^1];
        List<(nint Block, nuint Bytes)> blocks = [];
        for (nuint bytes = 1; bytes < 300_000; bytes += bytes / 7 + 1)
        {
            for (int count = 0; count < 5; count++)
            {
                byte* block = (byte*)heap.Alloc(bytes);
                Assert.False(IsAtHome(block));
                Memory.Fill(block, bytes, (byte)bytes);
                blocks.Add(((nint)block, bytes));
            }
        }

        Assert.True(heap.Validate());
        for (int index = 0; index < blocks.Count; index += 5)
        {
            (nint first, nuint bytes) = blocks[index];
            Assert.Equal(bytes, heap.GetSize((void*)first));
            Assert.Throws<ArgumentException>(() => heap.Free((void*)(first + 1)));
            heap.Free((void*)first);
            Assert.Throws<ArgumentException>(() => heap.Free((void*)first));

            byte* shrunk = (byte*)heap.Realloc((void*)blocks[index + 1].Block, bytes / 2 + 1);
            byte* grown = (byte*)heap.Realloc((void*)blocks[index + 2].Block, bytes * 2);
            Memory.AssertFilled(shrunk, 0, bytes / 2 + 1, (byte)bytes);
            Memory.AssertFilled(grown, 0, bytes, (byte)bytes);
            Assert.Equal((bytes / 2 + 1, bytes * 2), (heap.GetSize(shrunk), heap.GetSize(grown)));
            heap.Free(shrunk);
            heap.Free(grown);
        }

        // By another thread, whose first free makes a slab common.
        Threads.Run(() =>
        {
            for (int index = 0; index < blocks.Count; index += 5)
            {
                heap.Free((void*)blocks[index + 3].Block);
                Assert.Throws<ArgumentException>(() => heap.Free((void*)blocks[index + 3].Block));
            }
        });

        for (int index = 0; index < blocks.Count; index += 5)
        {
            Memory.AssertFilled((byte*)blocks[index + 4].Block, 0, blocks[index + 4].Bytes, (byte)blocks[index + 4].Bytes);
            heap.Free((void*)blocks[index + 4].Block);
        }

        Assert.True(heap.Validate());
        heaps.ForEach(each => each.Dispose());
        reserved.ForEach(range => Os.Release((void*)range, Units.GiB));
    }

    private static bool IsAtHome(void* address) => Home.Holds(Home.GranuleOf(Home.Current, AddressMap.Turn(address)));

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
