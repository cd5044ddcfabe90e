using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Conformance;

/// <summary>The Rtl layer where it says more than HeapApi; the C program in tests/conformance observes the same functions line by line.</summary>
public sealed unsafe class RtlTests
{
    private const uint Growable = HeapApi.HEAP_GROWABLE;

    [Fact]
    public void A_heap_grows_only_with_the_flag()
    {
        nint growable = Create(Growable, 1 << 20), bounded = Create(0, 1 << 20);
        Assert.True(NtRtl.RtlAllocateHeap(growable, 0, 8 << 20) != null);
        Assert.True(NtRtl.RtlAllocateHeap(bounded, 0, 400 << 10) != null);
        Assert.True(NtRtl.RtlAllocateHeap(bounded, 0, 8 << 20) == null);
        Destroy(growable, bounded);
    }

    [Theory]
    [InlineData(0, 0, 256 << 10, 4 << 10)]
    [InlineData(0, 100 << 10, 128 << 10, 100 << 10)]
    [InlineData(1 << 20, 0, 1 << 20, 4 << 10)]
    [InlineData(1 << 20, 64 << 10, 1 << 20, 64 << 10)]
    [InlineData(64 << 10, 1 << 20, 64 << 10, 64 << 10)]
    public void Sizes_that_are_left_open_follow_the_documented_table(uint reserve, uint commit, uint reserved, uint committed)
    {
        foreach (uint flags in (uint[])[0, Growable])
        {
            nint heap = NtRtl.RtlCreateHeap(flags, null, reserve, commit, null, null);
            RTL_HEAP_WALK_ENTRY entry = default;
            Assert.Equal(0, NtRtl.RtlWalkHeap(heap, &entry));
            Assert.Equal((ushort)2, entry.Flags);
            Assert.Equal((nuint)reserved, entry.DataSize);
            Assert.Equal(committed, entry.Segment.CommittedSize);
            Destroy(heap);
        }
    }

    [Fact]
    public void What_cannot_be_had_is_refused()
    {
        byte lockMemory;
        RTL_HEAP_PARAMETERS parameters = new() { Length = 5 };
        Assert.Equal(0, NtRtl.RtlCreateHeap(Growable, &lockMemory, 0, 0, null, null));
        Assert.Equal(0, NtRtl.RtlCreateHeap(Growable | HeapApi.HEAP_NO_SERIALIZE, null, 0, 0, &lockMemory, null));
        Assert.Equal(0, NtRtl.RtlCreateHeap(Growable, null, 0, 0, null, &parameters));
        Assert.Equal(0, NtRtl.RtlCreateHeap(Growable, null, 0, 0, null, (RTL_HEAP_PARAMETERS*)0x1000));
        Assert.Equal(0, NtRtl.RtlCreateHeap(0, null, nuint.MaxValue, 0, null, null));
        Assert.Equal(96, sizeof(RTL_HEAP_PARAMETERS));
        Assert.Equal(48, sizeof(RTL_HEAP_WALK_ENTRY));
    }

    [Fact]
    public void Flags_of_calls_that_a_heap_is_created_with_hold_for_every_call_of_either_layer()
    {
        foreach (uint more in (uint[])[0, HeapApi.HEAP_NO_SERIALIZE])
        {
            nint heap = NtRtl.RtlCreateHeap(Growable | HeapApi.HEAP_ZERO_MEMORY | HeapApi.HEAP_REALLOC_IN_PLACE_ONLY | more, null, 0, 0, null, null);
            for (int round = 0; round < 100; round++)
            {
                byte* block = (byte*)(round % 2 == 0 ? NtRtl.RtlAllocateHeap(heap, 0, 200) : (void*)HeapApi.HeapAlloc(heap, 0, 200));
                Memory.AssertFilled(block, 0, 200, 0);
                Memory.Fill(block, 200, 0xFF);
                Assert.True(NtRtl.RtlReAllocateHeap(heap, 0, block, 5000) == null);
                Assert.True(HeapApi.HeapReAlloc(heap, 0, block, 100) == block && HeapApi.HeapReAlloc(heap, 0, block, 150) == block);
                Memory.AssertFilled(block, 0, 100, 0xFF);
                Memory.AssertFilled(block, 100, 150, 0);
                Memory.Fill(block, 150, 0xFF);
                Assert.True(HeapApi.HeapFree(heap, 0, block));
            }

            Assert.True(HeapApi.HeapValidate(heap, 0, null));
            Destroy(heap);
        }
    }

    [Fact]
    public void Parameters_fill_in_sizes()
    {
        RTL_HEAP_PARAMETERS parameters = new() { Length = (uint)sizeof(RTL_HEAP_PARAMETERS), InitialReserve = 512 << 10, InitialCommit = 32 << 10 };
        nint heap = NtRtl.RtlCreateHeap(0, null, 0, 0, null, &parameters);
        RTL_HEAP_WALK_ENTRY entry = default;
        Assert.Equal(0, NtRtl.RtlWalkHeap(heap, &entry));
        Assert.Equal(((nuint)512 << 10, 32u << 10), (entry.DataSize, entry.Segment.CommittedSize));
        Destroy(heap);
    }

    [Fact]
    public void Destroying_returns_the_handle_only_when_it_fails()
    {
        nint heap = Create(Growable);
        Assert.Equal(0, NtRtl.RtlDestroyHeap(heap));
        Assert.Equal(heap, NtRtl.RtlDestroyHeap(heap));
        Assert.Equal(0, NtRtl.RtlDestroyHeap(0));
        Assert.Equal(HeapApi.GetProcessHeap(), NtRtl.RtlDestroyHeap(HeapApi.GetProcessHeap()));
    }

    [Fact]
    public void Information_answers_with_statuses()
    {
        nint heap = Create(Growable);
        uint value = 1;
        nuint length = 0;
        Assert.Equal(0, NtRtl.RtlQueryHeapInformation(heap, 0, &value, 4, &length));
        Assert.Equal((0u, (nuint)4), (value, length));
        Assert.Equal(NtRtl.STATUS_BUFFER_TOO_SMALL, NtRtl.RtlQueryHeapInformation(heap, 0, &value, 3, &length));
        Assert.Equal(HeapApi.STATUS_ACCESS_VIOLATION, NtRtl.RtlQueryHeapInformation(0, 0, &value, 4, &length));
        Assert.Equal(NtRtl.STATUS_INVALID_INFO_CLASS, NtRtl.RtlQueryHeapInformation(heap, (HEAP_INFORMATION_CLASS)9, &value, 4, &length));
        value = 1;
        Assert.Equal(NtRtl.STATUS_UNSUCCESSFUL, NtRtl.RtlSetHeapInformation(heap, 0, &value, 4));
        Assert.Equal(NtRtl.STATUS_INVALID_HANDLE, NtRtl.RtlSetHeapInformation(0, 0, &value, 4));
        Assert.Equal(NtRtl.STATUS_BUFFER_TOO_SMALL, NtRtl.RtlSetHeapInformation(heap, 0, &value, 3));
        value = 2;
        Assert.Equal(0, NtRtl.RtlSetHeapInformation(heap, 0, &value, 4));
        Destroy(heap);
    }

    [Fact]
    public void A_walk_shows_blocks_and_ends_with_a_status()
    {
        nint heap = Create(Growable);
        void* small = NtRtl.RtlAllocateHeap(heap, 0, 100), large = NtRtl.RtlAllocateHeap(heap, 0, 3 << 20);
        void* attached = NtRtl.RtlAllocateHeap(heap, NtRtl.HEAP_SETTABLE_USER_VALUE | NtRtl.HEAP_SETTABLE_USER_FLAG2, 70);
        NtRtl.RtlSetUserValueHeap(heap, 0, attached, (void*)1234);
        Dictionary<nint, RTL_HEAP_WALK_ENTRY> busy = [];
        RTL_HEAP_WALK_ENTRY entry = default;
        int status;
        while ((status = NtRtl.RtlWalkHeap(heap, &entry)) == 0)
        {
            if ((entry.Flags & 1) != 0)
            {
                busy.Add(entry.DataAddress, entry);
            }
        }

        Assert.Equal(NtRtl.STATUS_NO_MORE_ENTRIES, status);
        Assert.Equal(3, busy.Count);
        Assert.Equal(((ushort)1, (nuint)100), (busy[(nint)small].Flags, busy[(nint)small].DataSize));
        Assert.Equal(((ushort)0x4001, (nuint)3 << 20), (busy[(nint)large].Flags, busy[(nint)large].DataSize));
        Assert.Equal(((ushort)0x51, (nuint)1234), (busy[(nint)attached].Flags, busy[(nint)attached].Block.Settable));
        Assert.Equal(NtRtl.STATUS_INVALID_PARAMETER, NtRtl.RtlWalkHeap(heap, null));
        Assert.Equal(NtRtl.STATUS_INVALID_HANDLE, NtRtl.RtlWalkHeap(0, &entry));
        Destroy(heap);
    }

    [Fact]
    public void Values_and_flags_stay_with_their_block_wherever_it_goes()
    {
        foreach (nint heap in (nint[])[Create(Growable), Create(0, 4 << 20), Create(0, 64 << 20), Create(Growable | HeapApi.HEAP_NO_SERIALIZE)])
        {
            byte* block = (byte*)NtRtl.RtlAllocateHeap(heap, NtRtl.HEAP_SETTABLE_USER_VALUE | NtRtl.HEAP_SETTABLE_USER_FLAG1, 100);
            Assert.True(NtRtl.RtlSetUserValueHeap(heap, 0, block, (void*)77));
            Memory.Fill(block, 100, 7);
            AssertAttached(heap, block, 77, 0x200);
            block = (byte*)NtRtl.RtlReAllocateHeap(heap, NtRtl.HEAP_SETTABLE_USER_FLAG3, block, 50);
            AssertAttached(heap, block, 77, 0x200);
            foreach (uint bytes in (uint[])[60, 5000, 40_000, 300_000])
            {
                // Something lies behind it, so it must move.
                NtRtl.RtlAllocateHeap(heap, 0, 16);
                block = (byte*)NtRtl.RtlReAllocateHeap(heap, NtRtl.HEAP_SETTABLE_USER_FLAG3, block, bytes);
                AssertAttached(heap, block, 77, 0x800);
                Memory.AssertFilled(block, 0, 50, 7);
                Assert.Equal(bytes, NtRtl.RtlSizeHeap(heap, 0, block));
                Assert.True(HeapApi.HeapValidate(heap, 0, null));
            }

            Assert.True(NtRtl.RtlSetUserFlagsHeap(heap, 0, block, 0x800, 0x600));
            AssertAttached(heap, block, 77, 0x600);
            Assert.True(HeapApi.HeapFree(heap, 0, block));
            Assert.False(NtRtl.RtlGetUserInfoHeap(heap, 0, block, null, null));
            Destroy(heap);
        }
    }

    [Fact]
    public void What_is_attached_goes_with_its_block_however_often_the_thread_has_called_before()
    {
        foreach (nint heap in (nint[])[Create(Growable), Create(0, 1 << 20), Create(0, 64 << 20), Create(HeapApi.HEAP_NO_SERIALIZE, 1 << 20)])
        {
            for (int call = 0; call < 100; call++)
            {
                void* before = NtRtl.RtlAllocateHeap(heap, 0, 100);
                Assert.True(before != null && HeapApi.HeapFree(heap, 0, before));
            }

            for (int round = 0; round < 5; round++)
            {
                void* attached = NtRtl.RtlAllocateHeap(heap, NtRtl.HEAP_SETTABLE_USER_VALUE, 100);
                Assert.True(NtRtl.RtlSetUserValueHeap(heap, 0, attached, (void*)5));
                Assert.True(HeapApi.HeapFree(heap, 0, attached));
                void* next = NtRtl.RtlAllocateHeap(heap, 0, 100);
                Assert.False(NtRtl.RtlSetUserValueHeap(heap, 0, next, (void*)6));
                AssertAttached(heap, next, 0, 0);
                Assert.True(HeapApi.HeapFree(heap, 0, next));
            }

            Destroy(heap);
        }
    }

    [Fact]
    public void A_block_that_was_not_allocated_for_it_takes_nothing()
    {
        nint heap = Create(Growable);
        void* block = NtRtl.RtlAllocateHeap(heap, 0, 100);
        void* value = (void*)1;
        uint flags = 1;
        Assert.True(NtRtl.RtlGetUserInfoHeap(heap, 0, block, &value, &flags));
        Assert.True(value == null && flags == 0);
        System.Runtime.InteropServices.Marshal.SetLastPInvokeError(12345);
        Assert.False(NtRtl.RtlSetUserValueHeap(heap, 0, block, value));
        Assert.Equal(87, System.Runtime.InteropServices.Marshal.GetLastPInvokeError());
        Assert.False(NtRtl.RtlSetUserFlagsHeap(heap, 0, block, 0, 0x200));
        void* attached = NtRtl.RtlAllocateHeap(heap, NtRtl.HEAP_SETTABLE_USER_VALUE, 100);
        Assert.False(NtRtl.RtlSetUserFlagsHeap(heap, 0, attached, 0x1000, 0));
        Assert.False(NtRtl.RtlSetUserFlagsHeap(heap, 0, attached, 0, 0x100));
        Assert.False(NtRtl.RtlSetUserValueHeap(heap, 0, (byte*)attached + 16, value));
        Destroy(heap);
    }

    [Fact]
    public void Thousands_of_blocks_keep_their_own_values()
    {
        nint heap = Create(Growable);
        Random random = new(5);
        Dictionary<nint, nint> values = [];
        for (int step = 0; step < 20_000; step++)
        {
            if (values.Count < 500 || random.Next(2) == 0)
            {
                void* block = NtRtl.RtlAllocateHeap(heap, NtRtl.HEAP_SETTABLE_USER_VALUE, (nuint)random.Next(3000));
                Assert.True(NtRtl.RtlSetUserValueHeap(heap, 0, block, (void*)step));
                values.Add((nint)block, step);
            }
            else
            {
                nint victim = values.Keys.First();
                AssertAttached(heap, (void*)victim, values[victim], 0);
                Assert.True(NtRtl.RtlFreeHeap(heap, 0, (void*)victim));
                values.Remove(victim);
            }
        }

        foreach ((nint block, nint value) in values)
        {
            AssertAttached(heap, (void*)block, value, 0);
        }

        Assert.True(HeapApi.HeapValidate(heap, 0, null));
        Destroy(heap);
    }

    [Fact]
    public void Zeroing_a_heap_leaves_its_blocks_alone_and_nothing_else()
    {
        foreach (nint heap in (nint[])[Create(Growable), Create(0, 4 << 20)])
        {
            List<nint> blocks = [.. Enumerable.Range(1, 300).Select(index => (nint)NtRtl.RtlAllocateHeap(heap, 0, (nuint)(index * 37)))];
            for (int index = 0; index < blocks.Count; index++)
            {
                Memory.Fill((byte*)blocks[index], (nuint)((index + 1) * 37), (byte)(index | 1));
            }

            for (int index = 0; index < blocks.Count; index += 2)
            {
                Assert.True(NtRtl.RtlFreeHeap(heap, 0, (void*)blocks[index]));
            }

            Assert.Equal(0, NtRtl.RtlZeroHeap(heap, 0));
            for (int index = 1; index < blocks.Count; index += 2)
            {
                Memory.AssertFilled((byte*)blocks[index], 0, (nuint)((index + 1) * 37), (byte)(index | 1));
            }

            for (int index = 0; index < blocks.Count; index += 2)
            {
                byte* again = (byte*)NtRtl.RtlAllocateHeap(heap, 0, (nuint)((index + 1) * 37));
                Memory.AssertFilled(again, 0, (nuint)((index + 1) * 37), 0);
            }

            Assert.True(HeapApi.HeapValidate(heap, 0, null));
            Destroy(heap);
        }

        Assert.Equal(NtRtl.STATUS_INVALID_HANDLE, NtRtl.RtlZeroHeap(0, 0));
    }

    [Fact]
    public void Several_blocks_come_and_go_with_one_call()
    {
        nint heap = Create(0, 1 << 20);
        void** blocks = stackalloc void*[2000];
        Assert.Equal(100u, NtRtl.RtlMultipleAllocateHeap(heap, HeapApi.HEAP_ZERO_MEMORY, 48, 100, blocks));
        Assert.Equal(100, new HashSet<nint>(new Span<nint>(blocks, 100).ToArray()).Count);
        void* kept = blocks[50];
        blocks[50] = blocks[49];
        Assert.Equal(50u, NtRtl.RtlMultipleFreeHeap(heap, 0, 100, blocks));
        blocks[50] = kept;
        Assert.Equal(50u, NtRtl.RtlMultipleFreeHeap(heap, 0, 50, blocks + 50));
        uint served = NtRtl.RtlMultipleAllocateHeap(heap, 0, 1000, 2000, blocks);
        Assert.InRange(served, 900u, 1048u);
        Assert.True(blocks[served] == null);
        Assert.Equal(served, NtRtl.RtlMultipleFreeHeap(heap, 0, served, blocks));
        Assert.Equal(0u, NtRtl.RtlMultipleFreeHeap(heap, 0, 10, (void**)0x1000));
        Assert.Throws<OutOfMemoryException>(() => NtRtl.RtlMultipleAllocateHeap(heap, HeapApi.HEAP_GENERATE_EXCEPTIONS, 1000, 2000, Pointers()));
        Destroy(heap);
    }

    private static void** Pointers() => (void**)System.Runtime.InteropServices.NativeMemory.Alloc(2000, (nuint)sizeof(void*));

    private static nint Create(uint flags, nuint reserve = 0)
    {
        nint heap = NtRtl.RtlCreateHeap(flags, null, reserve, 0, null, null);
        Assert.NotEqual(0, heap);
        return heap;
    }

    private static void Destroy(params nint[] heaps) => Assert.All(heaps, heap => Assert.Equal(0, NtRtl.RtlDestroyHeap(heap)));

    private static void AssertAttached(nint heap, void* block, nint value, uint flags)
    {
        void* foundValue;
        uint foundFlags;
        Assert.True(NtRtl.RtlGetUserInfoHeap(heap, 0, block, &foundValue, &foundFlags));
        Assert.Equal((value, flags), ((nint)foundValue, foundFlags));
    }
}
