using PrivateHeaps.Heaps;
using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Heaps;

/// <summary>What is no heap's handle any more, or never was, and yet leads into a thread's table, whose length is a power of two.</summary>
public sealed unsafe class DeadHandleTests
{
    private const int Heaps = 1 << 10;

    [Theory]
    [InlineData(0)]
    [InlineData(HeapApi.HEAP_NO_SERIALIZE)]
    public void No_number_is_a_heap_whatever_was_destroyed_in_each_entry_of_the_table(uint options)
    {
        Exception? failure = null;

        // A thread of its own begins with an empty table.
        Thread thread = new(() =>
        {
            try
            {
                Try(options);
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        });
        thread.Start();
        thread.Join();
        Assert.Null(failure);
    }

    private static void Try(uint options)
    {
        List<nint> heaps = [];
        while (heaps.Count == 0 || (nuint)heaps.Max(heap => (long)HeapRegistry.SlotOf(heap)) < Heaps - 1)
        {
            heaps.Add(HeapApi.HeapCreate(options, 0, 0));
        }

        // Those alone that lie in a table of this length, which this thread has a cache for, or all threads have.
        nint[] used = [.. heaps.Where(heap => HeapRegistry.SlotOf(heap) < Heaps)];
        foreach (nint heap in used)
        {
            nint[] blocks = [.. Enumerable.Range(0, 20).Select(_ => HeapApi.HeapAlloc(heap, 0, 40))];
            Assert.All(blocks, block => Assert.True(HeapApi.HeapFree(heap, 0, block)));
        }

        heaps.ForEach(heap => Assert.True(HeapApi.HeapDestroy(heap)));
        nint[] numbers = [-1, -2, -8, 0, 1, 2, 4, 8, 9, .. used, .. used.Select(heap => ~heap), .. used.Select(heap => ~(nint)(HeapRegistry.SlotOf(heap) << HeapRegistry.SlotShift))];
        foreach (nint number in numbers)
        {
            foreach (nuint bytes in (nuint[])[40, 5000])
            {
                Assert.Equal(0, HeapApi.HeapAlloc(number, 0, bytes));
            }
        }
    }
}
