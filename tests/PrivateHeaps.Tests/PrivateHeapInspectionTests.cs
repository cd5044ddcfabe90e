namespace PrivateHeaps.Tests;

public unsafe class PrivateHeapInspectionTests
{
    [Fact]
    public void The_summary_counts_the_blocks_and_knows_the_largest()
    {
        using PrivateHeap heap = new();
        Assert.Equal((nuint)0, heap.GetSummary().LargestBlockBytes);
        heap.Alloc(100);
        void* larger = heap.Alloc(70_001);
        heap.Alloc(0);
        HeapSummary summary = heap.GetSummary();
        Assert.Equal(((nuint)3, (nuint)70_101, (nuint)70_001), (summary.BlockCount, summary.AllocatedBytes, summary.LargestBlockBytes));
        Assert.True(summary.RegionCount >= 1);
        heap.Free(larger);
        Assert.Equal((nuint)100, heap.GetSummary().LargestBlockBytes);
    }

    [Fact]
    public void A_walk_can_be_queried()
    {
        using PrivateHeap heap = new();
        heap.Alloc(100);
        heap.Alloc(200);
        heap.Alloc(40 << 20);
        Assert.Equal((nuint[])[100, 200, 40 << 20], heap.Walk().Where(entry => entry.Kind == HeapEntryKind.Block).Select(entry => entry.Size).Order());
        Assert.Equal(-1, heap.Walk().Single(entry => entry.Size == 40 << 20 && entry.Kind == HeapEntryKind.Block).RegionIndex);
        HeapEntry region = heap.Walk().First();
        Assert.Equal((HeapEntryKind.Region, 0), (region.Kind, region.RegionIndex));
        Assert.InRange(region.Committed, (nuint)1, region.Size);
    }

    [Fact]
    public void A_walk_starts_again_after_Reset()
    {
        using PrivateHeap heap = new();
        heap.Alloc(100);
        HeapEntries.Enumerator walk = heap.Walk().GetEnumerator();
        Assert.True(walk.MoveNext());
        HeapEntry first = walk.Current;
        while (walk.MoveNext())
        {
        }

        Assert.False(walk.MoveNext());
        walk.Reset();
        Assert.True(walk.MoveNext());
        Assert.Equal(first, walk.Current);
    }

    [Fact]
    public void A_scope_keeps_other_threads_out_until_it_ends_and_may_be_nested()
    {
        using PrivateHeap heap = new();
        using ManualResetEventSlim done = new();
        Thread other = new(() =>
        {
            heap.Alloc(100);
            done.Set();
        });
        using (heap.EnterScope())
        {
            using (heap.EnterScope())
            {
                other.Start();
                Assert.False(done.Wait(100));
            }

            heap.Alloc(50);
            Assert.False(done.Wait(100));
        }

        Assert.True(done.Wait(TimeSpan.FromSeconds(20)));
        other.Join();
    }

    [Fact]
    public void Disposing_a_scope_twice_unlocks_once()
    {
        using PrivateHeap heap = new();
        using ManualResetEventSlim done = new();
        Thread other = new(() =>
        {
            heap.Alloc(100);
            done.Set();
        });
        PrivateHeap.Scope outer = heap.EnterScope();
        PrivateHeap.Scope inner = heap.EnterScope();
        inner.Dispose();
        inner.Dispose();
        other.Start();
        Assert.False(done.Wait(100));
        outer.Dispose();
        Assert.True(done.Wait(TimeSpan.FromSeconds(20)));
        other.Join();
    }

    [Fact]
    public void Compact_gives_free_memory_back_and_keeps_the_blocks()
    {
        using PrivateHeap heap = new(new PrivateHeapOptions { InitialSize = 64 << 10, MaximumSize = 64 << 20 });
        byte* kept = (byte*)heap.Alloc(500);
        Memory.Fill(kept, 500, 0x6E);
        List<nint> blocks = [.. Enumerable.Range(0, 20_000).Select(_ => (nint)heap.AllocZeroed(1000))];
        blocks.ForEach(block => heap.Free((void*)block));
        nuint committed = heap.GetSummary().CommittedBytes;
        nuint returned = heap.Compact();
        Assert.InRange(returned, (nuint)15_000_000, committed);
        Assert.Equal(committed - returned, heap.GetSummary().CommittedBytes);
        Memory.AssertFilled(kept, 0, 500, 0x6E);
        Assert.True(heap.Validate());
    }

    [Fact]
    public void Contains_knows_only_the_starts_of_live_blocks()
    {
        using PrivateHeap heap = new(), other = new();
        byte* block = (byte*)heap.Alloc(100);
        Assert.True(heap.Contains(block));
        Assert.True(heap.Validate(block));
        Assert.False(heap.Contains(block + 1));
        Assert.False(heap.Contains(null));
        Assert.False(other.Contains(block));
        heap.Free(block);
        Assert.False(heap.Contains(block));
        Assert.False(heap.Validate(block));
    }
}
