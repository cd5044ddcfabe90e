namespace PrivateHeaps.Tests.Conformance;

public unsafe class HeapCompactTests
{
    [Theory, Win32Faces]
    public void The_largest_free_block_can_be_allocated(IWin32Face face)
    {
        using HeapUnderTest heap = new(face, maximumSize: 256 << 10);
        heap.Alloc(1000);
        face.LastError = 12345;
        nuint largest = face.HeapCompact(heap.Handle, 0);
        Assert.Equal(12345u, face.LastError);
        Assert.InRange(largest, (nuint)128 << 10, (nuint)256 << 10);
        heap.Alloc(largest);
    }

    [Theory, Win32Faces]
    public void Freed_neighbors_become_one_block(IWin32Face face)
    {
        using HeapUnderTest heap = new(face, maximumSize: 1 << 20);
        List<nint> blocks = [];
        for (void* block = heap.TryAlloc(40_000); block != null; block = heap.TryAlloc(40_000))
        {
            blocks.Add((nint)block);
        }

        blocks.ForEach(block => heap.Free((void*)block));
        Assert.InRange(face.HeapCompact(heap.Handle, 0), (nuint)900 << 10, (nuint)1 << 20);
    }

    [Theory, Win32Faces]
    public void A_full_heap_gives_0_with_last_error_0(IWin32Face face)
    {
        using HeapUnderTest heap = new(face, maximumSize: 64 << 10);
        for (nuint bytes = 60_000; bytes > 0; bytes = bytes > 16 ? bytes / 2 : 0)
        {
            while (heap.TryAlloc(bytes) != null)
            {
            }
        }

        for (void* rest = heap.TryAlloc(0); rest != null; rest = heap.TryAlloc(0))
        {
        }

        face.LastError = 12345;
        Assert.Equal((nuint)0, face.HeapCompact(heap.Handle, 0));
        Assert.Equal(0u, face.LastError);
    }

    [Theory, Win32Faces]
    public void A_bad_handle_gives_0_with_last_error_6(IWin32Face face)
    {
        face.LastError = 12345;
        Assert.Equal((nuint)0, face.HeapCompact(0, 0));
        Assert.Equal(6u, face.LastError);
        BadHandles.ForEach(face, handle =>
        {
            face.LastError = 12345;
            return face.HeapCompact(handle, 0) == 0 && face.LastError == 6;
        });
    }

    [Theory, Win32Faces]
    public void Live_blocks_stay_where_they_are(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        List<nint> blocks = [.. Enumerable.Range(0, 1000).Select(_ => (nint)heap.AllocFilled(300, 0x3D))];
        foreach (nint block in blocks.Where((_, index) => index % 5 != 0))
        {
            heap.Free((void*)block);
        }

        face.HeapCompact(heap.Handle, 0);
        Assert.All(blocks.Where((_, index) => index % 5 == 0), block => Memory.AssertFilled((void*)block, 0, 300, 0x3D));
    }
}
