using PrivateHeaps.Win32;
using static PrivateHeaps.Tests.Conformance.MemoryUnderTest;

namespace PrivateHeaps.Tests.Conformance;

/// <summary>What GlobalReAlloc and LocalReAlloc do with blocks that are there.</summary>
public sealed unsafe class MemoryReAllocTests
{
    [Theory, MemoryFaces]
    public void MODIFY_alone_changes_nothing(IMemoryFace face)
    {
        foreach (uint kind in new[] { 0u, Moveable })
        {
            nint memory = face.MustAlloc(kind, 100);
            nint block = face.Address(memory);
            foreach (nuint bytes in new nuint[] { 0, 50, 100_000 })
            {
                Assert.Equal(memory, face.Expect(Untouched, () => face.ReAlloc(memory, bytes, Modify)));
                Assert.Equal((nuint)100, face.Size(memory));
                Assert.Equal(block, face.Address(memory));
                Assert.Equal(0u, face.Flags(memory));
            }

            face.MustFree(memory);
        }
    }

    [Theory, MemoryFaces]
    public void MODIFY_makes_a_moveable_block_discardable_whatever_its_state(IMemoryFace face)
    {
        foreach (nuint bytes in new nuint[] { 0, 100 })
        {
            nint handle = face.MustAlloc(Moveable, bytes);
            uint before = bytes == 0 ? WinBase.GMEM_DISCARDED : 0;
            Assert.Equal(handle, face.Expect(Untouched, () => face.ReAlloc(handle, 7, Modify | Moveable)));
            Assert.Equal(before, face.Flags(handle));
            Assert.Equal(handle, face.Expect(Untouched, () => face.ReAlloc(handle, 7, Modify | face.Discardable())));
            Assert.Equal(before | face.Discardable(), face.Flags(handle));
            Assert.Equal(handle, face.ReAlloc(handle, 7, Modify));
            Assert.Equal(before | face.Discardable(), face.Flags(handle));
            Assert.Equal(bytes, face.Size(handle));
            face.MustFree(handle);
        }
    }

    [Theory, MemoryFaces]
    public void DISCARDABLE_without_MODIFY_is_refused(IMemoryFace face)
    {
        foreach (uint kind in new[] { 0u, Moveable })
        {
            nint memory = face.AllocFilled(kind, 100, Pattern);
            face.ExpectRefusal(InvalidParameter, () => face.ReAlloc(memory, 200, face.Discardable()));
            face.ExpectRefusal(InvalidParameter, () => face.ReAlloc(memory, 200, Moveable | face.Discardable()));
            face.AssertUnchanged(memory, 100);
            face.MustFree(memory);
        }
    }

    [Theory, MemoryFaces]
    public void A_flag_that_is_not_valid_is_refused(IMemoryFace face)
    {
        uint valid = face.IsLocal ? WinBase.LMEM_VALID_FLAGS : WinBase.GMEM_VALID_FLAGS;
        nint handle = face.MustAlloc(Moveable, 100);
        for (uint flag = 1; flag != 0; flag <<= 1)
        {
            if ((valid & flag) == 0 && flag != Modify)
            {
                face.ExpectRefusal(InvalidParameter, () => face.ReAlloc(handle, 200, Moveable | flag));
            }
        }

        Assert.Equal((nuint)100, face.Size(handle));
        face.MustFree(handle);
    }

    [Theory, MemoryFaces]
    public void MODIFY_with_MOVEABLE_gives_a_fixed_block_a_handle_in_Global_only(IMemoryFace face)
    {
        foreach (uint attribute in new[] { 0u, face.Discardable() })
        {
            foreach (nuint bytes in BlockSizes)
            {
                nint memory = face.AllocFilled(0, bytes, Pattern);
                nint result = face.Expect(Untouched, () => face.ReAlloc(memory, 7, Modify | Moveable | attribute));
                Assert.Equal(face.IsLocal, result == memory);
                Assert.Equal(!face.IsLocal, IsHandle(result));
                Assert.Equal(face.IsLocal, face.IsBlock(memory));
                face.AssertUnchanged(result, bytes);
                Assert.Equal(face.IsLocal ? 0u : attribute, face.Flags(result));
                face.MustFree(result);
            }
        }
    }

    [Theory, MemoryFaces]
    public void A_fixed_block_that_may_not_move_is_resized_in_place_or_refused(IMemoryFace face)
    {
        foreach (nuint bytes in BlockSizes)
        {
            nint memory = face.AllocFilled(0, bytes, Pattern);
            nint wall = face.MustAlloc(0, bytes);
            nuint kept = bytes;
            foreach (nuint wanted in new nuint[] { bytes * 50, bytes + 3, bytes / 2, 0 })
            {
                nuint before = face.Size(memory);
                face.Heaps.LastError = Untouched;
                nint result = face.ReAlloc(memory, wanted, 0);
                Assert.True(result == memory || (result == 0 && face.Heaps.LastError == NotEnoughMemory));
                Assert.True(wanted > before || result != 0, $"A shrink from {before} to {wanted} bytes was refused.");
                kept = Math.Min(kept, wanted);
                face.AssertIs(memory, result == 0 ? before : wanted, kept);
            }

            face.MustFree(wall);
            face.MustFree(memory);
        }
    }

    [Theory, MemoryFaces]
    public void A_fixed_block_moves_when_it_may(IMemoryFace face)
    {
        foreach (nuint bytes in BlockSizes)
        {
            nint memory = face.AllocFilled(0, bytes, Pattern);
            foreach (nuint wanted in new nuint[] { bytes * 10, bytes, 0, bytes })
            {
                nuint kept = Math.Min(face.Size(memory), wanted);
                memory = face.Expect(Untouched, () => face.ReAlloc(memory, wanted, Moveable));
                Assert.False(IsHandle(memory));
                Assert.Equal(wanted, face.Size(memory));
                Memory.AssertFilled((void*)memory, 0, kept, Pattern);
                Memory.Fill((void*)memory, wanted, Pattern);
            }

            face.MustFree(memory);
        }
    }

    [Theory, MemoryFaces]
    public void An_unlocked_block_is_resized_with_any_flags_under_the_same_handle(IMemoryFace face)
    {
        foreach (uint flags in new[] { 0u, Moveable })
        {
            foreach (nuint bytes in BlockSizes)
            {
                nint handle = face.AllocFilled(Moveable, bytes, Pattern);
                foreach (nuint wanted in new[] { bytes * 10, bytes + 1, bytes })
                {
                    nuint kept = Math.Min(face.Size(handle), wanted);
                    Assert.Equal(handle, face.Expect(Untouched, () => face.ReAlloc(handle, wanted, flags)));
                    face.AssertIs(handle, wanted, kept);
                    Memory.Fill((void*)face.Address(handle), wanted, Pattern);
                }

                face.MustFree(handle);
            }
        }
    }

    [Theory, MemoryFaces]
    public void A_locked_block_that_may_not_move_stays_where_it_is(IMemoryFace face)
    {
        foreach (nuint bytes in BlockSizes)
        {
            nint handle = face.AllocFilled(Moveable, bytes, Pattern);
            nint block = face.Lock(handle);
            nint wall = face.MustAlloc(0, bytes);
            foreach (nuint wanted in new[] { bytes * 1000, (bytes / 2) + 1, bytes })
            {
                nuint before = face.Size(handle);
                face.Heaps.LastError = Untouched;
                nint result = face.ReAlloc(handle, wanted, 0);
                Assert.True(result == handle || (result == 0 && face.Heaps.LastError == NotEnoughMemory));
                Assert.True(wanted > before || result != 0, $"A shrink from {before} to {wanted} bytes was refused.");
                Assert.Equal(block, face.Address(handle));
                face.AssertIs(handle, result == 0 ? before : wanted, Math.Min(Math.Min(before, wanted), (bytes / 2) + 1));
            }

            Assert.False(face.Expect(NoError, () => face.Unlock(handle)));
            face.MustFree(wall);
            face.MustFree(handle);
        }
    }

    [Theory, MemoryFaces]
    public void A_locked_block_moves_with_MOVEABLE_if_it_must_and_only_then(IMemoryFace face)
    {
        foreach (nuint bytes in BlockSizes)
        {
            nint handle = face.AllocFilled(Moveable, bytes, Pattern);
            nint block = face.Lock(handle);
            Assert.Equal(handle, face.Expect(Untouched, () => face.ReAlloc(handle, (bytes / 8) + 1, Moveable)));
            Assert.Equal(block, face.Address(handle));
            face.AssertIs(handle, (bytes / 8) + 1, (bytes / 8) + 1);
            nint wall = face.MustAlloc(0, bytes);
            Assert.Equal(handle, face.Expect(Untouched, () => face.ReAlloc(handle, bytes * 100, Moveable)));
            face.AssertIs(handle, bytes * 100, (bytes / 8) + 1);
            Assert.Equal(1u, face.Flags(handle));
            Assert.Equal(handle, face.Handle(face.Address(handle)));
            face.MustFree(wall);
            face.MustFree(handle);
        }
    }

    [Theory, MemoryFaces]
    public void ZEROINIT_clears_what_a_block_gains(IMemoryFace face)
    {
        foreach (uint kind in new[] { 0u, Moveable })
        {
            foreach (nuint bytes in BlockSizes)
            {
                nint memory = face.AllocFilled(kind, bytes * 2, Pattern);
                foreach (nuint wanted in new[] { bytes, bytes * 2, bytes * 20 })
                {
                    nuint old = face.Size(memory);
                    memory = face.Expect(Untouched, () => face.ReAlloc(memory, wanted, Moveable | ZeroInit));
                    Memory.AssertFilled((void*)face.Address(memory), 0, Math.Min(bytes, old), Pattern);
                    Memory.AssertFilled((void*)face.Address(memory), old, wanted, 0);
                }

                face.MustFree(memory);
            }
        }
    }

    [Theory, MemoryFaces]
    public void Without_room_everything_stays_as_it_was(IMemoryFace face)
    {
        foreach (uint kind in new[] { 0u, Moveable })
        {
            foreach (nuint bytes in BlockSizes)
            {
                nint memory = face.AllocFilled(kind, bytes, Pattern);
                foreach (uint flags in new[] { 0u, Moveable, ZeroInit })
                {
                    face.ExpectRefusal(NotEnoughMemory, () => face.ReAlloc(memory, nuint.MaxValue - 8, flags));
                    face.ExpectRefusal(NotEnoughMemory, () => face.ReAlloc(memory, nuint.MaxValue / 4, flags));
                }

                face.AssertUnchanged(memory, bytes);
                face.Lock(memory);
                face.ExpectRefusal(NotEnoughMemory, () => face.ReAlloc(memory, nuint.MaxValue / 4, Moveable));
                face.AssertUnchanged(memory, bytes);
                face.MustFree(memory);
            }
        }
    }
}
