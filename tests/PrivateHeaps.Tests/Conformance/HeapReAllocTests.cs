using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Conformance;

public unsafe class HeapReAllocTests
{
    [Theory, EveryFace]
    public void The_contents_survive_any_change_of_size(IHeapFace face)
    {
        using HeapUnderTest heap = new(face);
        nuint[] sizes = [1, 16, 17, 100, 1000, 1024, 1025, 4096, 9000, 33_000, 70_000, 0x7FFF7, 0x7FFF8, 1 << 20, 3_000_001];
        foreach (nuint before in sizes)
        {
            foreach (nuint after in sizes)
            {
                byte* block = heap.AllocFilled(before, 0x5C);
                block = heap.ReAlloc(block, after);
                Assert.Equal(after, heap.SizeOf(block));
                Memory.AssertFilled(block, 0, Math.Min(before, after), 0x5C);
                heap.Free(block);
            }
        }

        Assert.Empty(heap.Blocks);
    }

    [Theory, EveryFace]
    public void A_block_that_moved_is_dead_where_it_was(IHeapFace face)
    {
        using HeapUnderTest heap = new(face);
        byte* block = heap.Alloc(100);
        byte* moved = heap.ReAlloc(block, 5000);
        Assert.True(moved != block);
        Assert.False(heap.Owns(block));
        Assert.True(heap.Owns(moved));
        heap.Free(moved);
    }

    [Theory, EveryFace]
    public void The_same_size_and_a_little_less_keep_the_address(IHeapFace face)
    {
        using HeapUnderTest heap = new(face);
        foreach (nuint bytes in (nuint[])[100, 1000, 100_000, 2 << 20])
        {
            byte* block = heap.Alloc(bytes);
            Assert.True(heap.ReAlloc(block, bytes) == block);
            Assert.True(heap.ReAlloc(block, bytes - 1) == block);
            Assert.Equal(bytes - 1, heap.SizeOf(block));
            heap.Free(block);
        }
    }

    [Theory, EveryFace]
    public void Size_0_keeps_a_real_block(IHeapFace face)
    {
        using HeapUnderTest heap = new(face);
        foreach (nuint bytes in (nuint[])[0, 1, 100, 100_000, 2 << 20])
        {
            byte* block = heap.ReAlloc(heap.Alloc(bytes), 0);
            Assert.Equal((nuint)0, heap.SizeOf(block));
            Assert.True(heap.Owns(block));
            heap.Free(block);
        }

        Assert.Empty(heap.Blocks);
    }

    [Theory, Win32Faces]
    public void Growth_is_zeroed_when_asked_for(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        nuint[] sizes = [0, 1, 9, 15, 16, 17, 31, 33, 100, 127, 129, 500, 1000, 1025, 4095, 4097, 30_000, 70_000, 0x7FFF7, 1 << 20, 3 << 20];
        foreach (nuint before in sizes)
        {
            foreach (nuint after in sizes.Where(bytes => bytes > before))
            {
                // Used memory is what a growing block would find around it.
                heap.Free(heap.AllocFilled(after, 0xEE));
                byte* block = heap.AllocFilled(before, 0x11);
                block = heap.ReAlloc(block, after, HeapApi.HEAP_ZERO_MEMORY);
                Memory.AssertFilled(block, 0, before, 0x11);
                Memory.AssertFilled(block, before, after, 0);
                heap.Free(block);
            }
        }
    }

    [Theory, Win32Faces]
    public void Growth_after_shrinking_is_zeroed_when_asked_for(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        foreach ((nuint bytes, nuint less) in ((nuint, nuint)[])
            [(16, 9), (100, 50), (100, 99), (1000, 500), (1000, 990), (5000, 4000), (40_000, 39_000), (0x7FFF8, 100_000), (3 << 20, 2 << 20), (3 << 20, 100)])
        {
            foreach (uint shrinkFlags in (uint[])[0, HeapApi.HEAP_ZERO_MEMORY, HeapApi.HEAP_REALLOC_IN_PLACE_ONLY])
            {
                byte* block = heap.AllocFilled(bytes, 0x22);
                byte* shrunk = (byte*)heap.TryReAlloc(block, less, shrinkFlags);
                block = shrunk == null ? heap.ReAlloc(block, less) : shrunk;
                Memory.AssertFilled(block, 0, less, 0x22);
                block = heap.ReAlloc(block, bytes, HeapApi.HEAP_ZERO_MEMORY);
                Memory.AssertFilled(block, 0, less, 0x22);
                Memory.AssertFilled(block, less, bytes, 0);
                heap.Free(block);
            }
        }
    }

    [Theory, EveryFace]
    public void In_place_a_block_changes_size_or_stays_as_it_was(IHeapFace face)
    {
        using HeapUnderTest heap = new(face);
        foreach (nuint before in (nuint[])[0, 1, 16, 100, 1000, 10_000, 100_000, 1 << 20, 4 << 20])
        {
            byte* neighborBefore = heap.AllocFilled(before, 0x44);
            byte* block = heap.AllocFilled(before, 0x33);
            byte* neighbor = heap.AllocFilled(before, 0x44);
            foreach (nuint after in (nuint[])[before, before / 2, before, before + 1, before * 2, before * 100])
            {
                nuint current = heap.SizeOf(block);
                byte* resized = heap.ReAllocInPlace(block, after);
                Assert.Equal(resized == null ? current : after, heap.SizeOf(block));
                Memory.AssertFilled(block, 0, Math.Min(before / 2, current), 0x33);
                if (resized != null)
                {
                    Memory.Fill(block, after, 0x33);
                }
            }

            Memory.AssertFilled(neighborBefore, 0, before, 0x44);
            Memory.AssertFilled(neighbor, 0, before, 0x44);
            heap.Free(neighborBefore);
            heap.Free(block);
            heap.Free(neighbor);
        }
    }

    [Theory, EveryFace]
    public void Shrinking_in_place_by_a_little_works(IHeapFace face)
    {
        using HeapUnderTest heap = new(face);
        foreach (nuint bytes in (nuint[])[16, 100, 1000, 10_000, 100_000, 4 << 20])
        {
            byte* block = heap.Alloc(bytes);
            Assert.True(heap.ReAllocInPlace(block, bytes - 1) == block);
            heap.Free(block);
        }
    }

    [Theory, Win32Faces]
    public void A_refusal_in_place_leaves_the_last_error_alone(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        byte* block = heap.AllocFilled(100, 0x33);
        face.LastError = 12345;
        Assert.True(heap.TryReAlloc(block, 100_000_000, HeapApi.HEAP_REALLOC_IN_PLACE_ONLY) == null);
        Assert.Equal(12345u, face.LastError);
        Assert.Equal((nuint)100, heap.SizeOf(block));
        heap.Free(block);
    }

    [Theory, EveryFace]
    public void A_size_that_no_memory_can_hold_leaves_the_block_as_it_was(IHeapFace face)
    {
        using HeapUnderTest heap = new(face);
        foreach (nuint bytes in (nuint[])[100, 100_000, 4 << 20])
        {
            byte* block = heap.AllocFilled(bytes, 0x66);
            foreach (nuint wanted in (nuint[])[nuint.MaxValue, nuint.MaxValue - 1, nuint.MaxValue - 15, nuint.MaxValue - 16, nuint.MaxValue - 65_536, (nuint)1 << 62])
            {
                Assert.True(heap.TryReAlloc(block, wanted) == null);
            }

            Assert.Equal(bytes, heap.SizeOf(block));
            Memory.AssertFilled(block, 0, bytes, 0x66);
            heap.Free(block);
        }
    }

    [Theory, Win32Faces]
    public void Lack_of_memory_leaves_the_last_error_alone(IWin32Face face)
    {
        using HeapUnderTest heap = new(face), bounded = new(face, maximumSize: 1 << 20);
        byte* block = heap.Alloc(100), boundedBlock = bounded.Alloc(100);
        face.LastError = 12345;
        Assert.True(heap.TryReAlloc(block, nuint.MaxValue) == null);
        Assert.True(bounded.TryReAlloc(boundedBlock, 0x7FFF8) == null);
        Assert.True(bounded.TryReAlloc(boundedBlock, 2 << 20) == null);
        Assert.Equal(12345u, face.LastError);
    }

    [Theory, Win32Faces]
    public void No_block_allocates_nothing_and_sets_the_last_error_to_0(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        foreach (nint handle in (nint[])[heap.Handle, 0, 0x1234])
        {
            foreach (uint flags in (uint[])[0, HeapApi.HEAP_ZERO_MEMORY, HeapApi.HEAP_GENERATE_EXCEPTIONS])
            {
                face.LastError = 12345;
                Assert.True(face.HeapReAlloc(handle, flags, null, 100) == null);
                Assert.Equal(0u, face.LastError);
            }
        }

        Assert.Empty(heap.Blocks);
    }

    [Theory, Win32Faces]
    public void Success_leaves_the_last_error_alone(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        byte* block = heap.Alloc(100);
        face.LastError = 12345;
        block = heap.ReAlloc(block, 10_000);
        block = heap.ReAlloc(block, 10);
        block = heap.ReAlloc(block, 0);
        Assert.Equal(12345u, face.LastError);
    }

    [Theory, EveryFace]
    public void An_address_that_is_no_block_is_refused(IHeapFace face)
    {
        using BadAddresses addresses = new(face);
        addresses.ForEach(address => face.HeapReAlloc(addresses.Heap, 0, (void*)address, 200) == null);
        addresses.ForEach(address => face.HeapReAlloc(addresses.Heap, HeapApi.HEAP_REALLOC_IN_PLACE_ONLY, (void*)address, 10) == null);
    }

    [Theory, Win32Faces]
    public void An_address_that_is_no_block_gives_error_87_and_is_not_raised(IWin32Face face)
    {
        using BadAddresses addresses = new(face, HeapApi.HEAP_GENERATE_EXCEPTIONS);
        addresses.ForEach(address =>
        {
            face.LastError = 12345;
            return face.HeapReAlloc(addresses.Heap, HeapApi.HEAP_GENERATE_EXCEPTIONS, (void*)address, 200) == null && face.LastError == 87;
        });
    }

    [Theory, Win32Faces]
    public void A_bad_handle_is_refused_with_error_6(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        byte* block = heap.AllocFilled(100, 0x77);
        face.LastError = 12345;
        Assert.True(face.HeapReAlloc(0, 0, block, 200) == null);
        Assert.Equal(6u, face.LastError);
        BadHandles.ForEach(face, handle =>
        {
            face.LastError = 12345;
            return face.HeapReAlloc(handle, 0, block, 200) == null && face.LastError == 6;
        });
        Assert.Equal((nuint)100, heap.SizeOf(block));
    }

    [Theory, Win32Faces]
    public void Every_other_flag_bit_is_ignored(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        for (int bit = 0; bit < 32; bit++)
        {
            if (1u << bit != HeapApi.HEAP_REALLOC_IN_PLACE_ONLY)
            {
                byte* block = heap.AllocFilled(100, 0x21);
                block = heap.ReAlloc(block, 5000, 1u << bit);
                Memory.AssertFilled(block, 0, 100, 0x21);
                heap.Free(block);
            }
        }
    }

    [Theory, EveryFace]
    public void A_block_grows_step_by_step_to_a_megabyte(IHeapFace face)
    {
        using HeapUnderTest heap = new(face);
        byte* block = heap.AllocFilled(8, 0x19);
        for (nuint bytes = 8; bytes < 1 << 20; bytes = (bytes * 3 / 2) + 1)
        {
            nuint next = (bytes * 3 / 2) + 1;
            block = heap.ReAlloc(block, next);
            Memory.AssertFilled(block, 0, bytes, 0x19);
            Memory.Fill(block, next, 0x19);
        }

        heap.Free(block);
    }
}
