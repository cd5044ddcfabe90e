using System.Diagnostics;
using System.Globalization;
using PrivateHeaps.Tests.Conformance;

namespace PrivateHeaps.Tests.Model;

/// <summary>Many threads at once. Every block is filled when it is allocated and checked when it is freed, mostly by another thread.</summary>
public unsafe class StressTests
{
    private const int ThreadCount = 8, SlotCount = 4096, OperationsOfOneLife = 20_000;

    private static TimeSpan Duration => TimeSpan.FromSeconds(
        double.Parse(Environment.GetEnvironmentVariable("PRIVATEHEAPS_STRESS_SECONDS") ?? "20", CultureInfo.InvariantCulture));

    [Theory, Win32Faces]
    public void Eight_threads_that_are_born_and_die_free_each_others_blocks(IWin32Face face)
    {
        using HeapUnderTest growable = new(face), bounded = new(face, maximumSize: 64 << 20);
        nint[] slots = new nint[SlotCount];
        Stopwatch clock = Stopwatch.StartNew();
        long lives = 0;
        Action beOneOfEight = () =>
        {
            do
            {
                int seed = (int)Interlocked.Increment(ref lives);
                Threads.Run(() => LiveOneLife(growable, bounded, slots, new Random(seed)));
            }
            while (clock.Elapsed < Duration);
        };
        Threads.Run([.. Enumerable.Repeat(beOneOfEight, ThreadCount)]);

        for (int index = 0; index < SlotCount; index++)
        {
            FreeSlot(growable, bounded, slots, index);
        }

        Assert.True(lives >= ThreadCount);
        foreach (HeapUnderTest heap in (HeapUnderTest[])[growable, bounded])
        {
            Assert.Empty(heap.Blocks);
            Assert.Equal((nuint)0, heap.Sizes.Allocated);
            Assert.True(heap.IsSound);
        }

        // What 4096 blocks of at most 20,000 bytes need, with room for caches; a leak over 20 seconds would be far more.
        Assert.InRange(growable.Sizes.Committed, (nuint)0, (nuint)128 << 20);
    }

    [Theory, Win32Faces]
    public void Heaps_are_made_and_destroyed_while_other_threads_do_the_same(IWin32Face face)
    {
        uint before = face.GetProcessHeaps(0, null);
        Action work = () =>
        {
            for (int round = 0; round < 300; round++)
            {
                using HeapUnderTest heap = new(face, maximumSize: round % 2 == 0 ? 0 : (nuint)256 << 10);
                List<nint> blocks = [];
                for (nuint count = 0; count < 100; count++)
                {
                    blocks.Add((nint)heap.AllocFilled(count * 7, (byte)round));
                }

                for (int index = 0; index < 100; index += 2)
                {
                    Memory.AssertFilled((void*)blocks[index], 0, (nuint)index * 7, (byte)round);
                    heap.Free((void*)blocks[index]);
                }
            }
        };
        Threads.Run(work, work, work, work);
        Assert.Equal(before, face.GetProcessHeaps(0, null));
    }

    [Theory, Win32Faces]
    public void A_heap_destroyed_under_the_hands_of_other_threads_refuses_them_and_harms_no_other_heap(IWin32Face face)
    {
        using HeapUnderTest witness = new(face);
        byte* kept = witness.AllocFilled(1000, 0x5F);
        for (int round = 0; round < 200; round++)
        {
            nint doomed = face.HeapCreate(0, 0, 0);
            Action use = () =>
            {
                for (void* block = face.HeapAlloc(doomed, 0, 64); block != null; block = face.HeapAlloc(doomed, 0, 64))
                {
                    face.HeapSize(doomed, 0, block);
                    face.HeapFree(doomed, 0, block);
                }
            };
            Threads.Run(use, use, () =>
            {
                Thread.Yield();
                Assert.True(face.HeapDestroy(doomed));
            });
            Assert.False(face.HeapValidate(doomed, 0, null));
        }

        Memory.AssertFilled(kept, 0, 1000, 0x5F);
    }

    [Theory, Win32Faces]
    public void Threads_that_only_allocate_and_threads_that_only_free_keep_the_heap_small(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        const int Total = 400_000;
        nint[] ring = new nint[1024];
        Threads.Run(
            () =>
            {
                SpinWait wait = default;
                for (int index = 0; index < Total; index++)
                {
                    nint block = (nint)heap.Alloc((nuint)(16 + (index % 500)));
                    *(int*)block = index;
                    while (Volatile.Read(ref ring[index % ring.Length]) != 0)
                    {
                        wait.SpinOnce();
                    }

                    Volatile.Write(ref ring[index % ring.Length], block);
                }
            },
            () =>
            {
                SpinWait wait = default;
                for (int index = 0; index < Total; index++)
                {
                    nint block;
                    while ((block = Volatile.Read(ref ring[index % ring.Length])) == 0)
                    {
                        wait.SpinOnce();
                    }

                    Volatile.Write(ref ring[index % ring.Length], 0);
                    Assert.Equal(index, *(int*)block);
                    heap.Free((void*)block);
                }
            });
        Assert.Empty(heap.Blocks);
        Assert.InRange(heap.Sizes.Committed, (nuint)0, (nuint)32 << 20);
    }

    private static void LiveOneLife(HeapUnderTest growable, HeapUnderTest bounded, nint[] slots, Random random)
    {
        for (int count = 0; count < OperationsOfOneLife; count++)
        {
            int index = random.Next(SlotCount);
            if (Volatile.Read(ref slots[index]) != 0)
            {
                FreeSlot(growable, bounded, slots, index);
                continue;
            }

            HeapUnderTest heap = index % 2 == 0 ? growable : bounded;
            nuint bytes = (nuint)(16 + (random.Next(50) == 0 ? random.Next(20_000) : random.Next(500)));
            byte value = (byte)random.Next(1, 256);
            byte* block = heap.AllocFilled(bytes, value);
            if (random.Next(10) == 0)
            {
                nuint more = bytes + (nuint)random.Next(500);
                block = heap.ReAlloc(block, more);
                Memory.AssertFilled(block, 0, bytes, value);
                Memory.Fill(block, more, value);
            }

            if (Interlocked.CompareExchange(ref slots[index], (nint)block, 0) != 0)
            {
                heap.Free(block);
            }
        }
    }

    private static void FreeSlot(HeapUnderTest growable, HeapUnderTest bounded, nint[] slots, int index)
    {
        byte* block = (byte*)Interlocked.Exchange(ref slots[index], 0);
        if (block != null)
        {
            HeapUnderTest heap = index % 2 == 0 ? growable : bounded;
            nuint bytes = heap.SizeOf(block);
            Memory.AssertFilled(block, 0, bytes, block[0]);
            heap.Free(block);
        }
    }
}
