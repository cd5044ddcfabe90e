using PrivateHeaps.Heaps;
using Threads = PrivateHeaps.Tests.Threads;

namespace PrivateHeaps.Tests.Heaps;

/// <summary>What lies in magazines is neither lost nor handed out twice, whatever is done with the heap meanwhile.</summary>
public sealed unsafe class MagazineTests
{
    public static TheoryData<bool, uint> Kinds => new() { { false, 0 }, { false, 1 << 20 }, { false, 64 << 20 }, { true, 0 }, { true, 1 << 20 } };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void After_Clear_no_block_is_handed_out_twice(bool noSerialize, uint maximum)
    {
        using PrivateHeap heap = new(new PrivateHeapOptions { NoSerialize = noSerialize, MaximumSize = maximum });
        for (int round = 0; round < 5; round++)
        {
            FillMagazines(heap);
            heap.Clear();
            Assert.True(heap.Validate());
            Assert.Equal((nuint)0, heap.GetSummary().BlockCount);
            AssertDistinct(heap, 2000);
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Blocks_in_magazines_are_free_to_every_question(bool noSerialize, uint maximum)
    {
        using PrivateHeap heap = new(new PrivateHeapOptions { NoSerialize = noSerialize, MaximumSize = maximum });
        List<nint> freed = FillMagazines(heap);
        Assert.All(freed, block => Assert.False(heap.Contains((void*)block)));
        Assert.True(heap.Validate());
        Assert.Equal((nuint)0, heap.GetSummary().BlockCount);
        Assert.DoesNotContain(heap.Walk(), entry => entry.Kind == HeapEntryKind.Block);
        Assert.All(freed, block => Assert.Throws<ArgumentException>(() => heap.Free((void*)block)));
        AssertDistinct(heap, 2000);
    }

    [Fact]
    public void A_full_heap_takes_back_what_other_threads_hold_in_magazines()
    {
        using PrivateHeap heap = new(new PrivateHeapOptions { MaximumSize = 64 << 10 });
        using ManualResetEventSlim filled = new(), done = new();
        Thread holder = new(() =>
        {
            FillMagazines(heap, 16);
            filled.Set();
            done.Wait();
        });
        holder.Start();
        filled.Wait();
        nuint requested = 0;
        while (heap.TryAlloc(1000, out _))
        {
            requested += 1000;
        }

        done.Set();
        holder.Join();
        Assert.True(requested >= 60_000, $"Only {requested} of 65,536 bytes could be had.");
        Assert.True(heap.Validate());
    }

    [Fact]
    public void A_heap_has_at_once_the_cache_that_the_one_before_it_has_left()
    {
        int found = 0;
        for (int turn = 0; turn < 100; turn++)
        {
            using PrivateHeap heap = new();
            ThreadCache* cache = Heap.CacheOf(CurrentThread.State, heap.Handle);
            found += cache != null && cache->Handle == heap.Handle && ThreadCache.IsOpenFor(cache, 0) ? 1 : 0;
            FillMagazines(heap, 20);
            Assert.True(heap.Validate());
            AssertDistinct(heap, 200);
        }

        // Another test may have taken the place in between.
        Assert.True(found > 50, $"Only {found} of 100 heaps had a cache.");
    }

    [Fact]
    public void Where_heaps_follow_one_another_a_thread_has_a_cache_after_two_calls()
    {
        int without = 0, with = 0;
        for (int turn = 0; turn < 20; turn++)
        {
            Threads.Run(() =>
            {
                new PrivateHeap().Dispose();
                using PrivateHeap heap = new();
                heap.Alloc(64);
                heap.Alloc(64);
                without += Heap.CacheOf(CurrentThread.State, heap.Handle) == null ? 1 : 0;
                heap.Alloc(64);
                with += Heap.CacheOf(CurrentThread.State, heap.Handle) != null ? 1 : 0;
            });
        }

        Assert.True(without == 20 && with > 10, $"{without} had none after two calls, {with} one after three.");
    }

    private static List<nint> FillMagazines(PrivateHeap heap, int count = 100)
    {
        List<nint> blocks = [];
        foreach (nuint bytes in new nuint[] { 0, 16, 100, 500, 1000 })
        {
            for (int index = 0; index < count; index++)
            {
                blocks.Add((nint)heap.Alloc(bytes));
            }
        }

        blocks.ForEach(block => heap.Free((void*)block));
        return blocks;
    }

    private static void AssertDistinct(PrivateHeap heap, int count)
    {
        HashSet<nint> seen = [];
        for (int index = 0; index < count; index++)
        {
            Assert.True(seen.Add((nint)heap.Alloc(100)));
        }

        Assert.True(heap.Validate());
        Assert.Equal((nuint)count, heap.GetSummary().BlockCount);
    }
}
