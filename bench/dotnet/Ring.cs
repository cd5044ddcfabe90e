namespace PrivateHeaps.Benchmarks;

/// <summary>Hands blocks from the calling thread to one that frees them. The other thread lives as long as the process.</summary>
internal static class Ring<TSubject, TBlock>
    where TSubject : struct, ISubject<TBlock>
    where TBlock : struct
{
    private const int Capacity = 1024;

    // Places in the array of counters: far from each other and from its ends, so that each has a cache line of its own.
    private const int Written = 16, Freed = 40;

    private static readonly TBlock[] s_slots = new TBlock[Capacity];
    private static readonly long[] s_counters = new long[64];
    private static Thread? s_consumer;

    /// <summary>Returns when the last block is free.</summary>
    public static void Produce(TSubject subject, int count, uint bytes)
    {
        if (s_consumer == null)
        {
            s_consumer = new Thread(() => Consume(subject)) { IsBackground = true };
            s_consumer.Start();
        }

        // Either side looks at the other's counter only when what it saw last is used up.
        long written = s_counters[Written], room = 0;
        for (int index = 0; index < count; index++)
        {
            TBlock block = subject.Alloc(bytes);
            subject.Touch(block);
            for (SpinWait wait = default; room == 0; room = Volatile.Read(ref s_counters[Freed]) + Capacity - written)
            {
                wait.SpinOnce(sleep1Threshold: -1);
            }

            s_slots[written % Capacity] = block;
            Volatile.Write(ref s_counters[Written], ++written);
            room--;
        }

        for (SpinWait wait = default; Volatile.Read(ref s_counters[Freed]) != written;)
        {
            wait.SpinOnce(sleep1Threshold: -1);
        }
    }

    private static void Consume(TSubject subject)
    {
        for (long freed = 0; ;)
        {
            long written;
            for (SpinWait wait = default; (written = Volatile.Read(ref s_counters[Written])) == freed;)
            {
                wait.SpinOnce(sleep1Threshold: -1);
            }

            while (freed != written)
            {
                ref TBlock slot = ref s_slots[freed % Capacity];
                subject.Free(slot);
                slot = default;
                Volatile.Write(ref s_counters[Freed], ++freed);
            }
        }
    }
}
