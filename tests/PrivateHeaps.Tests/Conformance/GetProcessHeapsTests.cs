using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Conformance;

public unsafe class GetProcessHeapsTests
{
    private static nint[] List(IWin32Face face)
    {
        nint[] heaps = new nint[face.GetProcessHeaps(0, null)];
        fixed (nint* first = heaps)
        {
            Assert.Equal((uint)heaps.Length, face.GetProcessHeaps((uint)heaps.Length, first));
        }

        return heaps;
    }

    [Theory, Win32Faces]
    public void The_process_heap_is_always_the_same_and_works(IWin32Face face)
    {
        face.LastError = 12345;
        nint heap = face.GetProcessHeap();
        Assert.NotEqual(0, heap);
        Assert.Equal(heap, face.GetProcessHeap());
        void* block = face.HeapAlloc(heap, HeapApi.HEAP_ZERO_MEMORY, 1000);
        Memory.AssertFilled(block, 0, 1000, 0);
        Assert.True(face.HeapFree(heap, 0, block));
        Assert.Equal(12345u, face.LastError);
        Threads.Run(() => Assert.Equal(heap, face.GetProcessHeap()));
    }

    [Theory, Win32Faces]
    public void The_process_heap_comes_first_and_the_newest_last(IWin32Face face)
    {
        nint[] before = List(face);
        using HeapUnderTest one = new(face), two = new(face), three = new(face);
        Assert.Equal([.. before, one.Handle, two.Handle, three.Handle], List(face));
        Assert.Equal(face.GetProcessHeap(), before[0]);
    }

    [Theory, Win32Faces]
    public void A_destroyed_heap_is_not_listed_and_the_order_of_the_others_stays(IWin32Face face)
    {
        nint[] before = List(face);
        using HeapUnderTest one = new(face);
        nint doomed = face.HeapCreate(0, 0, 0);
        using HeapUnderTest three = new(face);
        Assert.True(face.HeapDestroy(doomed));
        using HeapUnderTest four = new(face);
        Assert.Equal([.. before, one.Handle, three.Handle, four.Handle], List(face));
    }

    [Theory, Win32Faces]
    public void A_short_buffer_is_filled_and_not_overrun(IWin32Face face)
    {
        using HeapUnderTest one = new(face), two = new(face), three = new(face);
        nint[] all = List(face);
        for (int capacity = 0; capacity < all.Length; capacity++)
        {
            nint[] some = new nint[all.Length + 1];
            Array.Fill(some, -77);
            face.LastError = 12345;
            fixed (nint* first = some)
            {
                Assert.Equal((uint)all.Length, face.GetProcessHeaps((uint)capacity, first));
            }

            Assert.Equal(12345u, face.LastError);
            Assert.Equal(all[..capacity], some[..capacity]);
            Assert.All(some[capacity..], handle => Assert.Equal(-77, handle));
        }
    }

    [Theory, Win32Faces]
    public void A_long_buffer_keeps_its_rest(IWin32Face face)
    {
        nint[] heaps = new nint[face.GetProcessHeaps(0, null) + 10];
        Array.Fill(heaps, -77);
        fixed (nint* first = heaps)
        {
            uint count = face.GetProcessHeaps((uint)heaps.Length, first);
            Assert.All(heaps[(int)count..], handle => Assert.Equal(-77, handle));
        }
    }
}
