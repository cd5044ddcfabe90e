using PrivateHeaps.Win32;
using static PrivateHeaps.Tests.Conformance.MemoryUnderTest;

namespace PrivateHeaps.Tests.Conformance;

public sealed unsafe class MemoryLockTests
{
    [Theory, MemoryFaces]
    public void Locks_are_counted_and_the_last_unlock_says_that_it_was_the_last(IMemoryFace face)
    {
        nint handle = face.MustAlloc(Moveable, 256);
        nint block = face.Expect(Untouched, () => face.Lock(handle));
        Assert.Equal(1u, face.Flags(handle));
        Assert.Equal(block, face.Expect(Untouched, () => face.Lock(handle)));
        Assert.Equal(2u, face.Flags(handle));
        Assert.True(face.Expect(Untouched, () => face.Unlock(handle)));
        Assert.Equal(1u, face.Flags(handle));
        Assert.False(face.Expect(NoError, () => face.Unlock(handle)));
        Assert.Equal(0u, face.Flags(handle));
        Assert.False(face.Expect(NotLocked, () => face.Unlock(handle)));
        Assert.Equal(0u, face.Flags(handle));
        face.MustFree(handle);
    }

    [Theory, MemoryFaces]
    public void The_lock_count_stops_at_255(IMemoryFace face)
    {
        nint handle = face.MustAlloc(Moveable, 10);
        for (uint count = 1; count <= 300; count++)
        {
            Assert.Equal(*(nint*)handle, face.Expect(Untouched, () => face.Lock(handle)));
            uint shown = Math.Min(count, 255);
            Assert.Equal(shown, face.Flags(handle));
            Assert.Equal((shown << 16) | 3, Entry(handle));
        }

        for (int count = 1; count < 255; count++)
        {
            Assert.True(face.Expect(Untouched, () => face.Unlock(handle)));
        }

        Assert.False(face.Expect(NoError, () => face.Unlock(handle)));
        Assert.Equal((nuint)3, Entry(handle));
        face.MustFree(handle);
    }

    [Theory, MemoryFaces]
    public void A_fixed_block_has_no_lock_count(IMemoryFace face)
    {
        nint block = face.MustAlloc(0, 100);
        Assert.Equal(block, face.Expect(Untouched, () => face.Lock(block)));
        Assert.Equal(0u, face.Flags(block));
        for (int count = 0; count < 2; count++)
        {
            Assert.Equal(!face.IsLocal, face.Expect(face.IsLocal ? NotLocked : Untouched, () => face.Unlock(block)));
        }

        face.MustFree(block);
    }

    [Theory, MemoryFaces]
    public void A_locked_block_is_freed_all_the_same(IMemoryFace face)
    {
        nint handle = face.MustAlloc(Moveable, 100);
        nint block = face.Lock(handle);
        face.MustFree(handle);
        Assert.False(face.IsBlock(block));
        nint next = face.MustAlloc(Moveable, 100);
        Assert.Equal(0u, face.Flags(next));
        face.MustFree(next);
    }

    [Theory, MemoryFaces]
    public void A_lock_count_of_eight_threads_is_exact(IMemoryFace face)
    {
        nint handle = face.MustAlloc(Moveable, 100);
        nint block = face.Lock(handle);
        int last = 0;
        Threads.Run([.. Enumerable.Repeat(
            () =>
            {
                for (int round = 0; round < 2000; round++)
                {
                    int depth = 1 + (round % 30);
                    for (int count = 0; count < depth; count++)
                    {
                        Assert.Equal(block, face.Lock(handle));
                    }

                    for (int count = 0; count < depth; count++)
                    {
                        // 8 threads of at most 30 locks each stay below 255, and the lock from before is never undone.
                        Assert.True(face.Unlock(handle));
                    }
                }
            }, 8)]);
        Assert.Equal(1u, face.Flags(handle));
        Threads.Run([.. Enumerable.Repeat(() => Assert.Equal(block, face.Lock(handle)), 8)]);
        Threads.Run([.. Enumerable.Repeat(
            () =>
            {
                if (!face.Unlock(handle))
                {
                    Interlocked.Increment(ref last);
                }
            }, 9)]);
        Assert.Equal(1, last);
        Assert.Equal(0u, face.Flags(handle));
        face.MustFree(handle);
    }
}
