using System.Runtime.CompilerServices;
using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Conformance;

public unsafe class HeapAllocTests
{
    /// <summary>Both sides of every power of two and of every sixteenth between, which covers the edges of any sensible size class.</summary>
    private static IEnumerable<nuint> Sizes()
    {
        for (nuint bytes = 0; bytes <= 1100; bytes++)
        {
            yield return bytes;
        }

        for (nuint power = 1024; power <= (nuint)4 << 20; power *= 2)
        {
            for (nuint step = 0; step < 16; step++)
            {
                nuint edge = power + (power / 16 * step);
                yield return edge - 1;
                yield return edge;
                yield return edge + 1;
            }
        }

        yield return 0x7FFF7;
        yield return 0x7FFF8;
        yield return 40_000_000;
    }

    [Theory, EveryFace]
    public void A_block_of_any_size_is_usable_from_its_first_byte_to_its_last(IHeapFace face)
    {
        using HeapUnderTest heap = new(face);
        List<(nint Block, nuint Bytes, byte Pattern)> live = [];
        byte pattern = 1;
        foreach (nuint bytes in Sizes())
        {
            pattern = (byte)((pattern % 250) + 1);
            byte* block = heap.Alloc(bytes);
            Unsafe.InitBlockUnaligned(block, pattern, (uint)bytes);
            Assert.Equal(0, (nint)block % 16);
            Assert.Equal(bytes, heap.SizeOf(block));
            live.Add(((nint)block, bytes, pattern));
            if (bytes > 100_000)
            {
                heap.Free(block);
                live.RemoveAt(live.Count - 1);
            }
        }

        Assert.True(heap.IsSound);
        foreach ((nint block, nuint bytes, byte value) in live)
        {
            Memory.AssertFilled((void*)block, 0, bytes, value);
            heap.Free((void*)block);
        }
    }

    [Theory, EveryFace]
    public void Blocks_of_size_0_are_real_and_differ_from_each_other(IHeapFace face)
    {
        using HeapUnderTest heap = new(face);
        HashSet<nint> blocks = [];
        for (int count = 0; count < 1000; count++)
        {
            byte* block = heap.Alloc(0);
            Assert.True(blocks.Add((nint)block));
            Assert.Equal((nuint)0, heap.SizeOf(block));
            Assert.True(heap.Owns(block));
        }

        Assert.Equal(1000, heap.Blocks.Count);
        Assert.All(blocks, block => heap.Free((void*)block));
        Assert.Empty(heap.Blocks);
    }

    [Theory, EveryFace]
    public void Live_blocks_do_not_overlap(IHeapFace face)
    {
        using HeapUnderTest heap = new(face);
        Random random = new(7);
        List<(nint Start, nint End)> ranges = [];
        for (int count = 0; count < 3000; count++)
        {
            int bytes = random.Next(20) == 0 ? random.Next(2_000_000) : random.Next(3000);
            nint start = (nint)heap.Alloc((nuint)bytes);
            ranges.Add((start, start + bytes));
        }

        ranges.Sort();
        for (int index = 1; index < ranges.Count; index++)
        {
            Assert.True(ranges[index - 1].End <= ranges[index].Start, $"Two blocks overlap at 0x{ranges[index].Start:X}.");
        }
    }

    [Theory, EveryFace]
    public void Ordinary_blocks_are_not_all_aligned_to_32_bytes(IHeapFace face)
    {
        using HeapUnderTest heap = new(face);
        nint bits = 0;
        for (int count = 0; count < 200; count++)
        {
            bits |= (nint)heap.Alloc(16);
        }

        Assert.Equal(16, bits & 31);
    }

    [Theory, EveryFace]
    public void Zeroed_blocks_are_zero_even_in_used_memory(IHeapFace face)
    {
        using HeapUnderTest heap = new(face);
        foreach (nuint bytes in (nuint[])[1, 15, 16, 17, 100, 1000, 4096, 5000, 40_000, 0x7FFF8, 1 << 20, 5 << 20])
        {
            for (int round = 0; round < 20; round++)
            {
                byte* used = heap.Alloc(bytes);
                Unsafe.InitBlockUnaligned(used, 0xEE, (uint)bytes);
                heap.Free(used);
                byte* zeroed = heap.Alloc(bytes, HeapApi.HEAP_ZERO_MEMORY);
                Memory.AssertFilled(zeroed, 0, bytes, 0);
                heap.Free(zeroed);
            }
        }
    }

    [Theory, EveryFace]
    public void Sizes_that_no_memory_can_hold_are_refused(IHeapFace face)
    {
        using HeapUnderTest heap = new(face);
        for (nuint distance = 0; distance < 70_000; distance += distance < 100 ? 1u : 997)
        {
            Assert.True(heap.TryAlloc(nuint.MaxValue - distance) == null);
            Assert.True(heap.TryAlloc(nuint.MaxValue - distance, HeapApi.HEAP_ZERO_MEMORY) == null);
        }

        for (int bit = 48; bit < 64; bit++)
        {
            Assert.True(heap.TryAlloc((nuint)1 << bit) == null);
            Assert.True(heap.TryAlloc(((nuint)1 << bit) - 1) == null || bit == 48);
        }

        heap.Free(heap.Alloc(100));
    }

    [Theory, EveryFace]
    public void A_block_of_one_GiB_is_served_and_measured(IHeapFace face)
    {
        using HeapUnderTest heap = new(face);
        byte* block = heap.Alloc((nuint)1 << 30);
        block[0] = 1;
        block[(1 << 30) - 1] = 2;
        Assert.Equal((nuint)1 << 30, heap.SizeOf(block));
        Assert.Equal((nuint)1 << 30, heap.Sizes.Allocated);
        heap.Free(block);
        Assert.Equal((nuint)0, heap.Sizes.Allocated);
    }

    [Theory, Win32Faces]
    public void Success_leaves_the_last_error_alone(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        face.LastError = 12345;
        heap.Alloc(100);
        heap.Alloc(0);
        heap.Alloc(5 << 20);
        Assert.Equal(12345u, face.LastError);
    }

    [Theory, Win32Faces]
    public void Failure_leaves_the_last_error_alone(IWin32Face face)
    {
        using HeapUnderTest heap = new(face), bounded = new(face, maximumSize: 1 << 20);
        face.LastError = 12345;
        Assert.True(heap.TryAlloc(nuint.MaxValue) == null);
        Assert.True(bounded.TryAlloc(0x7FFF8) == null);
        Assert.True(bounded.TryAlloc(2 << 20) == null);
        Assert.Equal(12345u, face.LastError);
    }

    [Theory, Win32Faces]
    public void A_bad_handle_is_refused_without_touching_the_last_error(IWin32Face face)
    {
        face.LastError = 12345;
        Assert.True(face.HeapAlloc(0, 0, 100) == null);
        Assert.True(face.HeapAlloc(0, 0, 1 << 20) == null);
        Assert.Equal(12345u, face.LastError);
        BadHandles.ForEach(face, handle =>
        {
            face.LastError = 12345;
            return face.HeapAlloc(handle, 0, 100) == null && face.HeapAlloc(handle, 0, 1 << 20) == null && face.LastError == 12345;
        });
    }

    [Theory, Win32Faces]
    public void Every_flag_bit_is_accepted(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        for (int bit = 0; bit < 32; bit++)
        {
            byte* block = heap.Alloc(100, 1u << bit);
            Assert.Equal((nuint)100, heap.SizeOf(block));
            heap.Free(block);
        }
    }

    [Theory, Win32Faces]
    public void Flags_are_bits_and_work_together(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        heap.Free(heap.AllocFilled(64, 0xEE));
        byte* block = heap.Alloc(64, HeapApi.HEAP_ZERO_MEMORY | HeapApi.HEAP_NO_SERIALIZE | HeapApi.HEAP_GENERATE_EXCEPTIONS);
        Memory.AssertFilled(block, 0, 64, 0);
        heap.Free(block);
    }

    [Theory, EveryFace]
    public void A_heap_that_is_not_serialized_works_for_one_thread(IHeapFace face)
    {
        using HeapUnderTest heap = new(face, HeapApi.HEAP_NO_SERIALIZE);
        List<nint> blocks = [];
        for (nuint count = 0; count < 5000; count++)
        {
            blocks.Add((nint)heap.AllocFilled(count % 1500, (byte)count));
        }

        for (int index = 0; index < blocks.Count; index++)
        {
            Memory.AssertFilled((void*)blocks[index], 0, (nuint)index % 1500, (byte)index);
            heap.Free((void*)blocks[index]);
        }

        Assert.Empty(heap.Blocks);
    }
}
