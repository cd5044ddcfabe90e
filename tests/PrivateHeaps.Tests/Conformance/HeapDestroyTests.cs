using System.Diagnostics;

namespace PrivateHeaps.Tests.Conformance;

public unsafe class HeapDestroyTests
{
    [Theory, EveryFace]
    public void A_heap_is_destroyed_with_its_live_blocks(IHeapFace face)
    {
        nint heap = face.HeapCreate(0, 0, 0);
        foreach (nuint bytes in (nuint[])[0, 16, 5000, 100_000, 3 << 20])
        {
            Assert.True(face.HeapAlloc(heap, 0, bytes) != null);
        }

        Assert.True(face.HeapDestroy(heap));
    }

    [Theory, EveryFace]
    public void The_blocks_of_a_destroyed_heap_belong_to_no_other(IHeapFace face)
    {
        nint doomed = face.HeapCreate(0, 0, 0);
        void* small = face.HeapAlloc(doomed, 0, 100), large = face.HeapAlloc(doomed, 0, 4 << 20);
        using HeapUnderTest heap = new(face);
        Assert.True(face.HeapDestroy(doomed));
        foreach (nint block in (nint[])[(nint)small, (nint)large])
        {
            Assert.False(heap.Owns((void*)block));
            Assert.False(heap.TryFree((void*)block));
        }
    }

    [Theory, Win32Faces]
    public void No_heap_at_all_counts_as_destroyed(IWin32Face face)
    {
        face.LastError = 12345;
        Assert.True(face.HeapDestroy(0));
        Assert.Equal(12345u, face.LastError);
    }

    [Theory, Win32Faces]
    public void Success_leaves_the_last_error_alone(IWin32Face face)
    {
        nint heap = face.HeapCreate(0, 0, 0);
        face.LastError = 12345;
        Assert.True(face.HeapDestroy(heap));
        Assert.Equal(12345u, face.LastError);
    }

    [Theory, Win32Faces]
    public void The_process_heap_is_not_destroyed(IWin32Face face)
    {
        void* block = face.HeapAlloc(face.GetProcessHeap(), 0, 100);
        face.LastError = 12345;
        Assert.False(face.HeapDestroy(face.GetProcessHeap()));
        Assert.Equal(6u, face.LastError);
        Assert.True(face.HeapFree(face.GetProcessHeap(), 0, block));
    }

    [Theory, Win32Faces]
    public void A_handle_of_no_living_heap_is_refused_with_error_6(IWin32Face face) =>
        BadHandles.ForEach(face, handle =>
        {
            face.LastError = 12345;
            return !face.HeapDestroy(handle) && face.LastError == 6;
        });

    [Theory, Win32Faces]
    public void The_owner_of_the_lock_may_destroy_the_heap(IWin32Face face)
    {
        nint heap = face.HeapCreate(0, 0, 0);
        Assert.True(face.HeapLock(heap));
        Assert.True(face.HeapDestroy(heap));
        Assert.False(face.HeapValidate(heap, 0, null));
    }

    [Theory, EveryFace]
    public void A_million_live_blocks_are_destroyed_at_once(IHeapFace face)
    {
        nint heap = face.HeapCreate(0, 0, 0);
        for (int count = 0; count < 1_000_000; count++)
        {
            Assert.True(face.HeapAlloc(heap, 0, 48) != null);
        }

        Assert.Equal((nuint)48_000_000, face.Measure(heap).Allocated);
        Stopwatch clock = Stopwatch.StartNew();
        Assert.True(face.HeapDestroy(heap));

        // Unmapping 60 MB takes a few milliseconds; a visit to each of the blocks would take 30 and more.
        Assert.InRange(clock.Elapsed.TotalMilliseconds, 0, 250);
    }
}
