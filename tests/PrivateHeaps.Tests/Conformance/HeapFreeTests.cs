namespace PrivateHeaps.Tests.Conformance;

public unsafe class HeapFreeTests
{
    [Theory, EveryFace]
    public void Freed_memory_is_used_again(IHeapFace face)
    {
        using HeapUnderTest heap = new(face);
        foreach (nuint bytes in (nuint[])[16, 500, 5000, 100_000, 2 << 20])
        {
            for (int count = 0; count < 2000; count++)
            {
                heap.Free(heap.Alloc(bytes));
            }
        }

        Assert.Empty(heap.Blocks);
        Assert.InRange(heap.Sizes.Committed, (nuint)0, (nuint)32 << 20);
    }

    [Theory, EveryFace]
    public void No_block_counts_as_freed(IHeapFace face)
    {
        using HeapUnderTest heap = new(face);
        Assert.True(heap.TryFree(null));
    }

    [Theory, Win32Faces]
    public void No_block_counts_as_freed_on_any_heap(IWin32Face face)
    {
        face.LastError = 12345;
        Assert.True(face.HeapFree(0, 0, null));
        Assert.True(face.HeapFree(0x1234, 0, null));
        Assert.Equal(12345u, face.LastError);
    }

    [Theory, EveryFace]
    public void An_address_that_is_no_block_is_refused(IHeapFace face)
    {
        using BadAddresses addresses = new(face);
        addresses.ForEach(address => !face.HeapFree(addresses.Heap, 0, (void*)address));
    }

    [Theory, Win32Faces]
    public void An_address_that_is_no_block_gives_error_87(IWin32Face face)
    {
        using BadAddresses addresses = new(face);
        addresses.ForEach(address =>
        {
            face.LastError = 12345;
            return !face.HeapFree(addresses.Heap, 0, (void*)address) && face.LastError == 87;
        });
    }

    [Theory, EveryFace]
    public void A_second_free_is_refused_for_every_size(IHeapFace face)
    {
        using HeapUnderTest heap = new(face);
        foreach (nuint bytes in (nuint[])[0, 1, 16, 64, 1000, 1024, 5000, 33_000, 100_000, 1 << 20, 8 << 20])
        {
            byte* block = heap.Alloc(bytes);
            heap.Free(block);
            Assert.False(heap.TryFree(block));
            Assert.False(heap.TryFree(block));
        }

        Assert.Empty(heap.Blocks);
    }

    [Theory, EveryFace]
    public void A_double_free_never_gives_one_block_to_two_callers(IHeapFace face)
    {
        using HeapUnderTest heap = new(face);
        byte* block = heap.Alloc(64);
        heap.Free(block);
        heap.TryFree(block);
        HashSet<nint> blocks = [];
        for (int count = 0; count < 2000; count++)
        {
            Assert.True(blocks.Add((nint)heap.Alloc(64)));
        }
    }

    [Theory, Win32Faces]
    public void A_bad_handle_is_refused_and_the_block_lives_on(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        byte* block = heap.Alloc(100);
        face.LastError = 12345;
        Assert.False(face.HeapFree(0, 0, block));
        Assert.Equal(87u, face.LastError);
        BadHandles.ForEach(face, handle =>
        {
            face.LastError = 12345;
            return !face.HeapFree(handle, 0, block) && face.LastError == 6;
        });
        heap.Free(block);
    }

    [Theory, Win32Faces]
    public void Any_flags_are_accepted_and_success_leaves_the_last_error_alone(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        face.LastError = 12345;
        for (int bit = 0; bit < 32; bit++)
        {
            Assert.True(face.HeapFree(heap.Handle, 1u << bit, heap.Alloc(100)));
        }

        Assert.True(face.HeapFree(heap.Handle, uint.MaxValue, heap.Alloc(100)));
        Assert.Equal(12345u, face.LastError);
    }

    [Theory, EveryFace]
    public void Any_thread_frees_the_blocks_of_any_other(IHeapFace face)
    {
        using HeapUnderTest heap = new(face);
        List<nint> blocks = [];
        for (nuint count = 0; count < 20_000; count++)
        {
            blocks.Add((nint)heap.Alloc(count % 700));
        }

        Threads.Run(() => blocks.ForEach(block => heap.Free((void*)block)));
        Assert.Empty(heap.Blocks);
        Assert.Equal((nuint)0, heap.Sizes.Allocated);
    }
}
