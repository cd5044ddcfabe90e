using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Conformance;

public unsafe class HeapValidateTests
{
    [Theory, EveryFace]
    public void Live_blocks_of_any_size_are_valid(IHeapFace face)
    {
        using HeapUnderTest heap = new(face);
        foreach (nuint bytes in (nuint[])[0, 1, 16, 1000, 5000, 100_000, 4 << 20])
        {
            Assert.True(heap.Owns(heap.Alloc(bytes)));
        }

        Assert.True(heap.IsSound);
    }

    [Theory, EveryFace]
    public void An_address_that_is_no_block_is_invalid(IHeapFace face)
    {
        using BadAddresses addresses = new(face);
        addresses.ForEach(address => !face.HeapValidate(addresses.Heap, 0, (void*)address));
    }

    [Theory, Win32Faces]
    public void The_last_error_is_never_touched(IWin32Face face)
    {
        using BadAddresses addresses = new(face);
        face.LastError = 12345;
        addresses.ForEach(address => !face.HeapValidate(addresses.Heap, 0, (void*)address));
        Assert.False(face.HeapValidate(0, 0, null));
        Assert.True(face.HeapValidate(addresses.Heap, 0, null));
        Assert.Equal(12345u, face.LastError);
    }

    [Theory, Win32Faces]
    public void A_bad_handle_is_invalid(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        byte* block = heap.Alloc(100);
        Assert.False(face.HeapValidate(0, 0, block));
        BadHandles.ForEach(face, handle =>
        {
            face.LastError = 12345;
            return !face.HeapValidate(handle, 0, null) && !face.HeapValidate(handle, 0, block) && face.LastError == 12345;
        });
    }

    [Theory, Win32Faces]
    public void Any_flags_are_accepted(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        byte* block = heap.Alloc(100);
        Assert.True(face.HeapValidate(heap.Handle, uint.MaxValue, null));
        Assert.True(face.HeapValidate(heap.Handle, uint.MaxValue & ~HeapApi.HEAP_NO_SERIALIZE, block));
    }

    [Theory, EveryFace]
    public void An_overrun_of_a_block_harms_no_data_of_the_heap(IHeapFace face)
    {
        using HeapUnderTest heap = new(face);
        byte* victim = heap.Alloc(40);
        byte* neighbor = heap.Alloc(40);
        Memory.Fill(victim, 96, 0xFF);
        Assert.True(heap.IsSound);
        heap.Free(victim);
        heap.Free(neighbor);
        heap.Free(heap.Alloc(40));
    }
}
