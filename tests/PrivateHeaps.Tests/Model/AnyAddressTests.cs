using System.Globalization;
using System.Runtime.InteropServices;
using PrivateHeaps.Tests.Conformance;
using PrivateHeaps.Win32;
using Xunit.Abstractions;

namespace PrivateHeaps.Tests.Model;

/// <summary>
/// Every function that takes an address gets addresses of all kinds, by threads that take turns, while heaps come and go and blocks are allocated, resized and
/// freed. Dictionaries say before each call what its answer must be. One run has a fixed seed and one a new, which the test prints; PRIVATEHEAPS_SEED repeats it.
/// </summary>
public sealed unsafe class AnyAddressTests(ITestOutputHelper output)
{
    private const int StepCount = 12_000, HeapLimit = 6, WorkerCount = 3, BlockLimit = 120, DeadLimit = 200, StepsBetweenFullChecks = 400;

    [Theory, EveryFace]
    public void What_is_a_live_block_of_the_heap_is_served_and_everything_else_is_refused(IHeapFace face)
    {
        string? given = Environment.GetEnvironmentVariable("PRIVATEHEAPS_SEED");
        int[] seeds = given is null ? [1, Random.Shared.Next()] : [int.Parse(given, CultureInfo.InvariantCulture)];
        foreach (int seed in seeds)
        {
            output.WriteLine($"PRIVATEHEAPS_SEED={seed}");
            Session session = new(face, new Random(seed));
            try
            {
                session.Run();
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"PRIVATEHEAPS_SEED={seed}, step {session.Step}, {session.Command}: {failure.Message}", failure);
            }

            // The kinds of addresses are such that both happen often.
            Assert.InRange(session.Served, StepCount / 100, StepCount);
            Assert.InRange(session.Refused, StepCount / 4, StepCount);
        }
    }

    private sealed class Session(IHeapFace face, Random random)
    {
        private static readonly int[] s_distances = [1, 8, 16, 64, 4096, 65536];
        private readonly List<HeapModel> _heaps = [];
        private readonly List<(nint Block, nuint Bytes)> _dead = [];
        private readonly Worker[] _workers = [.. Enumerable.Range(0, WorkerCount).Select(_ => new Worker())];
        private readonly nint _unmanaged = (nint)NativeMemory.Alloc(4096);

        public int Step { get; private set; }

        public int Served { get; private set; }

        public int Refused { get; private set; }

        public string Command { get; private set; } = "start";

        public void Run()
        {
            try
            {
                for (Step = 0; Step < StepCount; Step++)
                {
                    _workers[random.Next(WorkerCount)].Do(TakeStep);
                    if (Step % StepsBetweenFullChecks == 0)
                    {
                        Command = "a check of everything";
                        _heaps.ForEach(heap => heap.CheckAll());
                        _heaps.ForEach(heap => heap.CheckSound());
                    }
                }

                _heaps.ForEach(heap => heap.CheckAll());
                _heaps.ForEach(heap => Assert.True(face.HeapDestroy(heap.Handle)));
            }
            finally
            {
                Array.ForEach(_workers, worker => worker.Dispose());
                NativeMemory.Free((void*)_unmanaged);
            }
        }

        private void TakeStep()
        {
            if (_heaps.Count == 0 || (_heaps.Count < HeapLimit && random.Next(60) == 0))
            {
                Create();
            }

            HeapModel heap = _heaps[random.Next(_heaps.Count)];
            switch (random.Next(100))
            {
                case 0 when random.Next(3) == 0:
                    Destroy(heap);
                    break;
                case 1 when face is PrivateHeapFace privateHeaps && random.Next(3) == 0:
                    Command = "Clear";
                    BuryAll(heap);
                    privateHeaps.Clear(heap.Handle);
                    break;
                case < 30 when heap.Count < BlockLimit:
                    Alloc(heap);
                    break;
                case < 45 when heap.Count != 0:
                    Serve(heap, heap.Pick(random), random.Next(2) == 0 ? 0 : 3);
                    break;
                default:
                    Decide(heap, PickAddress(random.Next(2) == 0 ? heap : _heaps[random.Next(_heaps.Count)]));
                    break;
            }
        }

        private void Create()
        {
            nuint maximum = random.Next(8) switch
            {
                0 => 4096,
                1 => 64 << 10,
                2 => 1 << 20,
                3 => 8 << 20,
                4 => 32 << 20,
                _ => 0,
            };
            Command = $"HeapCreate of {maximum} bytes";
            nint handle = face.HeapCreate(random.Next(4) == 0 ? HeapApi.HEAP_NO_SERIALIZE : 0, 0, maximum);
            Assert.NotEqual(0, handle);
            _heaps.Add(new HeapModel(face, handle, maximum != 0));
        }

        private void Destroy(HeapModel heap)
        {
            Command = "HeapDestroy";
            BuryAll(heap);
            Assert.True(face.HeapDestroy(heap.Handle));
            Assert.True(_heaps.Remove(heap));
        }

        private void Alloc(HeapModel heap)
        {
            nuint bytes = PickSize();
            bool zero = random.Next(3) == 0;
            Command = $"HeapAlloc of {bytes} bytes";
            if (face is PrivateHeapFace privateHeaps && !heap.Bounded && random.Next(6) == 0)
            {
                nuint alignment = (nuint)1 << random.Next(16);
                nint aligned = (nint)privateHeaps.AlignedAlloc(heap.Handle, bytes, alignment);
                Assert.Equal(0, aligned & (nint)(alignment - 1));
                heap.Add(aligned, bytes, (byte)random.Next(1, 256));
                return;
            }

            void* block = face.HeapAlloc(heap.Handle, zero ? HeapApi.HEAP_ZERO_MEMORY : 0, bytes);
            if (block == null)
            {
                Assert.True(heap.Bounded, $"A heap that grows refused {bytes} bytes.");
                return;
            }

            if (zero)
            {
                Memory.AssertFilled(block, 0, bytes, 0);
            }

            heap.Add((nint)block, bytes, (byte)random.Next(1, 256));
        }

        private void Decide(HeapModel heap, nint address)
        {
            int function = random.Next(6);
            if (heap.IsLive(address))
            {
                Served++;
                Serve(heap, address, function);
                return;
            }

            Refused++;
            void* wrong = (void*)address;
            Command = $"function {function} with 0x{address:X}, which is no block of the heap 0x{heap.Handle:X}";
            Assert.True(function switch
            {
                0 => !face.HeapFree(heap.Handle, 0, wrong),
                1 => face.HeapSize(heap.Handle, 0, wrong) == nuint.MaxValue,
                2 => !face.HeapValidate(heap.Handle, 0, wrong),
                3 => face.HeapReAlloc(heap.Handle, 0, wrong, PickSize()) == null,
                4 => face.HeapReAlloc(heap.Handle, HeapApi.HEAP_REALLOC_IN_PLACE_ONLY, wrong, PickSize()) == null,
                _ => !face.HeapFree(heap.Handle, 0, wrong) && face.HeapSize(heap.Handle, 0, wrong) == nuint.MaxValue,
            });
        }

        private void Serve(HeapModel heap, nint block, int function)
        {
            Command = $"function {function} with 0x{block:X}, a block of the heap 0x{heap.Handle:X}";
            heap.CheckBlock(block);
            switch (function)
            {
                case 0:
                    Assert.True(face.HeapFree(heap.Handle, 0, (void*)block));
                    Bury(block, heap[block].Bytes);
                    heap.Remove(block);
                    Assert.False(face.HeapFree(heap.Handle, 0, (void*)block));
                    break;
                case 3 or 4:
                    Resize(heap, block, isInPlace: function == 4);
                    break;
                default:
                    Assert.True(face.HeapValidate(heap.Handle, 0, (void*)block));
                    break;
            }
        }

        private void Resize(HeapModel heap, nint block, bool isInPlace)
        {
            (nuint before, byte value) = heap[block];
            nuint after = random.Next(2) == 0 ? before + (nuint)random.Next(40) : PickSize();
            nint resized = (nint)face.HeapReAlloc(heap.Handle, isInPlace ? HeapApi.HEAP_REALLOC_IN_PLACE_ONLY : 0, (void*)block, after);
            if (resized == 0)
            {
                Assert.True(heap.Bounded || isInPlace, $"A heap that grows refused to resize to {after} bytes.");
                heap.CheckBlock(block);
                return;
            }

            Assert.True(!isInPlace || resized == block, "A block moved that must not.");
            Memory.AssertFilled((void*)resized, 0, Math.Min(before, after), value);
            Bury(block, before);
            heap.Remove(block);
            heap.Add(resized, after, value);
        }

        private void BuryAll(HeapModel heap)
        {
            while (heap.Count != 0)
            {
                nint block = heap.Pick(random);
                Bury(block, heap[block].Bytes);
                heap.Remove(block);
            }
        }

        private void Bury(nint block, nuint bytes)
        {
            if (_dead.Count == DeadLimit)
            {
                _dead.RemoveAt(random.Next(DeadLimit));
            }

            _dead.Add((block, bytes));
        }

        // Never null. Stack, unmanaged and managed memory, no memory at all, what was freed, and what lies about blocks.
        private nint PickAddress(HeapModel heap)
        {
            int local = 0;
            nint address = random.Next(14) switch
            {
                0 => (nint)(&local) & ~15,
                1 => _unmanaged,
                2 => (nint)(delegate*<int, int>)&Math.Abs,
                3 => random.Next(1, 1 << 16),
                4 => (nint)(random.NextInt64() | long.MinValue),
                5 => (nint)(random.NextInt64() >> 16),
                6 or 7 or 8 when _dead.Count != 0 => PickDead(),
                9 when random.Next(10) == 0 => face.Contents(heap.Handle) is { Count: > 0 } entries ? entries[random.Next(entries.Count)].Address : _unmanaged,
                _ => heap.Count == 0 ? _unmanaged : About(heap, heap.Pick(random)),
            };
            return address == 0 ? 16 : address;
        }

        private nint PickDead()
        {
            (nint block, nuint bytes) = _dead[random.Next(_dead.Count)];
            return random.Next(3) == 0 ? block + ((nint)(random.NextInt64() % (long)(bytes + 1)) & ~15) : block;
        }

        private nint About(HeapModel heap, nint block)
        {
            nint bytes = (nint)heap[block].Bytes;
            return random.Next(7) switch
            {
                0 or 1 => block,
                2 => block + ((nint)random.NextInt64(bytes + 1) & ~15),
                3 => block + (nint)random.NextInt64(bytes + 1),
                4 => block + ((bytes + 15) & ~15),
                5 => block ^ (nint)(1L << random.Next(48)),
                _ => block + (random.Next(-4, 5) * s_distances[random.Next(s_distances.Length)]),
            };
        }

        private nuint PickSize() => (nuint)(random.Next(24) switch
        {
            0 => 0,
            1 => random.Next(300_000),
            2 => random.Next(20) == 0 ? random.Next(3_000_000) : random.Next(20_000),
            3 => (16 << random.Next(12)) + random.Next(-1, 2),
            < 8 => random.Next(3000),
            _ => random.Next(200),
        });
    }
}
