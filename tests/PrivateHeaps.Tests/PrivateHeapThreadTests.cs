namespace PrivateHeaps.Tests;

public unsafe class PrivateHeapThreadTests
{
    [Fact]
    public void What_an_ended_thread_held_does_not_make_the_finalizers_wait_for_a_locked_heap()
    {
        using PrivateHeap heap = new();
        Threads.Run(() =>
        {
            for (int count = 0; count < 1000; count++)
            {
                heap.Free(heap.Alloc(64));
            }
        });
        using PrivateHeap.Scope scope = heap.EnterScope();
        using ManualResetEventSlim done = new();
        Thread collector = new(() =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            done.Set();
        });
        collector.Start();
        bool finished = done.Wait(TimeSpan.FromSeconds(10));
        scope.Dispose();
        collector.Join();
        Assert.True(finished);
    }

    [Fact]
    public void A_thread_begins_to_use_heaps_while_another_holds_a_heap_that_an_ended_thread_used()
    {
        using PrivateHeap locked = new(), other = new();
        Threads.Run(() =>
        {
            for (int count = 0; count < 1000; count++)
            {
                locked.Free(locked.Alloc(64));
            }
        });
        using PrivateHeap.Scope scope = locked.EnterScope();
        using ManualResetEventSlim done = new();
        Thread newcomer = new(() =>
        {
            other.Free(other.Alloc(64));
            done.Set();
        });
        newcomer.Start();
        bool finished = done.Wait(TimeSpan.FromSeconds(10));
        scope.Dispose();
        newcomer.Join();
        Assert.True(finished);
    }

    [Fact]
    public void The_blocks_of_an_ended_thread_live_on()
    {
        using PrivateHeap heap = new();
        nint block = 0;
        Threads.Run(() =>
        {
            block = (nint)heap.Alloc(1000);
            Memory.Fill((void*)block, 1000, 0x61);
        });
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.Equal((nuint)1000, heap.GetSize((void*)block));
        Memory.AssertFilled((void*)block, 0, 1000, 0x61);
        heap.Free((void*)block);
    }

    [Fact]
    public void Threads_that_come_to_a_heap_as_it_is_destroyed_end_and_leave_no_cache_behind()
    {
        for (int round = 0; round < 300; round++)
        {
            PrivateHeap heap = new();
            using Barrier start = new(3);
            void Use()
            {
                start.SignalAndWait();
                for (int count = 0; count < 200 && heap.TryAllocUnlessDisposed(); count++)
                {
                }
            }

            Threads.Run(Use, Use, () =>
            {
                start.SignalAndWait();
                Thread.SpinWait(round % 50 * 40);
                heap.Dispose();
            });

            // The slot is used again by the other kind of heap, whose shared cache replaces what a thread had for the slot.
            using PrivateHeap next = new(new PrivateHeapOptions { NoSerialize = round % 2 == 0 });
            next.Free(next.Alloc(64));
            Assert.True(next.Validate());
        }
    }
}

file static unsafe class DisposedHeaps
{
    /// <summary>Whether the heap still served; a heap that another thread has disposed says so by the exception.</summary>
    public static bool TryAllocUnlessDisposed(this PrivateHeap heap)
    {
        try
        {
            return heap.TryAlloc(64, out _);
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }
}
