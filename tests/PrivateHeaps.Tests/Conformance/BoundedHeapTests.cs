using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Conformance;

public unsafe class BoundedHeapTests
{
    private static (nuint Requested, nint Lowest, nint Highest) FillUp(HeapUnderTest heap, int seed)
    {
        Random random = new(seed);
        nuint requested = 0;
        nint lowest = nint.MaxValue, highest = 0;
        while (true)
        {
            nuint bytes = (nuint)random.Next(16, 2001);
            void* block = heap.TryAlloc(bytes);
            if (block == null)
            {
                return (requested, lowest, highest);
            }

            Memory.Fill(block, bytes, (byte)seed);
            requested += bytes;
            lowest = Math.Min(lowest, (nint)block);
            highest = Math.Max(highest, (nint)block + (nint)bytes);
        }
    }

    [Theory, EveryFace]
    public void One_MiB_holds_88_percent_of_random_sizes(IHeapFace face)
    {
        for (int seed = 1; seed <= 20; seed++)
        {
            using HeapUnderTest heap = new(face, maximumSize: 1 << 20);
            nuint requested = FillUp(heap, seed).Requested;
            Assert.True(requested >= (1 << 20) * 0.88, $"Seed {seed}: only {requested / 10485.76:F1} % before the first refusal.");
        }
    }

    [Theory, EveryFace]
    public void A_64_KiB_heap_holds_75_percent_of_random_sizes(IHeapFace face)
    {
        for (int seed = 1; seed <= 50; seed++)
        {
            using HeapUnderTest heap = new(face, maximumSize: 64 << 10);
            nuint requested = FillUp(heap, seed).Requested;
            Assert.True(requested >= (64 << 10) * 0.75, $"Seed {seed}: only {requested / 655.36:F1} % before the first refusal.");
        }
    }

    [Theory, EveryFace]
    public void All_blocks_lie_in_one_range_of_the_maximum(IHeapFace face)
    {
        foreach (nuint maximum in (nuint[])[4096, 8192, 12_288, 64 << 10, 100 << 10, 1 << 20, 10 << 20])
        {
            using HeapUnderTest heap = new(face, maximumSize: maximum);
            (nuint requested, nint lowest, nint highest) = FillUp(heap, 9);
            Assert.NotEqual((nuint)0, requested);
            Entry region = Assert.Single(heap.Contents, entry => entry.Kind == HeapEntryKind.Region);
            Assert.InRange(lowest, region.Address, highest);
            Assert.InRange(highest, lowest, region.Address + (nint)region.Size);
            Assert.InRange(region.Size, maximum, maximum + (nuint)Environment.SystemPageSize - 1);
            Assert.Equal(region.Size, heap.Sizes.Reserved);
            Assert.True(heap.Sizes.Committed <= heap.Sizes.Reserved);
        }
    }

    [Theory, EveryFace]
    public void One_page_is_enough_for_a_heap(IHeapFace face)
    {
        using HeapUnderTest heap = new(face, maximumSize: 1);
        byte* block = heap.AllocFilled(64, 0x31);
        Assert.Equal((nuint)Environment.SystemPageSize, heap.Sizes.Reserved);
        heap.Free(block);
    }

    [Theory, EveryFace]
    public void A_full_heap_serves_again_after_a_free(IHeapFace face)
    {
        using HeapUnderTest heap = new(face, maximumSize: 64 << 10);
        List<nint> blocks = [];
        for (void* block = heap.TryAlloc(1000); block != null; block = heap.TryAlloc(1000))
        {
            blocks.Add((nint)block);
        }

        for (int round = 0; round < 1000; round++)
        {
            int index = round % blocks.Count;
            heap.Free((void*)blocks[index]);
            blocks[index] = (nint)heap.Alloc(1000);
        }

        Assert.True(heap.TryAlloc(1000) == null);
    }

    [Theory, EveryFace]
    public void An_emptied_heap_serves_other_sizes(IHeapFace face)
    {
        using HeapUnderTest heap = new(face, maximumSize: 256 << 10);
        foreach (nuint bytes in (nuint[])[16, 2000, 100, 100_000, 700, 30_000, 16])
        {
            List<nint> blocks = [];
            for (void* block = heap.TryAlloc(bytes); block != null; block = heap.TryAlloc(bytes))
            {
                blocks.Add((nint)block);
            }

            Assert.True((nuint)blocks.Count * bytes >= (nuint)(256 << 10) / 2, $"{blocks.Count} blocks of {bytes} bytes were all.");
            blocks.ForEach(block => heap.Free((void*)block));
        }
    }

    [Theory, Win32Faces]
    public void Single_blocks_must_be_smaller_than_0x7FFF8(IWin32Face face)
    {
        using HeapUnderTest heap = new(face, maximumSize: 16 << 20);
        byte* block = heap.Alloc(0x7FFF7);
        Assert.Equal((nuint)0x7FFF7, heap.SizeOf(block));
        Assert.True(heap.TryAlloc(0x7FFF8) == null);
        Assert.True(heap.TryAlloc(1 << 20) == null);
        block[0] = 99;
        Assert.True(heap.TryReAlloc(block, 0x7FFF8) == null);
        Assert.Equal((nuint)0x7FFF7, heap.SizeOf(block));
        Assert.Equal(99, block[0]);
        heap.Free(block);
    }

    [Theory, EveryFace]
    public void A_large_maximum_costs_only_what_is_used(IHeapFace face)
    {
        using HeapUnderTest heap = new(face, initialSize: 4096, maximumSize: (nuint)4 << 30);
        heap.Free(heap.Alloc(1000));
        Assert.Equal((nuint)4 << 30, heap.Sizes.Reserved);
        Assert.InRange(heap.Sizes.Committed, (nuint)4096, (nuint)1 << 20);
    }

    [Theory, EveryFace]
    public void Heaps_that_are_not_serialized_keep_their_bound_too(IHeapFace face)
    {
        using HeapUnderTest heap = new(face, HeapApi.HEAP_NO_SERIALIZE, maximumSize: 1 << 20);
        (nuint requested, nint lowest, nint highest) = FillUp(heap, 4);
        Assert.True(requested >= (1 << 20) * 0.88);
        Assert.True(highest - lowest <= 1 << 20);
    }
}
