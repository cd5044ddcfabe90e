using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Conformance;

public unsafe class HeapSummaryTests
{
    [Theory, EveryFace]
    public void The_allocated_bytes_are_those_that_were_asked_for(IHeapFace face)
    {
        using HeapUnderTest heap = new(face);
        byte* small = heap.Alloc(100), medium = heap.Alloc(9001), large = heap.Alloc((5 << 20) + 1);
        Assert.Equal((nuint)(100 + 9001 + (5 << 20) + 1), heap.Sizes.Allocated);
        small = heap.ReAlloc(small, 33);
        Assert.Equal((nuint)(33 + 9001 + (5 << 20) + 1), heap.Sizes.Allocated);
        heap.Free(large);
        Assert.Equal((nuint)(33 + 9001), heap.Sizes.Allocated);
        heap.Free(medium);
        heap.Free(small);
        Assert.Equal((nuint)0, heap.Sizes.Allocated);
    }

    [Theory, EveryFace]
    public void Allocated_committed_reserved_and_maximum_are_in_this_order(IHeapFace face)
    {
        foreach (nuint maximum in (nuint[])[0, 64 << 10, 4 << 20])
        {
            using HeapUnderTest heap = new(face, maximumSize: maximum);
            Random random = new(5);
            for (int count = 0; count < 500; count++)
            {
                heap.TryAlloc((nuint)random.Next(count % 50 == 0 ? 400_000 : 3000));
                Sizes sizes = heap.Sizes;
                Assert.True(sizes.Allocated <= sizes.Committed && sizes.Committed <= sizes.Reserved && sizes.Reserved <= sizes.MaximumReserve, $"{sizes}");
            }

            if (maximum != 0)
            {
                Assert.Equal(maximum, heap.Sizes.MaximumReserve);
            }
        }
    }

    [Theory, EveryFace]
    public void Committed_memory_stays_committed_until_the_heap_is_destroyed(IHeapFace face)
    {
        using HeapUnderTest heap = new(face, initialSize: 64 << 10, maximumSize: 16 << 20);
        List<nint> blocks = [.. Enumerable.Range(0, 10_000).Select(_ => (nint)heap.Alloc(1000))];
        nuint committed = heap.Sizes.Committed;
        Assert.True(committed >= 10_000_000);
        blocks.ForEach(block => heap.Free((void*)block));
        Assert.Equal(committed, heap.Sizes.Committed);
    }

    [Theory, Win32Faces]
    public void Wrong_flags_sizes_and_pointers_are_refused_with_error_87(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        uint size = (uint)sizeof(HEAP_SUMMARY);
        foreach ((uint cb, uint flags) in ((uint, uint)[])[(size, 1), (0, 0), (size - 1, 0), (size + 1, 0)])
        {
            HEAP_SUMMARY summary = default;
            summary.cb = cb;
            face.LastError = 12345;
            Assert.False(face.HeapSummary(heap.Handle, flags, &summary));
            Assert.Equal(87u, face.LastError);
            Assert.Equal((nuint)0, summary.cbReserved);
        }

        face.LastError = 12345;
        Assert.False(face.HeapSummary(heap.Handle, 0, null));
        Assert.Equal(87u, face.LastError);
    }

    [Theory, Win32Faces]
    public void A_bad_handle_is_refused_with_error_6(IWin32Face face)
    {
        bool Refused(nint handle)
        {
            HEAP_SUMMARY summary = default;
            summary.cb = (uint)sizeof(HEAP_SUMMARY);
            face.LastError = 12345;
            return !face.HeapSummary(handle, 0, &summary) && face.LastError == 6;
        }

        Assert.True(Refused(0));
        BadHandles.ForEach(face, Refused);
    }

    [Theory, Win32Faces]
    public void Success_leaves_the_last_error_and_cb_alone(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        HEAP_SUMMARY summary = default;
        summary.cb = (uint)sizeof(HEAP_SUMMARY);
        face.LastError = 12345;
        Assert.True(face.HeapSummary(heap.Handle, 0, &summary));
        Assert.Equal(12345u, face.LastError);
        Assert.Equal((uint)sizeof(HEAP_SUMMARY), summary.cb);
    }
}
