namespace PrivateHeaps.Tests.Platform;

/// <summary>What must hold where committed memory is charged. Each runs in a child process, under <see cref="StrictMemory"/>.</summary>
internal static unsafe class CommitScenarios
{
    private const nuint MiB = 1 << 20;

    public static void Run(string scenario)
    {
        StrictMemory.Install(MemoryRules.OfWindows);
        Action run = scenario switch
        {
            nameof(DestroyedHeapsAreNotCharged) => DestroyedHeapsAreNotCharged,
            nameof(CompactedMemoryIsNotChargedAndServesAgain) => CompactedMemoryIsNotChargedAndServesAgain,
            nameof(RefusedCommitsLeaveEverythingSound) => RefusedCommitsLeaveEverythingSound,
            nameof(ShrunkBlocksAreNotCharged) => ShrunkBlocksAreNotCharged,
            _ => throw new ArgumentException($"There is no scenario '{scenario}'."),
        };
        run();
    }

    /// <summary>Many heaps one after the other and at once cost what they use, and nothing when they are gone.</summary>
    public static void DestroyedHeapsAreNotCharged()
    {
        // Each window of addresses that memory happens to lie in keeps its page entries and states. So a round may leave more than the one before, but a leak
        // shows in every round.
        const int mostRounds = 10;
        List<nuint> remainders = [];

        // Here home may lie, which costs the same however many heaps there are.
        using PrivateHeap first = new();
        first.Alloc(1);
        nuint home = StrictMemory.CommittedBytes;
        do
        {
            PrivateHeap[] heaps = [.. Enumerable.Range(0, 100).Select(index => new PrivateHeap(new PrivateHeapOptions
            {
                InitialSize = (nuint)(index % 3) << 12,
                MaximumSize = index % 3 == 0 ? 0 : (nuint)index * MiB / 4,
            }))];
            foreach (PrivateHeap heap in heaps)
            {
                for (nuint bytes = 1; bytes < 4 * MiB && heap.TryAlloc(bytes, out void* block); bytes = bytes * 2 + 1)
                {
                    Memory.Fill(block, bytes, 0xC7);
                }
            }

            nuint full = StrictMemory.CommittedBytes - home;
            Assert.True(full > 400 * MiB);
            Array.ForEach(heaps, heap => heap.Dispose());

            // The engine's own structures stay, and a little memory for the next heap.
            remainders.Add(StrictMemory.CommittedBytes - home);
            Assert.True(remainders[^1] < full / 5, $"Of {full} bytes {remainders[^1]} stayed.");
        }
        while (remainders.Count < mostRounds && (remainders.Count == 1 || remainders[^1] != remainders[^2]));

        Assert.True(remainders[^1] == remainders[^2], $"Each round left more than the one before: {string.Join(", ", remainders)} bytes.");
    }

    /// <summary>Compact gives the charge of freed memory back; the same memory serves again, and reads as zero where that is asked.</summary>
    public static void CompactedMemoryIsNotChargedAndServesAgain()
    {
        using PrivateHeap heap = new();
        for (int round = 0; round < 3; round++)
        {
            void*[] blocks = Fill(heap, count: 2000, bytes: 20_000);
            nuint full = StrictMemory.CommittedBytes;
            for (int index = 0; index < blocks.Length; index++)
            {
                if (index % 100 != 0)
                {
                    heap.Free(blocks[index]);
                }
            }

            heap.Compact();
            Assert.True(StrictMemory.CommittedBytes + 30 * MiB <= full, $"{full} bytes became {StrictMemory.CommittedBytes}.");
            Assert.True(heap.Validate());
            for (int index = 0; index < blocks.Length; index++)
            {
                if (index % 100 == 0)
                {
                    Memory.AssertFilled(blocks[index], 0, 20_000, (byte)index);
                    heap.Free(blocks[index]);
                }

                void* zeroed = heap.AllocZeroed(20_000);
                Memory.AssertFilled(zeroed, 0, 20_000, 0);
                Memory.Fill(zeroed, 20_000, 0x5E);
                heap.Free(zeroed);
            }

            Assert.True(heap.Validate());
        }
    }

    /// <summary>A commit that fails is a refused call, also when it would have brought back what was given back; nothing is lost by it.</summary>
    public static void RefusedCommitsLeaveEverythingSound()
    {
        Random random = new(20_11);
        using PrivateHeap growable = new(), fitted = new(new PrivateHeapOptions { InitialSize = 4096, MaximumSize = 4 * MiB }),
            bounded = new(new PrivateHeapOptions { InitialSize = 4096, MaximumSize = 64 * MiB });
        PrivateHeap[] heaps = [growable, fitted, bounded];
        List<(PrivateHeap Heap, nint Block, nuint Bytes, byte Value)> live = [];
        int refused = 0;
        for (int step = 0; step < 40_000; step++)
        {
            if (step % 100 == 0)
            {
                StrictMemory.CommitLimit = step % 300 == 0 ? nuint.MaxValue : StrictMemory.CommittedBytes + (nuint)random.Next(1 << 20);
            }

            int chosen = live.Count == 0 ? 0 : random.Next(live.Count);
            if (live.Count > 300 || (live.Count != 0 && random.Next(3) == 0))
            {
                (PrivateHeap heap, nint block, nuint bytes, byte value) = live[chosen];
                Memory.AssertFilled((void*)block, 0, bytes, value);
                heap.Free((void*)block);
                live[chosen] = live[^1];
                live.RemoveAt(live.Count - 1);
            }
            else
            {
                PrivateHeap heap = heaps[random.Next(heaps.Length)];
                nuint bytes = (nuint)random.Next(1 << random.Next(4, 22));
                if (heap.TryAlloc(bytes, out void* block))
                {
                    Memory.Fill(block, bytes, (byte)step);
                    live.Add((heap, (nint)block, bytes, (byte)step));
                }
                else
                {
                    refused++;
                }
            }

            if (step % 500 == 0)
            {
                PrivateHeap heap = heaps[random.Next(heaps.Length)];
                heap.Compact();
                Assert.All(heaps, each => Assert.True(each.Validate()));
            }
        }

        Assert.InRange(refused, 100, 30_000);
        StrictMemory.CommitLimit = nuint.MaxValue;
        live.ForEach(block => block.Heap.Free((void*)block.Block));
        Assert.All(heaps, heap => Assert.True(heap.Validate() && heap.GetSummary().AllocatedBytes == 0));
        Assert.All(heaps, heap => Assert.True(heap.TryAlloc(MiB, out _)));
    }

    /// <summary>A block with a mapping of its own gives back what it shrinks by.</summary>
    public static void ShrunkBlocksAreNotCharged()
    {
        using PrivateHeap heap = new();
        byte* block = (byte*)heap.AlignedAlloc(64 * MiB, 4 * MiB);
        Assert.Equal(0u, (nuint)block % (4 * MiB));
        Memory.Fill(block, 64 * MiB, 0x11);
        nuint full = StrictMemory.CommittedBytes;
        Assert.True(heap.TryReallocInPlace(block, 2 * MiB));
        Assert.True(StrictMemory.CommittedBytes + 62 * MiB <= full);
        Memory.AssertFilled(block, 0, 2 * MiB, 0x11);
        block = (byte*)heap.Realloc(block, 80 * MiB);
        Memory.AssertFilled(block, 0, 2 * MiB, 0x11);
        Memory.Fill(block, 80 * MiB, 0x12);
        heap.Free(block);
        Assert.True(StrictMemory.CommittedBytes + 48 * MiB <= full);
    }

    private static void*[] Fill(PrivateHeap heap, int count, nuint bytes)
    {
        void*[] blocks = new void*[count];
        for (int index = 0; index < count; index++)
        {
            blocks[index] = heap.Alloc(bytes);
            Memory.Fill(blocks[index], bytes, (byte)index);
        }

        return blocks;
    }
}
