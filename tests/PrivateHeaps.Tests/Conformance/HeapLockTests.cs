using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Conformance;

public unsafe class HeapLockTests
{
    private static readonly TimeSpan s_longEnough = TimeSpan.FromSeconds(20);

    private readonly record struct Call(string Name, Action<IWin32Face, nint, nint, nint> Make);

    /// <summary>Every call that must wait, with a live small and a live large block that it may free.</summary>
    private static readonly Call[] s_calls =
    [
        new("HeapAlloc, small", (face, heap, _, _) => Assert.True(face.HeapAlloc(heap, 0, 64) != null)),
        new("HeapAlloc, large", (face, heap, _, _) => Assert.True(face.HeapAlloc(heap, 0, 4 << 20) != null)),
        new("HeapFree, small", (face, heap, small, _) => Assert.True(face.HeapFree(heap, 0, (void*)small))),
        new("HeapFree, large", (face, heap, _, large) => Assert.True(face.HeapFree(heap, 0, (void*)large))),
        new("HeapReAlloc", (face, heap, small, _) => Assert.True(face.HeapReAlloc(heap, 0, (void*)small, 9000) != null)),
        new("HeapSize", (face, heap, small, _) => Assert.Equal((nuint)64, face.HeapSize(heap, 0, (void*)small))),
        new("HeapValidate, block", (face, heap, small, _) => Assert.True(face.HeapValidate(heap, 0, (void*)small))),
        new("HeapValidate, heap", (face, heap, _, _) => Assert.True(face.HeapValidate(heap, 0, null))),
        new("HeapWalk", (face, heap, _, _) => Assert.NotEmpty(face.Contents(heap))),
        new("HeapLock", (face, heap, _, _) => Assert.True(face.HeapLock(heap) && face.HeapUnlock(heap))),
    ];

    [Theory, Win32Faces]
    public void While_a_thread_holds_the_lock_all_others_wait(IWin32Face face)
    {
        foreach (Call call in s_calls)
        {
            using HeapUnderTest heap = new(face);
            nint small = (nint)heap.Alloc(64), large = (nint)heap.Alloc(4 << 20);
            using ManualResetEventSlim warm = new(), go = new(), done = new();
            Threads.Run(
                () =>
                {
                    // The thread has its cache before the lock is taken; that is the path that could slip through.
                    face.HeapFree(heap.Handle, 0, face.HeapAlloc(heap.Handle, 0, 64));
                    warm.Set();
                    go.Wait();
                    call.Make(face, heap.Handle, small, large);
                    done.Set();
                },
                () =>
                {
                    warm.Wait();
                    Assert.True(face.HeapLock(heap.Handle));
                    go.Set();
                    bool slippedThrough = done.Wait(100);
                    Assert.True(face.HeapUnlock(heap.Handle));
                    Assert.False(slippedThrough, $"{call.Name} did not wait for the lock.");
                    Assert.True(done.Wait(s_longEnough), $"{call.Name} did not go on after the lock.");
                });
        }
    }

    [Theory, Win32Faces]
    public void A_call_that_is_not_serialized_does_not_wait(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        nint small = (nint)heap.Alloc(64);
        using ManualResetEventSlim done = new();
        Assert.True(face.HeapLock(heap.Handle));
        Thread other = new(() =>
        {
            const uint Flags = HeapApi.HEAP_NO_SERIALIZE;
            void* block = face.HeapAlloc(heap.Handle, Flags, 100);
            block = face.HeapReAlloc(heap.Handle, Flags, block, 10_000);
            if (face.HeapSize(heap.Handle, Flags, block) == 10_000 &&
                face.HeapFree(heap.Handle, Flags, block) &&
                face.HeapValidate(heap.Handle, Flags, (void*)small) &&
                face.HeapValidate(heap.Handle, Flags, null) &&
                face.HeapCompact(heap.Handle, Flags) > 0 &&
                face.HeapFree(heap.Handle, 0, null))
            {
                done.Set();
            }
        });
        other.Start();
        bool passed = done.Wait(s_longEnough);
        Assert.True(face.HeapUnlock(heap.Handle));
        other.Join();
        Assert.True(passed);
    }

    [Theory, Win32Faces]
    public void The_owner_works_on_and_locks_again(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        using ManualResetEventSlim done = new();
        for (int depth = 0; depth < 5; depth++)
        {
            Assert.True(face.HeapLock(heap.Handle));
            heap.ReAlloc(heap.Alloc(100), 5000);
            Assert.Equal(depth + 1, heap.Blocks.Count);
        }

        Thread other = new(() =>
        {
            face.HeapAlloc(heap.Handle, 0, 16);
            done.Set();
        });
        other.Start();
        for (int depth = 0; depth < 5; depth++)
        {
            Assert.False(done.Wait(20), "The lock was given free before its last HeapUnlock.");
            Assert.True(face.HeapUnlock(heap.Handle));
        }

        Assert.True(done.Wait(s_longEnough));
        other.Join();
    }

    [Theory, Win32Faces]
    public void Only_one_thread_at_a_time_holds_the_lock(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        int inside = 0, most = 0;
        Action enter = () =>
        {
            for (int count = 0; count < 2000; count++)
            {
                Assert.True(face.HeapLock(heap.Handle));
                most = Math.Max(most, Interlocked.Increment(ref inside));
                void* block = face.HeapAlloc(heap.Handle, 0, 64);
                Interlocked.Decrement(ref inside);
                Assert.True(face.HeapUnlock(heap.Handle));
                Assert.True(face.HeapFree(heap.Handle, 0, block));
            }
        };
        Threads.Run(enter, enter, enter, enter);
        Assert.Equal(1, most);
    }

    [Theory, Win32Faces]
    public void Another_heap_is_not_locked(IWin32Face face)
    {
        using HeapUnderTest heap = new(face), other = new(face);
        Assert.True(face.HeapLock(heap.Handle));
        Threads.Run(() => other.Free(other.Alloc(100)));
        Assert.True(face.HeapUnlock(heap.Handle));
    }

    [Theory, Win32Faces]
    public void A_heap_that_is_not_serialized_locks_nobody_out(IWin32Face face)
    {
        using HeapUnderTest heap = new(face, HeapApi.HEAP_NO_SERIALIZE);
        Assert.True(face.HeapLock(heap.Handle));
        Threads.Run(() => heap.Free(heap.Alloc(100)));
        Assert.True(face.HeapUnlock(heap.Handle));
        Assert.True(face.HeapUnlock(heap.Handle));
    }

    [Theory, Win32Faces]
    public void Unlocking_what_one_does_not_hold_does_nothing(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        using ManualResetEventSlim done = new();
        face.LastError = 12345;
        Assert.True(face.HeapUnlock(heap.Handle));
        Assert.Equal(12345u, face.LastError);
        Assert.True(face.HeapLock(heap.Handle));
        Threads.Run(() => Assert.True(face.HeapUnlock(heap.Handle)));
        Thread other = new(() =>
        {
            face.HeapAlloc(heap.Handle, 0, 16);
            done.Set();
        });
        other.Start();
        Assert.False(done.Wait(100), "A thread unlocked what another holds.");
        Assert.True(face.HeapUnlock(heap.Handle));
        other.Join();
    }

    [Theory, Win32Faces]
    public void A_bad_handle_is_refused(IWin32Face face)
    {
        face.LastError = 12345;
        Assert.False(face.HeapLock(0));
        Assert.False(face.HeapUnlock(0));
        Assert.Equal(12345u, face.LastError);
        BadHandles.ForEach(face, handle =>
        {
            face.LastError = 12345;
            bool lockRefused = !face.HeapLock(handle) && face.LastError == 6;
            face.LastError = 12345;
            return lockRefused && !face.HeapUnlock(handle) && face.LastError == 6;
        });
    }
}
