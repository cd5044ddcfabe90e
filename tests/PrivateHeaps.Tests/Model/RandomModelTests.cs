using System.Globalization;
using PrivateHeaps.Tests.Conformance;
using PrivateHeaps.Win32;
using Xunit.Abstractions;

namespace PrivateHeaps.Tests.Model;

/// <summary>
/// Random commands over several heaps and threads, one after the other, against a dictionary. Each run has a new seed, which the test prints;
/// PRIVATEHEAPS_SEED repeats one.
/// </summary>
public sealed unsafe class RandomModelTests(ITestOutputHelper output)
{
    private const int StepCount = 6000, HeapLimit = 6, WorkerCount = 4, BlockLimit = 300, StepsBetweenFullChecks = 50;

    [Theory, Win32Faces]
    public void Heaps_and_a_dictionary_agree_after_every_command(IWin32Face face)
    {
        string? given = Environment.GetEnvironmentVariable("PRIVATEHEAPS_SEED");
        int seed = given is null ? Random.Shared.Next() : int.Parse(given, CultureInfo.InvariantCulture);
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
    }

    private sealed class Session(IWin32Face face, Random random)
    {
        private readonly List<HeapModel> _heaps = [];
        private readonly Queue<nint> _dead = new();
        private readonly Worker[] _workers = [.. Enumerable.Range(0, WorkerCount).Select(_ => new Worker())];

        public int Step { get; private set; }

        public string Command { get; private set; } = "start";

        public void Run()
        {
            try
            {
                for (Step = 0; Step < StepCount; Step++)
                {
                    if (random.Next(200) == 0)
                    {
                        ReplaceWorker();
                    }

                    _workers[random.Next(WorkerCount)].Do(TakeStep);
                }

                _heaps.ForEach(heap => heap.CheckAll());
                _heaps.ForEach(heap => Assert.True(face.HeapDestroy(heap.Handle)));
            }
            finally
            {
                Array.ForEach(_workers, worker => worker.Dispose());
            }
        }

        private void ReplaceWorker()
        {
            int index = random.Next(WorkerCount);
            _workers[index].Dispose();
            _workers[index] = new Worker();
        }

        private void TakeStep()
        {
            if (_heaps.Count == 0 || (_heaps.Count < HeapLimit && random.Next(100) == 0))
            {
                Create();
            }

            HeapModel heap = _heaps[random.Next(_heaps.Count)];
            int choice = random.Next(1000);
            if (choice < 3)
            {
                Command = "HeapDestroy";
                Assert.True(face.HeapDestroy(heap.Handle));
                Assert.True(_heaps.Remove(heap));
                return;
            }

            if (heap.Count == 0 || (choice < 450 && heap.Count < BlockLimit))
            {
                Alloc(heap);
            }
            else if (choice < 750)
            {
                Free(heap);
            }
            else if (choice < 900)
            {
                ReAlloc(heap);
            }
            else
            {
                Disturb(heap, choice);
            }

            heap.CheckSound();
            if (Step % StepsBetweenFullChecks == 0)
            {
                _heaps.ForEach(each => each.CheckAll());
            }
        }

        private void Create()
        {
            Command = "HeapCreate";
            nuint maximum = random.Next(6) switch
            {
                0 => 4096,
                1 => 64 << 10,
                2 => 1 << 20,
                3 => 8 << 20,
                _ => 0,
            };
            uint options = random.Next(4) == 0 ? HeapApi.HEAP_NO_SERIALIZE : 0;
            nint handle = face.HeapCreate(options, (nuint)random.Next(2) << 12, maximum);
            Assert.NotEqual(0, handle);
            Assert.DoesNotContain(handle, _heaps.Select(heap => heap.Handle));
            _heaps.Add(new HeapModel(face, handle, maximum != 0));
        }

        private void Alloc(HeapModel heap)
        {
            Command = "HeapAlloc";
            nuint bytes = PickSize(heap);
            bool zero = random.Next(3) == 0;
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

            Assert.Equal(0, (nint)block & 15);
            heap.Add((nint)block, bytes, (byte)random.Next(1, 256));
        }

        private void Free(HeapModel heap)
        {
            Command = "HeapFree";
            nint block = heap.Pick(random);
            heap.CheckBlock(block);
            Assert.True(face.HeapFree(heap.Handle, 0, (void*)block));
            heap.Remove(block);
            _dead.Enqueue(block);
            if (_dead.Count > 100)
            {
                _dead.Dequeue();
            }
        }

        private void ReAlloc(HeapModel heap)
        {
            Command = "HeapReAlloc";
            nint block = heap.Pick(random);
            heap.CheckBlock(block);
            (nuint before, byte value) = heap[block];
            nuint after = random.Next(3) == 0 ? before + (nuint)random.Next(100) : PickSize(heap);
            bool zero = random.Next(2) == 0, inPlace = random.Next(3) == 0;
            uint flags = (zero ? HeapApi.HEAP_ZERO_MEMORY : 0) | (inPlace ? HeapApi.HEAP_REALLOC_IN_PLACE_ONLY : 0);
            void* resized = face.HeapReAlloc(heap.Handle, flags, (void*)block, after);
            if (resized == null)
            {
                Assert.True(heap.Bounded || inPlace, $"A heap that grows refused to resize to {after} bytes.");
                heap.CheckBlock(block);
                return;
            }

            Assert.True(!inPlace || (nint)resized == block, "A block moved that must not.");
            Memory.AssertFilled(resized, 0, Math.Min(before, after), value);
            if (zero && after > before)
            {
                Memory.AssertFilled(resized, before, after, 0);
            }

            heap.Remove(block);
            heap.Add((nint)resized, after, value);
        }

        /// <summary>Things that must not change what the heap holds.</summary>
        private void Disturb(HeapModel heap, int choice)
        {
            nint block = heap.Pick(random);
            switch (choice % 6)
            {
                case 0:
                    Command = "HeapFree of a dead block";
                    Assert.All(_dead, dead => Assert.True(heap.IsLive(dead) || !face.HeapFree(heap.Handle, 0, (void*)dead)));
                    break;
                case 1:
                    Command = "HeapFree inside a block";
                    Assert.False(face.HeapFree(heap.Handle, 0, (void*)(block + 8)));
                    Assert.True(heap[block].Bytes <= 16 || !face.HeapFree(heap.Handle, 0, (void*)(block + 16)));
                    break;
                case 2:
                    Command = "HeapFree by another heap";
                    Assert.All(_heaps.Where(other => other != heap), other => Assert.False(face.HeapFree(other.Handle, 0, (void*)block)));
                    break;
                case 3:
                    Command = "HeapCompact";
                    face.HeapCompact(heap.Handle, 0);
                    break;
                case 4:
                    Command = "HeapOptimizeResources";
                    HEAP_OPTIMIZE_RESOURCES_INFORMATION request = new() { Version = 1 };
                    Assert.True(face.HeapSetInformation(heap.Handle, HEAP_INFORMATION_CLASS.HeapOptimizeResources, &request, 8));
                    break;
                default:
                    Command = "HeapLock";
                    Assert.True(face.HeapLock(heap.Handle));
                    Alloc(heap);
                    heap.CheckAll();
                    Assert.True(face.HeapUnlock(heap.Handle));
                    break;
            }
        }

        private nuint PickSize(HeapModel heap) => (nuint)(random.Next(20) switch
        {
            0 => 0,
            1 => random.Next(16, 200_000),
            2 => heap.Bounded ? random.Next(600_000) : random.Next(3_000_000),
            < 8 => random.Next(3000),
            _ => random.Next(300),
        });
    }
}
