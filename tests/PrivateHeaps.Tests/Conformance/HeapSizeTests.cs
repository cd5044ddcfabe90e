using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Conformance;

public unsafe class HeapSizeTests
{
    [Theory, EveryFace]
    public void An_address_that_is_no_block_has_no_size(IHeapFace face)
    {
        using BadAddresses addresses = new(face);
        addresses.ForEach(address => face.HeapSize(addresses.Heap, 0, (void*)address) == nuint.MaxValue);
        Assert.Equal(nuint.MaxValue, face.HeapSize(addresses.Heap, 0, null));
    }

    [Theory, Win32Faces]
    public void A_refusal_leaves_the_last_error_alone_and_is_not_raised(IWin32Face face)
    {
        using BadAddresses addresses = new(face, HeapApi.HEAP_GENERATE_EXCEPTIONS);
        face.LastError = 12345;
        addresses.ForEach(address => face.HeapSize(addresses.Heap, HeapApi.HEAP_GENERATE_EXCEPTIONS, (void*)address) == nuint.MaxValue);
        Assert.Equal(nuint.MaxValue, face.HeapSize(addresses.Heap, 0, null));
        Assert.Equal(12345u, face.LastError);
    }

    [Theory, Win32Faces]
    public void A_bad_handle_is_refused_without_touching_the_last_error(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        byte* block = heap.Alloc(100);
        face.LastError = 12345;
        Assert.Equal(nuint.MaxValue, face.HeapSize(0, 0, block));
        BadHandles.ForEach(face, handle =>
        {
            face.LastError = 12345;
            return face.HeapSize(handle, 0, block) == nuint.MaxValue && face.LastError == 12345;
        });
    }

    [Theory, EveryFace]
    public void The_size_is_exact_after_every_resize(IHeapFace face)
    {
        using HeapUnderTest heap = new(face);
        byte* block = heap.Alloc(0);
        Random random = new(11);
        for (int count = 0; count < 3000; count++)
        {
            nuint bytes = (nuint)(count % 30 == 0 ? random.Next(5_000_000) : random.Next(6000));
            block = heap.ReAlloc(block, bytes);
            Assert.Equal(bytes, heap.SizeOf(block));
        }

        heap.Free(block);
    }
}
