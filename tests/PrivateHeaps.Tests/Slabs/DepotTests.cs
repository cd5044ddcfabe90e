using PrivateHeaps.Heaps;
using PrivateHeaps.Platform;
using PrivateHeaps.Slabs;
using PrivateHeaps.Tests.Platform;
using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Slabs;

/// <summary>The depots of the processors: every block that lies in one is found again by whoever needs it, whatever happens to the heap meanwhile.</summary>
public sealed unsafe class DepotTests : IDisposable
{
    private const int ThreadCount = 8, SlotCount = 8192, OperationCount = 150_000;
    private static readonly nuint[] s_sizes = [16, 64, 200, 1000, 1500, 5000, 40_000];

    public DepotTests() => Depots.IsEager = true;

    public void Dispose() => Depots.IsEager = false;

    [Theory]
    [InlineData(0, 1)]
    [InlineData(256 << 20, 1)]
    [InlineData(0, 4)]
    public void Eight_threads_hand_blocks_to_each_other_while_the_heap_is_validated_walked_and_compacted(int maximum, int nodeCount)
    {
        using SimulatedNodes? nodes = nodeCount == 1 ? null : new();
        using PrivateHeap heap = new(new PrivateHeapOptions { MaximumSize = (nuint)maximum });
        nint[] slots = new nint[SlotCount];
        int working = ThreadCount;
        bool isSound = true;
        Action inspect = () =>
        {
            for (int round = 0; Volatile.Read(ref working) != 0; round++)
            {
                isSound &= heap.Validate();
                if (round % 4 == 0)
                {
                    heap.Compact();
                }

                _ = heap.GetSummary();
                Thread.Yield();
            }
        };
        Action[] hands = [.. Enumerable.Range(1, ThreadCount).Select(seed => (Action)(() =>
        {
            try
            {
                SimulatedNodes.Here = (uint)(seed % nodeCount);
                Hand(heap, slots, new Random(seed));
            }
            finally
            {
                Interlocked.Decrement(ref working);
            }
        }))];
        Threads.Run([.. hands, inspect]);
        Assert.True(isSound);
        for (int index = 0; index < SlotCount; index++)
        {
            FreeFilled(heap, slots, index);
        }

        Assert.Equal((nuint)0, heap.GetSummary().BlockCount);
        Assert.True(heap.Validate());
        Assert.True(StateOf(heap)->Depots != null);
    }

    [Fact]
    public void A_heap_is_cleared_and_destroyed_under_the_hands_of_eight_threads()
    {
        using PrivateHeap witness = new();
        byte* kept = (byte*)witness.Alloc(1000);
        Memory.Fill(kept, 1000, 0x5F);
        for (int round = 0; round < 12; round++)
        {
            PrivateHeap doomed = new();
            nint[] slots = new nint[SlotCount];
            Action use = () =>
            {
                // What a thread takes from the slots may have gone with a Clear, and then be anybody's: it is freed, or refused, and never touched.
                Random random = new(Environment.CurrentManagedThreadId);
                while (!doomed.IsDisposed)
                {
                    int index = random.Next(SlotCount);
                    nint block = HeapApi.HeapAlloc(doomed.Handle, 0, s_sizes[index % s_sizes.Length]);
                    block = Interlocked.Exchange(ref slots[index], block);
                    HeapApi.HeapFree(doomed.Handle, 0, block);
                }
            };
            Action ruin = () =>
            {
                // What fails here must not leave the others at work for ever.
                using PrivateHeap ended = doomed;
                for (int clear = 0; clear < 5; clear++)
                {
                    Thread.Sleep(5);
                    Assert.True(doomed.Validate());
                    doomed.Clear();
                    Assert.True(doomed.Validate());
                }
            };
            Threads.Run([.. Enumerable.Repeat(use, ThreadCount), ruin]);
        }

        Memory.AssertFilled(kept, 0, 1000, 0x5F);
        Assert.True(witness.Validate());
    }

    [Fact]
    public void Compact_empties_them_and_Clear_ends_them()
    {
        using PrivateHeap heap = new();
        FillAndFree(heap, 64, 4000);
        Assert.True(FullMagazines(heap) > 0);
        Assert.True(heap.Validate());
        heap.Compact();
        Assert.Equal(0, FullMagazines(heap));
        Assert.Equal(0u, HeapState.BinOf(StateOf(heap), SizeClass.Of(64))->SlabCount);
        FillAndFree(heap, 64, 4000);
        heap.Clear();
        Assert.True(StateOf(heap)->Depots == null);
        HashSet<nint> seen = [];
        for (int index = 0; index < 5000; index++)
        {
            Assert.True(seen.Add((nint)heap.Alloc(64)));
        }

        Assert.True(heap.Validate());
    }

    [Fact]
    public void They_keep_no_more_than_they_may()
    {
        using PrivateHeap heap = new();
        foreach (nuint bytes in s_sizes)
        {
            FillAndFree(heap, bytes, 4000);
            uint index = SizeClass.Of(bytes);
            Assert.InRange(Depots.CountFull(&StateOf(heap)->Depots, index), 1, (int)System.Numerics.BitOperations.RoundUpToPowerOf2(Os.CpuCount) * (bytes <= 1024 ? 2 : 1));
        }
    }

    [Fact]
    public void Only_a_heap_whose_locks_are_found_held_gets_them()
    {
        Depots.IsEager = false;
        using PrivateHeap heap = new();
        FillAndFree(heap, 64, 20_000);
        HeapState* state = StateOf(heap);
        Assert.True(state->Depots == null);
        uint index = SizeClass.Of(64);
        Bin* bin = HeapState.BinOf(state, index);
        for (int round = 0; round < 200 && state->Depots == null; round++)
        {
            OsLock.Enter(&bin->Lock);
            Thread other = new(() =>
            {
                Bin.Enter(bin);
                Bin.Leave(bin, &state->Depots, index);
            });
            other.Start();
            Thread.Sleep(2);
            OsLock.Leave(&bin->Lock);
            other.Join();
        }

        Assert.Equal(Os.CpuCount > 1, state->Depots != null);
        FillAndFree(heap, 64, 20_000);
        Assert.Equal(Os.CpuCount > 1, FullMagazines(heap) > 0);
        Assert.Equal(0, Depots.CountFull(&state->Depots, SizeClass.Of(200)));
        Assert.True(heap.Validate());
    }

    private static HeapState* StateOf(PrivateHeap heap) => HeapRegistry.Find(heap.Handle);

    private static int FullMagazines(PrivateHeap heap) => Depots.CountFull(&StateOf(heap)->Depots, SizeClass.Of(64));

    private static void FillAndFree(PrivateHeap heap, nuint bytes, int count)
    {
        List<nint> blocks = [];
        for (int index = 0; index < count; index++)
        {
            blocks.Add((nint)heap.Alloc(bytes));
        }

        blocks.ForEach(block => heap.Free((void*)block));
    }

    // Each thread empties and fills slots at random, mostly in runs of one size, so that magazines go from thread to thread through the depots.
    private static void Hand(PrivateHeap heap, nint[] slots, Random random)
    {
        for (int count = 0; count < OperationCount;)
        {
            bool fills = random.Next(2) == 0;
            nuint bytes = s_sizes[Math.Min(random.Next(s_sizes.Length), random.Next(s_sizes.Length))];
            int index = random.Next(SlotCount);
            for (int length = random.Next(1000); length > 0; length--, count++)
            {
                index = (index + 1) % SlotCount;
                FreeFilled(heap, slots, index);
                if (fills)
                {
                    byte* block = (byte*)heap.Alloc(bytes);
                    byte value = (byte)random.Next(1, 256);
                    Memory.Fill(block, Math.Min(bytes, 64), value);
                    nint old = Interlocked.Exchange(ref slots[index], (nint)block);
                    if (old != 0)
                    {
                        CheckAndFree(heap, (byte*)old);
                    }
                }
            }
        }
    }

    private static void FreeFilled(PrivateHeap heap, nint[] slots, int index)
    {
        nint block = Interlocked.Exchange(ref slots[index], 0);
        if (block != 0)
        {
            CheckAndFree(heap, (byte*)block);
        }
    }

    private static void CheckAndFree(PrivateHeap heap, byte* block)
    {
        Memory.AssertFilled(block, 0, Math.Min(heap.GetSize(block), 64), *block);
        heap.Free(block);
    }
}
