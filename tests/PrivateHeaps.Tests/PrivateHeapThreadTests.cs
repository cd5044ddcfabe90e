using System.Runtime.CompilerServices;
using PrivateHeaps.Heaps;
using ThreadState = PrivateHeaps.Heaps.ThreadState;

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

    [Fact]
    public void A_thread_finds_its_own_cache_by_its_stack_and_never_that_of_the_stacks_last_owner()
    {
        using PrivateHeap heap = new();
        CachePlaces places = CachePlaces.Create();
        HashSet<nint> stacks = [];
        int found = 0, reused = 0;
        for (int count = 0; count < 1000; count++)
        {
            Threads.Run(() =>
            {
                byte here;
                Assert.False(places.TryGet(CachePlaces.Here, out _, out _));
                for (int warmUp = 0; warmUp < 20; warmUp++)
                {
                    heap.Free(heap.Alloc(64));
                }

                ThreadState* own = CurrentThread.State;
                ThreadCache* cache = null;

                // The place may be that of the thread before, which ends a little after it is joined, and whose turn is then over in so many misses.
                for (int misses = 0; misses < 256 && !places.TryGet(CachePlaces.Here, out cache, out _); misses++)
                {
                    places.Note(own, heap.Handle);
                }

                if (places.TryGet(CachePlaces.Here, out cache, out _))
                {
                    found++;
                    Assert.True(cache->Thread == own);
                    Assert.Equal(heap.Handle, cache->Handle);
                    Assert.True(ThreadCache.IsOpenFor(cache, 0));
                }

                reused += stacks.Add((nint)(&here)) ? 0 : 1;
            });
        }

        // Were stacks not reused, the first assertion would say nothing.
        Assert.True(!OperatingSystem.IsLinux() || (found == 1000 && reused > 500), $"{found} caches found, {reused} stacks reused");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void No_cache_names_an_ended_threads_state_that_another_may_get(bool isLocked)
    {
        using PrivateHeap heap = new();
        nint cache = 0, state = 0;
        Threads.Run(() =>
        {
            for (int warmUp = 0; warmUp < 20; warmUp++)
            {
                heap.Free(heap.Alloc(64));
            }

            state = (nint)CurrentThread.State;
            cache = (nint)Heap.CacheOf((ThreadState*)state, heap.Handle);
        });
        Assert.True(((ThreadCache*)cache)->Thread == (ThreadState*)state);
        using PrivateHeap.Scope scope = isLocked ? heap.EnterScope() : default;
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return !((ThreadState*)state)->IsAttached;
            },
            TimeSpan.FromSeconds(10)));
        Assert.True(((ThreadCache*)cache)->Thread == PrivateHeaps.Heaps.Threads.Nobody);
    }

    [Fact]
    public void Blocks_are_served_at_every_depth_of_a_stack()
    {
        using PrivateHeap heap = new();
        List<nint> blocks = [];
        Thread thread = new(() => Descend(heap, blocks, 3000), 16 << 20);
        thread.Start();
        thread.Join();
        Assert.Equal(3000, blocks.Distinct().Count());
        blocks.ForEach(block => heap.Free((void*)block));
        Assert.Equal(0u, heap.GetSummary().AllocatedBytes);
    }

    [Fact]
    public void Short_lived_threads_on_stacks_of_ended_ones_keep_their_blocks_apart_while_caches_are_swept_and_heaps_disposed()
    {
        const int threadCount = 6000, atOnce = 12;
        PrivateHeap[] lasting = [new(), new(), PrivateHeap.ProcessHeap, new()];
        PrivateHeap[] passing = [new(), new(), new()];
        using CancellationTokenSource end = new();

        void Worker(int number)
        {
            nint* blocks = stackalloc nint[40];
            for (int round = 0; round < 3; round++)
            {
                for (int index = 0; index < 40; index++)
                {
                    blocks[index] = (nint)lasting[index % lasting.Length].Alloc(64);
                    Memory.Fill((void*)blocks[index], 64, (byte)(number + index));
                    passing[index % passing.Length].TryAllocUnlessDisposed();
                }

                for (int index = 0; index < 40; index++)
                {
                    Memory.AssertFilled((void*)blocks[index], 0, 64, (byte)(number + index));
                    lasting[index % lasting.Length].Free((void*)blocks[index]);
                }
            }
        }

        // Each starts the next one as it ends, so that stacks go from hand to hand at once. Their sizes differ, so that stacks also overlap old ones.
        int started = 0;
        void Relay()
        {
            for (int number; (number = Interlocked.Increment(ref started)) <= threadCount / atOnce * atOnce;)
            {
                Exception? failure = null;
                Thread thread = new(() => failure = Record.Exception(() => Worker(number)), (1 + (number % 5)) << 20);
                thread.Start();
                thread.Join();
                Assert.Null(failure);
            }
        }

        void Repeat(Action action)
        {
            while (!end.IsCancellationRequested)
            {
                action();
            }
        }

        Thread sweeper = new(() => Repeat(() =>
        {
            GC.Collect(0);
            GC.WaitForPendingFinalizers();
        }));
        Thread disposer = new(() => Repeat(() =>
        {
            int index = Random.Shared.Next(passing.Length);
            PrivateHeap old = Interlocked.Exchange(ref passing[index], new PrivateHeap());
            Thread.Yield();
            old.Dispose();
        }));
        sweeper.Start();
        disposer.Start();
        try
        {
            Threads.Run([.. Enumerable.Repeat(Relay, atOnce)]);
        }
        finally
        {
            end.Cancel();
            sweeper.Join();
            disposer.Join();
        }

        foreach (PrivateHeap heap in lasting.Concat(passing))
        {
            Assert.True(heap.Validate());
            if (heap != PrivateHeap.ProcessHeap)
            {
                Assert.True(passing.Contains(heap) || heap.GetSummary().BlockCount == 0);
                heap.Dispose();
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Descend(PrivateHeap heap, List<nint> blocks, int depth)
    {
        byte* frame = stackalloc byte[1024];
        frame[0] = 1;
        blocks.Add((nint)heap.Alloc(64));
        heap.Free(heap.Alloc(64));
        if (depth > 1)
        {
            Descend(heap, blocks, depth - 1);
        }

        Assert.Equal(1, frame[0]);
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
