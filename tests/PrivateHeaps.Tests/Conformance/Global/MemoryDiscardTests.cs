using PrivateHeaps.Win32;
using static PrivateHeaps.Tests.Conformance.MemoryUnderTest;

namespace PrivateHeaps.Tests.Conformance;

/// <summary>Blocks that are discarded and come back under the same handle.</summary>
public sealed unsafe class MemoryDiscardTests
{
    [Theory, MemoryFaces]
    public void A_locked_block_cannot_be_discarded(IMemoryFace face)
    {
        nint handle = face.AllocFilled(Moveable, 100, Pattern);
        face.Lock(handle);
        face.ExpectRefusal(Untouched, () => face.ReAlloc(handle, 0, 0));
        face.ExpectRefusal(Untouched, () => face.ReAlloc(handle, 0, Moveable));
        Assert.Equal(1u, face.Flags(handle));
        face.AssertUnchanged(handle, 100);
        face.MustFree(handle);
    }

    [Theory, MemoryFaces]
    public void A_block_is_discarded_with_MOVEABLE_only_and_comes_back_with_any_size(IMemoryFace face)
    {
        nint handle = face.AllocFilled(Moveable | face.Discardable(), 100, Pattern);
        face.ExpectRefusal(InvalidParameter, () => face.ReAlloc(handle, 0, 0));
        face.AssertUnchanged(handle, 100);
        foreach (uint flags in new[] { 0u, Moveable, ZeroInit, Moveable | ZeroInit })
        {
            nint block = face.Address(handle);
            Assert.Equal(handle, face.Expect(Untouched, () => face.ReAlloc(handle, 0, Moveable)));
            Assert.False(face.IsBlock(block));
            AssertDiscarded(face, handle);

            // A discarded handle is discarded again with the same conditions.
            Assert.Equal(handle, face.Expect(Untouched, () => face.ReAlloc(handle, 0, Moveable)));
            face.ExpectRefusal(InvalidParameter, () => face.ReAlloc(handle, 0, 0));
            AssertDiscarded(face, handle);

            Assert.Equal(handle, face.Expect(Untouched, () => face.ReAlloc(handle, 100, flags)));
            Assert.Equal(face.Discardable(), face.Flags(handle));
            Assert.Equal((nuint)100, face.Size(handle));
            if ((flags & ZeroInit) != 0)
            {
                Memory.AssertFilled((void*)face.Address(handle), 0, 100, 0);
            }

            Memory.Fill((void*)face.Address(handle), 100, Pattern);
        }

        face.MustFree(handle);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void GlobalDiscard_and_LocalDiscard_discard(bool isLocal)
    {
        WinBaseFace face = new(isLocal);
        nint handle = face.MustAlloc(Moveable, 10);
        Assert.Equal(handle, isLocal ? WinBase.LocalDiscard(handle) : WinBase.GlobalDiscard(handle));
        AssertDiscarded(face, handle, attributes: 0);
        face.MustFree(handle);
    }

    [Theory, MemoryFaces]
    public void Without_room_a_discarded_handle_stays_one(IMemoryFace face)
    {
        nint discarded = face.MustAlloc(Moveable, 0);
        face.ExpectRefusal(NotEnoughMemory, () => face.ReAlloc(discarded, nuint.MaxValue / 4, Moveable));
        AssertDiscarded(face, discarded, attributes: 0);
        face.MustFree(discarded);
    }

    private static void AssertDiscarded(IMemoryFace face, nint handle) => AssertDiscarded(face, handle, face.Discardable());

    private static void AssertDiscarded(IMemoryFace face, nint handle, uint attributes)
    {
        Assert.Equal(WinBase.GMEM_DISCARDED | attributes, face.Flags(handle));
        Assert.Equal((nuint)0, face.Expect(Untouched, () => face.Size(handle)));
        Assert.Equal(0, *(nint*)handle);
        face.ExpectRefusal(IsDiscarded, () => face.Lock(handle));
        Assert.False(face.Expect(NotLocked, () => face.Unlock(handle)));
    }
}
