namespace PrivateHeaps.Benchmarks;

/// <summary>The loops that are timed, by BenchmarkDotNet and by the quick mode.</summary>
internal static class Workloads
{
    /// <summary>Blocks that a batch has alive at once.</summary>
    public const int BatchCount = 10_000;

    /// <summary>Stands for a mix of sizes where a size is asked for; the last column.</summary>
    public const int Mixed = int.MaxValue;

    private const int Seed = 1;

    /// <summary>Allocates a block, writes to it, frees it.</summary>
    public static void Pairs<TSubject, TBlock>(TSubject subject, int count, uint bytes)
        where TSubject : struct, ISubject<TBlock>
        where TBlock : struct
    {
        for (int pair = 0; pair < count; pair++)
        {
            TBlock block = subject.Alloc(bytes);
            subject.Touch(block);
            subject.Free(block);
        }
    }

    public static void ZeroedPairs<TSubject, TBlock>(TSubject subject, int count, uint bytes)
        where TSubject : struct, ISubject<TBlock>
        where TBlock : struct
    {
        for (int pair = 0; pair < count; pair++)
        {
            TBlock block = subject.AllocZeroed(bytes);
            subject.Touch(block);
            subject.Free(block);
        }
    }

    /// <summary>Pairs of two subjects in turn.</summary>
    public static void AlternatingPairs<TSubject, TBlock>(TSubject first, TSubject second, int count, uint bytes)
        where TSubject : struct, ISubject<TBlock>
        where TBlock : struct
    {
        for (int pair = 0; pair < count; pair += 2)
        {
            TBlock block = first.Alloc(bytes);
            first.Touch(block);
            first.Free(block);
            block = second.Alloc(bytes);
            second.Touch(block);
            second.Free(block);
        }
    }

    /// <summary>Allocates a block of each size, then frees them in the given order.</summary>
    public static void Batch<TSubject, TBlock>(TSubject subject, TBlock[] blocks, uint[] sizes, int[] order)
        where TSubject : struct, ISubject<TBlock>
        where TBlock : struct
    {
        for (int index = 0; index < sizes.Length; index++)
        {
            TBlock block = subject.Alloc(sizes[index]);
            subject.Touch(block);
            blocks[index] = block;
        }

        foreach (int index in order)
        {
            subject.Free(blocks[index]);

            // What nobody refers to any more is what an array of the garbage collector's needs to be free.
            blocks[index] = default;
        }
    }

    /// <summary>Lets a block grow by half again and again, to 1 MiB, then begins anew.</summary>
    public static void Growth<TSubject, TBlock>(TSubject subject, int count)
        where TSubject : struct, ISubject<TBlock>
        where TBlock : struct
    {
        const uint smallest = 16, largest = 1 << 20;
        uint bytes = smallest;
        TBlock block = subject.Alloc(bytes);
        for (int step = 0; step < count; step++)
        {
            bytes += bytes / 2;
            if (bytes > largest)
            {
                subject.Free(block);
                bytes = smallest;
                block = subject.Alloc(bytes);
            }
            else
            {
                block = subject.Realloc(block, bytes);
            }

            subject.Touch(block);
        }

        subject.Free(block);
    }

    /// <summary>Allocates blocks and frees each.</summary>
    public static void FillAndFree<TSubject>(TSubject subject, Pointer[] blocks, int count, uint bytes)
        where TSubject : struct, ISubject<Pointer>
    {
        for (int index = 0; index < count; index++)
        {
            Pointer block = subject.Alloc(bytes);
            subject.Touch(block);
            blocks[index] = block;
        }

        for (int index = 0; index < count; index++)
        {
            subject.Free(blocks[index]);
        }
    }

    /// <summary>Creates a heap, allocates blocks in it, drops it.</summary>
    public static void FillAndDrop<THeap>(Pointer[] blocks, int count, uint bytes)
        where THeap : struct, IHeap<THeap>
    {
        THeap heap = THeap.Create();
        for (int index = 0; index < count; index++)
        {
            Pointer block = heap.Alloc(bytes);
            heap.Touch(block);
            blocks[index] = block;
        }

        heap.Drop();
    }

    /// <summary>The sizes of a batch: all alike, or for <see cref="Mixed"/> a mix from 16 bytes to 64 KiB, half of them below 50 bytes and a tenth above 6 KiB.</summary>
    public static uint[] Sizes(int bytes)
    {
        uint[] sizes = new uint[BatchCount];
        Random random = new(Seed);
        foreach (ref uint size in sizes.AsSpan())
        {
            const int doublings = 12;
            size = bytes != Mixed ? (uint)bytes : (uint)(16 * Math.Pow(2, doublings * Math.Pow(random.NextDouble(), 3)));
        }

        return sizes;
    }

    public static int[] RandomOrder()
    {
        int[] order = [.. Enumerable.Range(0, BatchCount)];
        new Random(Seed).Shuffle(order);
        return order;
    }
}
