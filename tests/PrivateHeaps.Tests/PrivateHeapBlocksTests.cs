namespace PrivateHeaps.Tests;

public unsafe class PrivateHeapBlocksTests
{
    [Fact]
    public void Alloc_of_elements_has_room_for_all_of_them()
    {
        using PrivateHeap heap = new();
        Assert.Equal((nuint)1200, heap.GetSize(heap.Alloc(100, 12)));
        Assert.Equal((nuint)0, heap.GetSize(heap.Alloc(0, 12)));
        void* zeroed = heap.AllocZeroed(100, 12);
        Assert.Equal((nuint)1200, heap.GetSize(zeroed));
        Memory.AssertFilled(zeroed, 0, 1200, 0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Blocks_of_every_size_come_and_go_and_come_again(bool isUnserialized)
    {
        using PrivateHeap heap = new(new() { NoSerialize = isUnserialized });
        for (int turn = 0; turn < 40; turn++)
        {
            List<nint> blocks = [];
            for (nuint bytes = 1; bytes <= 1 << 21; bytes = bytes * 3 / 2 + 1)
            {
                void* block = heap.Alloc(bytes);
                Assert.Equal(bytes, heap.GetSize(block));
                blocks.Add((nint)block);
            }

            blocks.ForEach(block => heap.Free((void*)block));
        }

        Assert.Equal((nuint)0, heap.GetSummary().BlockCount);
    }

    [Fact]
    public void A_product_of_count_and_size_that_overflows_is_out_of_memory_and_never_a_small_block()
    {
        using PrivateHeap heap = new();
        foreach ((nuint count, nuint size) in ((nuint, nuint)[])
            [(nuint.MaxValue, 2), (nuint.MaxValue, nuint.MaxValue), ((nuint)1 << 32, (nuint)1 << 32), ((nuint)1 << 63, 2), ((nuint.MaxValue / 16) + 1, 16)])
        {
            Assert.Throws<OutOfMemoryException>(() => { heap.Alloc(count, size); });
            Assert.Throws<OutOfMemoryException>(() => { heap.AllocZeroed(count, size); });
        }

        Assert.Throws<OutOfMemoryException>(() => { heap.Alloc<long>(((nuint)1 << 61) + 1); });
        Assert.Equal((nuint)0, heap.GetSummary().BlockCount);
    }

    [Fact]
    public void Zeroed_memory_is_zero_after_it_was_used()
    {
        using PrivateHeap heap = new();
        for (int round = 0; round < 50; round++)
        {
            void* block = heap.Alloc(200);
            Memory.Fill(block, 200, 0xFF);
            heap.Free(block);
            block = heap.AllocZeroed(200);
            Memory.AssertFilled(block, 0, 200, 0);
            heap.Free(block);
        }
    }

    [Fact]
    public void Aligned_blocks_start_where_they_must_and_are_blocks_like_all_others()
    {
        using PrivateHeap heap = new();
        for (nuint alignment = 1; alignment <= 16 << 20; alignment *= 2)
        {
            foreach (nuint bytes in (nuint[])[0, 1, 24, alignment - 1, alignment, alignment + 1, 5000])
            {
                byte* block = (byte*)heap.AlignedAlloc(bytes, alignment);
                Assert.Equal((nuint)0, (nuint)block % Math.Max(alignment, 16));
                Assert.Equal(bytes, heap.GetSize(block));
                Assert.True(heap.Contains(block));
                Memory.Fill(block, bytes, 0x2A);
                byte* resized = (byte*)heap.Realloc(block, bytes + 10_000);
                Memory.AssertFilled(resized, 0, bytes, 0x2A);
                heap.Free(resized);
            }
        }

        Assert.Equal((nuint)0, heap.GetSummary().BlockCount);
        Assert.True(heap.Validate());
    }

    [Fact]
    public void Aligned_blocks_fit_in_a_bounded_heap()
    {
        using PrivateHeap heap = new(new PrivateHeapOptions { MaximumSize = 1 << 20 });
        for (nuint alignment = 16; alignment <= 64 << 10; alignment *= 2)
        {
            void* block = heap.AlignedAlloc(100, alignment);
            Assert.Equal((nuint)0, (nuint)block % alignment);
            heap.Free(block);
        }

        Assert.True(heap.Validate());
    }

    [Fact]
    public void A_block_that_was_freed_is_not_taken_for_an_aligned_one_that_it_is_not()
    {
        using PrivateHeap heap = new(new PrivateHeapOptions { MaximumSize = 1 << 20 });
        nint[] blocks = [.. Enumerable.Range(0, 64).Select(_ => (nint)heap.Alloc(48)), .. Enumerable.Range(0, 64).Select(_ => (nint)heap.Alloc(24))];
        Assert.Contains(blocks, block => block % 32 != 0);
        Array.ForEach(blocks, block => heap.Free((void*)block));
        foreach (int _ in blocks)
        {
            Assert.Equal(0u, (nuint)heap.AlignedAlloc(24, 32) % 32);
            Assert.Equal(0u, (nuint)heap.AlignedAlloc(33, 64) % 64);
        }

        Assert.True(heap.Validate());
    }

    [Fact]
    public void AlignedRealloc_moves_to_an_aligned_place_and_keeps_the_contents()
    {
        using PrivateHeap heap = new();
        byte* block = (byte*)heap.Alloc(100);
        Memory.Fill(block, 100, 0x2B);
        foreach (nuint alignment in (nuint[])[64, 4096, 256, 65_536])
        {
            block = (byte*)heap.AlignedRealloc(block, 300, alignment);
            Assert.Equal((nuint)0, (nuint)block % alignment);
            Assert.Equal((nuint)300, heap.GetSize(block));
            Memory.AssertFilled(block, 0, 100, 0x2B);
        }

        Assert.Equal((nuint)1, heap.GetSummary().BlockCount);
        Assert.Equal((nuint)0, (nuint)heap.AlignedRealloc(null, 10, 1024) % 1024);
    }

    [Fact]
    public void An_alignment_must_be_a_power_of_two()
    {
        using PrivateHeap heap = new();
        void* block = heap.Alloc(1);
        foreach (nuint alignment in (nuint[])[0, 3, 48, nuint.MaxValue])
        {
            Assert.Throws<ArgumentException>(() => { heap.AlignedAlloc(100, alignment); });
            Assert.Throws<ArgumentException>(() => { heap.AlignedRealloc(block, 100, alignment); });
        }
    }

    [Fact]
    public void A_huge_alignment_is_out_of_memory()
    {
        using PrivateHeap heap = new();
        foreach (nuint alignment in (nuint[])[(nuint)1 << 50, (nuint)1 << 62, (nuint)1 << 63])
        {
            Assert.Throws<OutOfMemoryException>(() => { heap.AlignedAlloc(100, alignment); });
            Assert.Throws<OutOfMemoryException>(() => { heap.AlignedAlloc(nuint.MaxValue - 100, alignment); });
        }
    }

    [Fact]
    public void TryAlloc_answers_where_Alloc_throws()
    {
        using PrivateHeap heap = new(new PrivateHeapOptions { GenerateExceptions = true });
        Assert.True(heap.TryAlloc(100, out void* block));
        heap.Free(block);
        Assert.False(heap.TryAlloc(nuint.MaxValue, out block));
        Assert.True(block == null);
        Assert.Throws<OutOfMemoryException>(() => { heap.Alloc(nuint.MaxValue); });
    }

    [Fact]
    public void Realloc_of_null_allocates()
    {
        using PrivateHeap heap = new();
        void* block = heap.Realloc(null, 100);
        Assert.Equal((nuint)100, heap.GetSize(block));
    }

    [Fact]
    public void TryReallocInPlace_changes_the_size_or_nothing()
    {
        using PrivateHeap heap = new();
        void* block = heap.Alloc(1000);
        Assert.True(heap.TryReallocInPlace(block, 990));
        Assert.Equal((nuint)990, heap.GetSize(block));
        Assert.False(heap.TryReallocInPlace(block, 100_000_000));
        Assert.Equal((nuint)990, heap.GetSize(block));
        Assert.False(heap.TryReallocInPlace(block, nuint.MaxValue));
    }

    [Fact]
    public void A_bad_address_is_an_ArgumentException_that_names_the_address_and_the_heap()
    {
        using PrivateHeap heap = new(new PrivateHeapOptions { Name = "strict" });
        byte* block = (byte*)heap.Alloc(100);
        byte* inside = block + 16;
        foreach (Action use in (Action[])
            [() => heap.Free(inside), () => heap.Realloc(inside, 1), () => heap.GetSize(inside), () => heap.TryReallocInPlace(inside, 1), () => heap.AlignedRealloc(inside, 1, 64)])
        {
            ArgumentException thrown = Assert.Throws<ArgumentException>(use);
            Assert.Contains($"0x{(nint)inside:X}", thrown.Message);
            Assert.Contains("strict", thrown.Message);
            Assert.Equal("block", thrown.ParamName);
        }

        Assert.Equal((nuint)100, heap.GetSize(block));
        Assert.Throws<ArgumentException>(() => heap.GetSize(null));
        Assert.Throws<ArgumentException>(() => heap.TryReallocInPlace(null, 1));
        heap.Free(null);
    }

    [Fact]
    public void A_raising_heap_puts_the_status_in_its_exceptions()
    {
        using PrivateHeap heap = new(new PrivateHeapOptions { GenerateExceptions = true });
        nint block = (nint)heap.Alloc(100);
        Assert.Equal(unchecked((int)0xC0000017), Assert.Throws<OutOfMemoryException>(() => { heap.Alloc(nuint.MaxValue); }).HResult);
        Assert.Equal(unchecked((int)0xC0000017), Assert.Throws<OutOfMemoryException>(() => { heap.Realloc((void*)block, nuint.MaxValue); }).HResult);
        Assert.Equal(unchecked((int)0xC0000005), Assert.Throws<AccessViolationException>(() => heap.Free((void*)(block + 8))).HResult);
        Assert.Equal((nuint)100, heap.GetSize((void*)block));
    }

    [Fact]
    public void Typed_blocks_have_the_size_of_their_elements()
    {
        using PrivateHeap heap = new();
        long* one = heap.Alloc<long>();
        *one = 5;
        Assert.Equal((nuint)8, heap.GetSize(one));
        Guid* many = heap.Alloc<Guid>(10);
        many[9] = Guid.NewGuid();
        Assert.Equal((nuint)160, heap.GetSize(many));
        heap.Free(one);
        heap.Free(many);
    }

    [Fact]
    public void Spans_are_allocated_and_freed_whole()
    {
        using PrivateHeap heap = new();
        foreach (int count in (int[])[0, 1, 1000, 1_000_000])
        {
            Span<int> span = heap.AllocSpan<int>(count);
            Assert.Equal(count, span.Length);
            span.Fill(7);
            Assert.Equal((nuint)1, heap.GetSummary().BlockCount);
            heap.Free(span);
            Assert.Equal((nuint)0, heap.GetSummary().BlockCount);
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => { heap.AllocSpan<int>(-1); });
        Assert.Throws<ArgumentException>(() => heap.Free(heap.AllocSpan<int>(100)[1..]));
        heap.Free(Span<int>.Empty);
    }

    [Fact]
    public void Allocating_and_freeing_makes_no_garbage()
    {
        using PrivateHeap heap = new();

        // What runs for the first time in a process, the runtime may allocate for.
        Assert.Equal(0, UseInEveryWay(heap));
        long before = GC.GetAllocatedBytesForCurrentThread();
        int blockCount = UseInEveryWay(heap);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(0, blockCount);
    }

    // How many blocks live in the end.
    private static int UseInEveryWay(PrivateHeap heap)
    {
        for (int count = 0; count < 1000; count++)
        {
            void* block = heap.AllocZeroed((nuint)count);
            block = heap.Realloc(block, (nuint)count + 100);
            using (heap.EnterScope())
            {
                heap.GetSize(block);
            }

            heap.Free(block);
        }

        int blockCount = 0;
        foreach (HeapEntry entry in heap.Walk())
        {
            blockCount += entry.Kind == HeapEntryKind.Block ? 1 : 0;
        }

        heap.GetSummary();
        return blockCount;
    }
}
