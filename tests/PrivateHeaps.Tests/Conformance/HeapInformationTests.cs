using PrivateHeaps.Win32;
using static PrivateHeaps.Win32.HEAP_INFORMATION_CLASS;

namespace PrivateHeaps.Tests.Conformance;

public unsafe class HeapInformationTests
{
    private static bool Set(IWin32Face face, nint heap, uint value) => face.HeapSetInformation(heap, HeapCompatibilityInformation, &value, sizeof(uint));

    private static uint Query(IWin32Face face, nint heap)
    {
        uint value = uint.MaxValue;
        Assert.True(face.HeapQueryInformation(heap, HeapCompatibilityInformation, &value, sizeof(uint), null));
        return value;
    }

    [Theory, Win32Faces]
    public void A_query_stores_4_bytes_and_says_so(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        foreach (nuint length in (nuint[])[4, 5, 8])
        {
            ulong buffer = ulong.MaxValue;
            nuint returned = 99;
            face.LastError = 12345;
            Assert.True(face.HeapQueryInformation(heap.Handle, HeapCompatibilityInformation, &buffer, length, &returned));
            Assert.Equal((nuint)4, returned);
            Assert.Equal(uint.MaxValue, (uint)(buffer >> 32));
            Assert.Contains((uint)buffer, (uint[])[0, 2]);
            Assert.Equal(12345u, face.LastError);
        }
    }

    [Theory, Win32Faces]
    public void A_query_with_a_short_buffer_tells_the_length_with_error_122(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        for (nuint length = 0; length < 4; length++)
        {
            nuint returned = 99;
            face.LastError = 12345;
            Assert.False(face.HeapQueryInformation(heap.Handle, HeapCompatibilityInformation, null, length, &returned));
            Assert.Equal(122u, face.LastError);
            Assert.Equal((nuint)4, returned);
        }
    }

    [Theory, Win32Faces]
    public void A_query_of_no_heap_gives_error_998_and_touches_nothing(IWin32Face face)
    {
        foreach (nuint length in (nuint[])[0, 4])
        {
            uint value = 77;
            nuint returned = 99;
            face.LastError = 12345;
            Assert.False(face.HeapQueryInformation(0, HeapCompatibilityInformation, &value, length, &returned));
            Assert.Equal(998u, face.LastError);
            Assert.Equal((nuint)99, returned);
            Assert.Equal(77u, value);
        }
    }

    [Theory, Win32Faces]
    public void A_query_without_a_buffer_gives_error_998(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        face.LastError = 12345;
        Assert.False(face.HeapQueryInformation(heap.Handle, HeapCompatibilityInformation, null, 4, null));
        Assert.Equal(998u, face.LastError);
    }

    [Theory, Win32Faces]
    public void Other_classes_cannot_be_queried(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        foreach (int kind in (int[])[1, 2, 3, 5, 6, 7, 100, -1])
        {
            ulong buffer = 77;
            face.LastError = 12345;
            Assert.False(face.HeapQueryInformation(heap.Handle, (HEAP_INFORMATION_CLASS)kind, &buffer, 8, null));
            Assert.Equal(87u, face.LastError);
            Assert.Equal(77ul, buffer);
        }
    }

    [Theory, Win32Faces]
    public void A_bad_handle_is_refused_with_error_6(IWin32Face face) => BadHandles.ForEach(face, handle =>
    {
        uint value = 2;
        face.LastError = 12345;
        bool queryRefused = !face.HeapQueryInformation(handle, HeapCompatibilityInformation, &value, 4, null) && face.LastError == 6;
        face.LastError = 12345;
        return queryRefused && !face.HeapSetInformation(handle, HeapCompatibilityInformation, &value, 4) && face.LastError == 6;
    });

    [Theory, Win32Faces]
    public void The_low_fragmentation_front_end_is_set_once_and_for_all(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        face.LastError = 12345;
        Assert.True(Set(face, heap.Handle, 2));
        Assert.Equal(2u, Query(face, heap.Handle));
        Assert.True(Set(face, heap.Handle, 2));
        Assert.Equal(12345u, face.LastError);
        foreach (uint other in (uint[])[0, 1, 3])
        {
            face.LastError = 12345;
            Assert.False(Set(face, heap.Handle, other));
            Assert.Equal(31u, face.LastError);
        }

        Assert.Equal(2u, Query(face, heap.Handle));
    }

    [Theory, Win32Faces]
    public void Other_front_ends_are_refused_with_error_31(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        foreach (uint value in (uint[])[1, 3, 100])
        {
            face.LastError = 12345;
            Assert.False(Set(face, heap.Handle, value));
            Assert.Equal(31u, face.LastError);
        }
    }

    [Theory, Win32Faces]
    public void The_front_end_of_heaps_with_a_maximum_or_without_serialization_stays_0(IWin32Face face)
    {
        using HeapUnderTest bounded = new(face, maximumSize: 1 << 20), unserialized = new(face, HeapApi.HEAP_NO_SERIALIZE);
        foreach (nint heap in (nint[])[bounded.Handle, unserialized.Handle])
        {
            for (int count = 0; count < 100; count++)
            {
                face.HeapAlloc(heap, 0, 16);
            }

            Assert.Equal(0u, Query(face, heap));
            Assert.True(Set(face, heap, 0));
            face.LastError = 12345;
            Assert.False(Set(face, heap, 2));
            Assert.Equal(87u, face.LastError);
            Assert.Equal(0u, Query(face, heap));
        }
    }

    [Theory, Win32Faces]
    public void Setting_needs_a_heap_and_a_buffer_of_4_bytes(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        ulong value = 2;
        face.LastError = 12345;
        Assert.False(face.HeapSetInformation(heap.Handle, HeapCompatibilityInformation, &value, 3));
        Assert.Equal(122u, face.LastError);
        Assert.False(face.HeapSetInformation(heap.Handle, HeapCompatibilityInformation, null, 0));
        Assert.Equal(122u, face.LastError);
        Assert.False(face.HeapSetInformation(0, HeapCompatibilityInformation, &value, 4));
        Assert.Equal(6u, face.LastError);
        Assert.False(face.HeapSetInformation(heap.Handle, HeapCompatibilityInformation, null, 4));
        Assert.Equal(998u, face.LastError);
        Assert.True(face.HeapSetInformation(heap.Handle, HeapCompatibilityInformation, &value, 8));
    }

    [Theory, Win32Faces]
    public void The_front_end_of_a_growable_heap_turns_itself_on(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        for (int count = 0; count < 16; count++)
        {
            face.HeapAlloc(heap.Handle, 0, 0);
        }

        Assert.Equal(0u, Query(face, heap.Handle));
        face.HeapAlloc(heap.Handle, 0, 0);
        face.HeapAlloc(heap.Handle, 0, 0);
        Assert.Equal(2u, Query(face, heap.Handle));
        face.LastError = 12345;
        Assert.False(Set(face, heap.Handle, 0));
        Assert.Equal(31u, face.LastError);
    }

    /// <summary>Whatever it finds that an earlier heap in its place has left.</summary>
    [Theory, Win32Faces]
    public void The_front_end_of_each_new_heap_is_off_until_17_calls_have_come(IWin32Face face)
    {
        for (int turn = 0; turn < 5; turn++)
        {
            using HeapUnderTest heap = new(face);
            nint[] blocks = [.. Enumerable.Range(0, 16).Select(_ => (nint)face.HeapAlloc(heap.Handle, 0, 100))];
            Assert.Equal(0u, Query(face, heap.Handle));
            blocks = [.. blocks, .. Enumerable.Range(0, 2).Select(_ => (nint)face.HeapAlloc(heap.Handle, 0, 100))];
            Assert.Equal(2u, Query(face, heap.Handle));
            Assert.All(blocks, block => Assert.True(face.HeapFree(heap.Handle, 0, (void*)block)));
            Assert.Equal(2u, Query(face, heap.Handle));
        }
    }

    [Theory, Win32Faces]
    public void A_buffer_that_is_not_there_is_refused_with_error_998(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        foreach (nint address in (nint[])[0x10, unchecked((nint)0x12345678_9000), unchecked((nint)0xFFFFFFFF_FFFFF000)])
        {
            foreach (HEAP_INFORMATION_CLASS kind in (HEAP_INFORMATION_CLASS[])[HeapCompatibilityInformation, HeapOptimizeResources])
            {
                face.LastError = 12345;
                Assert.False(face.HeapSetInformation(heap.Handle, kind, (void*)address, 8));
                Assert.Equal(998u, face.LastError);
            }
        }
    }

    [Theory, Win32Faces]
    public void Optimizing_gives_free_memory_back(IWin32Face face)
    {
        using HeapUnderTest heap = new(face, initialSize: 64 << 10, maximumSize: 32 << 20);
        byte* kept = heap.AllocFilled(1000, 0x4B);
        List<nint> blocks = [.. Enumerable.Range(0, 20_000).Select(_ => (nint)heap.AllocFilled(1000, 1))];
        blocks.ForEach(block => heap.Free((void*)block));
        nuint before = heap.Sizes.Committed;
        HEAP_OPTIMIZE_RESOURCES_INFORMATION request = new() { Version = HeapApi.HEAP_OPTIMIZE_RESOURCES_CURRENT_VERSION };
        face.LastError = 12345;
        Assert.True(face.HeapSetInformation(heap.Handle, HeapOptimizeResources, &request, (nuint)sizeof(HEAP_OPTIMIZE_RESOURCES_INFORMATION)));
        Assert.Equal(12345u, face.LastError);
        Assert.True(before >= 20_000_000 && heap.Sizes.Committed < before / 4, $"{before} bytes became {heap.Sizes.Committed}.");
        Memory.AssertFilled(kept, 0, 1000, 0x4B);
        byte* again = heap.Alloc(1000, HeapApi.HEAP_ZERO_MEMORY);
        Memory.AssertFilled(again, 0, 1000, 0);
    }

    [Theory, Win32Faces]
    public void Optimizing_checks_its_buffer(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        HEAP_OPTIMIZE_RESOURCES_INFORMATION good = new() { Version = 1 }, wrongVersion = new() { Version = 2 }, wrongFlags = new() { Version = 1, Flags = 1 };
        Assert.True(face.HeapSetInformation(0, HeapOptimizeResources, &good, 8));
        face.LastError = 12345;
        Assert.False(face.HeapSetInformation(heap.Handle, HeapOptimizeResources, &good, 7));
        Assert.Equal(122u, face.LastError);
        Assert.False(face.HeapSetInformation(heap.Handle, HeapOptimizeResources, &wrongVersion, 8));
        Assert.Equal(87u, face.LastError);
        face.LastError = 12345;
        Assert.False(face.HeapSetInformation(heap.Handle, HeapOptimizeResources, &wrongFlags, 8));
        Assert.Equal(87u, face.LastError);
        Assert.False(face.HeapSetInformation(heap.Handle, HeapOptimizeResources, null, 8));
        Assert.Equal(998u, face.LastError);
        BadHandles.ForEach(face, handle =>
        {
            HEAP_OPTIMIZE_RESOURCES_INFORMATION request = new() { Version = 1 };
            face.LastError = 12345;
            return !face.HeapSetInformation(handle, HeapOptimizeResources, &request, 8) && face.LastError == 6;
        });
    }

    [Theory, Win32Faces]
    public void Tags_and_unknown_classes_are_accepted_without_effect(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        ulong value = 0;
        face.LastError = 12345;
        Assert.True(face.HeapSetInformation(heap.Handle, HeapTag, &value, 8));
        Assert.True(face.HeapSetInformation(heap.Handle, (HEAP_INFORMATION_CLASS)100, &value, 8));
        Assert.Equal(12345u, face.LastError);
    }
}
