using PrivateHeaps.Heaps;

namespace PrivateHeaps.Tests.Heaps;

/// <summary>A block that grows step by step gets to a place where it can grow on; one that grows once, and several that grow in turn, go from class to class.</summary>
public sealed unsafe class GrowthTests
{
    private const nuint KiB = 1024;

    // With a cache for the heap.
    private static PrivateHeap MakeHeap(PrivateHeapOptions? options = null)
    {
        PrivateHeap heap = options == null ? new() : new(options);
        Heap.EnableFrontEnd(heap.Handle);
        heap.Free(heap.Alloc(16));
        return heap;
    }

    // Grows the block by half and says whether it moved.
    private static bool Grow(PrivateHeap heap, ref byte* block, ref nuint bytes)
    {
        byte* old = block;
        nuint more = bytes / 2;
        new Span<byte>(block, (int)bytes).Fill((byte)bytes);
        byte tag = (byte)bytes;
        block = (byte*)heap.Realloc(block, bytes + more);
        Assert.True(new Span<byte>(block, (int)bytes).IndexOfAnyExcept(tag) < 0, "the contents stay");
        bytes += more;
        Assert.Equal(bytes, heap.GetSize(block));
        return block != old;
    }

    [Fact]
    public void A_block_that_grows_on_stays_where_it_is_from_16_KiB_to_1_MiB()
    {
        using PrivateHeap heap = MakeHeap();
        nuint bytes = 64, movedLast = 0;
        byte* block = (byte*)heap.Alloc(bytes);
        while (bytes < 600 * KiB)
        {
            movedLast = Grow(heap, ref block, ref bytes) ? bytes : movedLast;
        }

        Assert.InRange(movedLast, 16 * KiB, 24 * KiB);
        Assert.True(heap.Validate());

        // Large blocks have mappings of their own.
        while (!Grow(heap, ref block, ref bytes))
        {
            Assert.True(bytes < 1020 * KiB);
        }

        Assert.True(bytes >= 1020 * KiB);
        heap.Free(block);
        Assert.True(heap.Validate());
    }

    [Fact]
    public void A_block_that_grows_once_goes_to_a_slab()
    {
        using PrivateHeap heap = MakeHeap();
        void* free = heap.Alloc(40 * KiB);
        heap.Free(free);
        Assert.True(heap.Realloc(heap.Alloc(20 * KiB), 40 * KiB) == free);
    }

    [Fact]
    public void A_block_that_grows_on_in_a_full_heap_gets_the_last_free_block()
    {
        using PrivateHeap heap = MakeHeap(new PrivateHeapOptions { MaximumSize = 16 * 1024 * KiB });
        void* first = heap.Alloc(5 * KiB), second = heap.Alloc(10 * KiB);
        List<nint> blocks = [];
        foreach (nuint bytes in (ReadOnlySpan<nuint>)[20 * KiB, 5 * KiB, KiB])
        {
            while (heap.TryAlloc(bytes, out void* block))
            {
                blocks.Add((nint)block);
            }
        }

        heap.Free(second);
        void* grown = heap.Realloc(first, 10 * KiB);

        // One of a slab whose other blocks live.
        heap.Free((void*)blocks[40]);
        Assert.True(heap.Realloc(grown, 20 * KiB) == (void*)blocks[40]);
        Assert.True(heap.Validate());
    }
}
