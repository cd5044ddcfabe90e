using PrivateHeaps.Win32;
using static PrivateHeaps.Tests.Conformance.MemoryUnderTest;

namespace PrivateHeaps.Tests.Conformance;

public sealed unsafe class MemoryAllocTests
{
    [Theory, MemoryFaces]
    public void A_fixed_block_is_a_block_of_the_process_heap(IMemoryFace face)
    {
        foreach (nuint bytes in BlockSizes)
        {
            nint memory = face.MustAlloc(0, bytes);
            Assert.Equal(0, memory % HeapApi.MEMORY_ALLOCATION_ALIGNMENT);
            Assert.Equal(bytes, face.Heaps.HeapSize(face.Heaps.GetProcessHeap(), 0, (void*)memory));
            Assert.Equal(bytes, face.Expect(Untouched, () => face.Size(memory)));
            Assert.Equal(0u, face.Expect(Untouched, () => face.Flags(memory)));
            Assert.Equal(memory, face.Expect(Untouched, () => face.Lock(memory)));
            Assert.Equal(memory, face.Expect(Untouched, () => face.Handle(memory)));
            face.MustFree(memory);
            Assert.False(face.IsBlock(memory));
        }
    }

    [Theory, MemoryFaces]
    public void A_handle_points_to_the_address_of_its_block(IMemoryFace face)
    {
        foreach (nuint bytes in BlockSizes)
        {
            nint handle = face.MustAlloc(Moveable, bytes);
            nint block = *(nint*)handle;
            Assert.True(IsHandle(handle));
            Assert.False(face.IsBlock(handle));
            Assert.Equal(bytes, face.Heaps.HeapSize(face.Heaps.GetProcessHeap(), 0, (void*)block));
            Assert.Equal(bytes, face.Expect(Untouched, () => face.Size(handle)));
            Assert.Equal(0u, face.Expect(Untouched, () => face.Flags(handle)));
            Assert.Equal(block, face.Expect(Untouched, () => face.Lock(handle)));
            Assert.Equal(handle, face.Expect(Untouched, () => face.Handle(block)));
            Assert.Equal(bytes, face.Size(block));
            face.MustFree(handle);
            Assert.False(face.IsBlock(block));
        }
    }

    [Theory, MemoryFaces]
    public void Zero_bytes_make_a_fixed_block_of_one_byte_or_none_or_a_discarded_handle(IMemoryFace face)
    {
        nint block = face.MustAlloc(0, 0);
        Assert.Equal(face.IsLocal ? 0u : 1u, face.Size(block));
        face.MustFree(block);

        nint handle = face.MustAlloc(Moveable | ZeroInit, 0);
        Assert.Equal(0u, face.Expect(Untouched, () => face.Size(handle)));
        Assert.Equal(WinBase.GMEM_DISCARDED, face.Flags(handle));
        Assert.Equal(0, *(nint*)handle);
        face.ExpectRefusal(IsDiscarded, () => face.Lock(handle));
        Assert.False(face.Expect(NotLocked, () => face.Unlock(handle)));
        face.MustFree(handle);
    }

    [Theory, MemoryFaces]
    public void The_first_word_of_an_entry_shows_attributes_and_lock_count(IMemoryFace face)
    {
        (uint Flags, nuint Bytes, nuint Entry, uint Shown)[] cases =
        [
            (Moveable, 1, 0x3, 0),
            (Moveable, 0, 0xB, WinBase.GMEM_DISCARDED),
            (Moveable | face.Discardable(), 1, 0x7, face.Discardable()),
            (Moveable | face.Discardable(), 0, 0xF, WinBase.GMEM_DISCARDED | face.Discardable()),
        ];
        foreach ((uint flags, nuint bytes, nuint entry, uint shown) in cases)
        {
            nint handle = face.MustAlloc(flags, bytes);
            Assert.Equal(entry, Entry(handle));
            Assert.Equal(shown, face.Flags(handle));
            face.MustFree(handle);
            Assert.Equal(0, *(nint*)handle);
            Assert.True(Entry(handle) != 0 && Entry(handle) % 16 == 0, $"A free entry shows 0x{Entry(handle):X}.");
        }
    }

    [Theory, MemoryFaces]
    public void DDESHARE_is_remembered_for_a_moveable_block(IMemoryFace face)
    {
        if (face.IsLocal)
        {
            face.ExpectRefusal(InvalidParameter, () => face.Alloc(Moveable | DdeShare, 1));
            return;
        }

        nint handle = face.MustAlloc(Moveable | DdeShare | face.Discardable(), 1);
        Assert.Equal((nuint)0x8007, Entry(handle));
        Assert.Equal(DdeShare | face.Discardable(), face.Flags(handle));
        face.MustFree(handle);
    }

    [Theory, MemoryFaces]
    public void Attributes_of_a_fixed_block_are_ignored(IMemoryFace face)
    {
        uint valid = face.IsLocal ? WinBase.LMEM_VALID_FLAGS : WinBase.GMEM_VALID_FLAGS;
        nint block = face.MustAlloc(valid & ~Moveable, 4);
        Assert.Equal(0u, face.Expect(Untouched, () => face.Flags(block)));
        face.MustFree(block);
    }

    [Theory, MemoryFaces]
    public void Every_valid_flag_is_accepted_and_every_other_refused(IMemoryFace face)
    {
        uint valid = face.IsLocal ? WinBase.LMEM_VALID_FLAGS : WinBase.GMEM_VALID_FLAGS;
        foreach (int bit in Enumerable.Range(0, 32))
        {
            uint flag = 1u << bit;
            foreach (uint kind in new[] { 0u, Moveable })
            {
                if ((valid & flag) != 0)
                {
                    face.MustFree(face.MustAlloc(kind | flag, 10));
                }
                else
                {
                    face.ExpectRefusal(InvalidParameter, () => face.Alloc(kind | flag, 10));
                }
            }
        }
    }

    [Theory, MemoryFaces]
    public void Any_bit_of_LMEM_DISCARDABLE_and_only_the_one_of_GMEM_DISCARDABLE_makes_discardable(IMemoryFace face)
    {
        for (uint flag = 0x100; flag <= 0x800; flag <<= 1)
        {
            nint handle = face.MustAlloc(Moveable | flag, 10);
            Assert.Equal(face.IsLocal || flag == 0x100 ? face.Discardable() : 0u, face.Flags(handle));
            face.MustFree(handle);
        }
    }

    [Theory, MemoryFaces]
    public void ZEROINIT_clears_recycled_memory(IMemoryFace face)
    {
        foreach (uint kind in new[] { 0u, Moveable })
        {
            foreach (nuint bytes in BlockSizes)
            {
                face.MustFree(face.AllocFilled(kind, bytes, 0xAA));
                nint memory = face.MustAlloc(kind | ZeroInit, bytes);
                Memory.AssertFilled((void*)face.Address(memory), 0, bytes, 0);
                face.MustFree(memory);
            }
        }
    }

    [Theory, MemoryFaces]
    public void Without_room_the_last_error_is_8_and_no_handle_is_lost(IMemoryFace face)
    {
        foreach (nuint bytes in new[] { nuint.MaxValue, nuint.MaxValue - 16, nuint.MaxValue / 2 })
        {
            face.ExpectRefusal(NotEnoughMemory, () => face.Alloc(0, bytes));
            nint before = face.MustAlloc(Moveable, 1);
            face.MustFree(before);
            face.ExpectRefusal(NotEnoughMemory, () => face.Alloc(Moveable, bytes));
            nint after = face.MustAlloc(Moveable, 1);
            Assert.Equal(before, after);
            face.MustFree(after);
        }
    }

    [Theory, MemoryFaces]
    public void Blocks_of_the_process_heap_are_fixed_blocks(IMemoryFace face)
    {
        nint block = (nint)face.Heaps.HeapAlloc(face.Heaps.GetProcessHeap(), 0, 33);
        Assert.Equal((nuint)33, face.Size(block));
        Assert.Equal(block, face.Expect(Untouched, () => face.Handle(block)));
        face.MustFree(block);
        block = face.MustAlloc(0, 44);
        Assert.True(face.Heaps.HeapFree(face.Heaps.GetProcessHeap(), 0, (void*)block));
    }

    [Theory, MemoryFaces]
    public void Compacting_does_nothing(IMemoryFace face)
    {
        Assert.Equal((nuint)0, face.Expect(Untouched, () => face.Compact(0)));
        Assert.Equal((nuint)0, face.Expect(Untouched, () => face.Compact(uint.MaxValue)));
    }

    [Fact]
    public void Handles_of_one_family_are_those_of_the_other()
    {
        nint handle = WinBase.GlobalAlloc(Moveable | WinBase.GMEM_DISCARDABLE | DdeShare, 10);
        Assert.Equal(WinBase.LMEM_DISCARDABLE | DdeShare, WinBase.LocalFlags(handle));
        Assert.Equal(WinBase.GlobalLock(handle), WinBase.LocalLock(handle));
        Assert.True(WinBase.LocalUnlock(handle));
        Assert.Equal(0, WinBase.LocalFree(handle));
        handle = WinBase.LocalAlloc(Moveable | WinBase.LMEM_DISCARDABLE, 10);
        Assert.Equal(WinBase.GMEM_DISCARDABLE, WinBase.GlobalFlags(handle));
        Assert.Equal(handle, WinBase.GlobalReAlloc(handle, 20, Moveable));
        Assert.Equal(0, WinBase.GlobalFree(handle));
    }

    [Fact]
    public void The_rest_of_the_functions_are_other_names_or_do_nothing()
    {
        nint handle = WinBase.GlobalAlloc(Moveable, 10);
        WinBase.GlobalFix(handle);
        Assert.Equal(WinBase.GlobalLock(handle), WinBase.GlobalWire(handle));
        Assert.Equal(3u, WinBase.GlobalFlags(handle));
        Assert.True(WinBase.GlobalUnWire(handle));
        WinBase.GlobalUnfix(handle);
        Assert.Equal(1u, WinBase.GlobalFlags(handle));
        Assert.Equal((nuint)0, WinBase.LocalShrink(handle, 5));
        Assert.Equal((nuint)10, WinBase.GlobalSize(handle));
        Assert.Equal(0, WinBase.GlobalFree(handle));
    }
}
