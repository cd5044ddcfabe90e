using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Conformance;

public unsafe class HeapCreateTests
{
    [Theory, EveryFace]
    public void A_new_heap_is_sound_and_empty(IHeapFace face)
    {
        using HeapUnderTest heap = new(face);
        Assert.True(heap.IsSound);
        Assert.Empty(heap.Blocks);
        Assert.Equal((nuint)0, heap.Sizes.Allocated);
    }

    [Theory, EveryFace]
    public void Two_heaps_have_different_handles_and_do_not_share_blocks(IHeapFace face)
    {
        using HeapUnderTest one = new(face), other = new(face);
        Assert.NotEqual(one.Handle, other.Handle);
        byte* block = one.Alloc(64);
        Assert.True(one.Owns(block));
        Assert.False(other.Owns(block));
        one.Free(block);
    }

    [Theory, EveryFace]
    public void Without_an_initial_size_4_MiB_are_committed(IHeapFace face)
    {
        using HeapUnderTest heap = new(face);
        Assert.InRange(heap.Sizes.Committed, (nuint)4 << 20, heap.Sizes.Reserved);
    }

    [Theory, EveryFace]
    public void Without_an_initial_size_a_smaller_maximum_is_committed(IHeapFace face)
    {
        using HeapUnderTest heap = new(face, maximumSize: 256 << 10);
        Assert.Equal((nuint)256 << 10, heap.Sizes.Committed);
    }

    [Theory, EveryFace]
    public void The_initial_size_is_committed(IHeapFace face)
    {
        using HeapUnderTest heap = new(face, initialSize: 1 << 20, maximumSize: 16 << 20);
        Assert.InRange(heap.Sizes.Committed, (nuint)1 << 20, (nuint)2 << 20);
    }

    [Theory, EveryFace]
    public void A_maximum_is_reserved_whole_and_rounded_up_to_pages(IHeapFace face)
    {
        using HeapUnderTest heap = new(face, maximumSize: (1 << 20) + 1);
        nuint rounded = (1 << 20) + (nuint)Environment.SystemPageSize;
        Assert.Equal(rounded, heap.Sizes.Reserved);
        Assert.Equal(rounded, heap.Sizes.MaximumReserve);
    }

    [Theory, Win32Faces]
    public void An_initial_size_above_the_maximum_raises_the_maximum(IWin32Face face)
    {
        using HeapUnderTest heap = new(face, initialSize: 8 << 20, maximumSize: 1 << 20);
        Assert.Equal((nuint)8 << 20, heap.Sizes.Committed);
        Assert.Equal((nuint)8 << 20, heap.Sizes.MaximumReserve);
    }

    [Theory, Win32Faces]
    public void Success_leaves_the_last_error_alone(IWin32Face face)
    {
        face.LastError = 12345;
        using HeapUnderTest heap = new(face);
        Assert.Equal(12345u, face.LastError);
    }

    [Theory, Win32Faces]
    public void A_maximum_beyond_the_address_space_is_refused_with_error_8(IWin32Face face)
    {
        foreach (nuint maximum in (nuint[])[nuint.MaxValue, nuint.MaxValue - 4096, nuint.MaxValue / 2, (nuint)1 << 62])
        {
            face.LastError = 12345;
            Assert.Equal(0, face.HeapCreate(0, 0, maximum));
            Assert.Equal(8u, face.LastError);
        }
    }

    [Theory, Win32Faces]
    public void An_initial_size_beyond_the_address_space_is_refused_with_error_8_even_on_a_raising_heap(IWin32Face face)
    {
        face.LastError = 12345;
        Assert.Equal(0, face.HeapCreate(HeapApi.HEAP_GENERATE_EXCEPTIONS, nuint.MaxValue, 0));
        Assert.Equal(8u, face.LastError);
    }

    [Theory, Win32Faces]
    public void Every_option_bit_is_accepted(IWin32Face face)
    {
        for (int bit = 0; bit < 32; bit++)
        {
            using HeapUnderTest heap = new(face, 1u << bit);
            heap.Free(heap.Alloc(100));
        }
    }

    [Theory, Win32Faces]
    public void Zeroing_asked_for_at_creation_is_ignored(IWin32Face face)
    {
        using HeapUnderTest heap = new(face, HeapApi.HEAP_ZERO_MEMORY);
        byte* block = heap.AllocFilled(256, 0xCC);
        heap.Free(block);
        List<nint> blocks = [];
        bool reused = false;
        for (int count = 0; count < 10_000 && !reused; count++)
        {
            byte* next = heap.Alloc(256);
            blocks.Add((nint)next);
            reused = Memory.FirstOther(next, 0, 256, 0) >= 0;
        }

        Assert.True(reused, "The freed block never came back with its contents, so it was zeroed.");
        blocks.ForEach(address => heap.Free((void*)address));
    }

    [Theory, EveryFace]
    public void Thousands_of_heaps_come_and_go(IHeapFace face)
    {
        for (int round = 0; round < 3; round++)
        {
            nint[] handles = new nint[500];
            for (int index = 0; index < handles.Length; index++)
            {
                handles[index] = face.HeapCreate(0, 0, index % 2 == 0 ? 0 : (nuint)64 << 10);
                Assert.NotEqual(0, handles[index]);
                Assert.True(face.HeapAlloc(handles[index], 0, 1000) != null);
            }

            Assert.Equal(handles.Length, handles.Distinct().Count());
            Assert.All(handles, handle => Assert.True(face.HeapDestroy(handle)));
        }
    }
}
