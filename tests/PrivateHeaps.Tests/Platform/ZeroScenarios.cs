using PrivateHeaps.Heaps;
using PrivateHeaps.Slabs;
using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Platform;

/// <summary>
/// HEAP_ZERO_MEMORY means zero, whatever lay in the memory and wherever it went meanwhile, at the edges of all sizes that are treated alike; on a system that
/// gives contents back, on one that refuses to, and on one that only says that it does. In a child process.
/// </summary>
internal static unsafe class ZeroScenarios
{
    private const nuint KiB = 1 << 10, MiB = 1 << 20;
    private const uint Zero = HeapApi.HEAP_ZERO_MEMORY;
    private const int Neighbors = 5;

    public static void Run(MemoryRules rules, DecommitAnswer answer)
    {
        FailingSystem.Install(rules);
        FailingSystem.Decommits = answer;
        foreach (HeapKind kind in (HeapKind[])[HeapKind.Growable, HeapKind.Bounded, HeapKind.Fitted, HeapKind.Unserialized, HeapKind.Process])
        {
            nint heap = Create(kind);
            foreach (nuint bytes in Edges().Where(bytes => bytes * 2 < LargestBlock(kind)))
            {
                Recycle(heap, bytes);
                Resize(heap, bytes);
                if (kind != HeapKind.Process && bytes % 5 == 0)
                {
                    // The next heap gets the memory of this one.
                    Assert.True(HeapApi.HeapDestroy(heap));
                    heap = Create(kind);
                    Assert.True(heap != 0);
                    Allocated(heap, bytes);
                }
            }

            Assert.True(HeapApi.HeapValidate(heap, 0, null));
        }
    }

    private static nint Create(HeapKind kind) => kind switch
    {
        HeapKind.Bounded => HeapApi.HeapCreate(0, 4 * KiB, 64 * MiB),
        HeapKind.Fitted => HeapApi.HeapCreate(0, 4 * KiB, 8 * MiB),
        HeapKind.Unserialized => HeapApi.HeapCreate(HeapApi.HEAP_NO_SERIALIZE, 0, 0),
        HeapKind.Process => HeapApi.GetProcessHeap(),
        _ => HeapApi.HeapCreate(0, 0, 0),
    };

    // A heap with a maximum has no blocks from 0x7FFF8 bytes on.
    private static nuint LargestBlock(HeapKind kind) => kind is HeapKind.Fitted or HeapKind.Bounded ? 0x7FFF8 : nuint.MaxValue;

    private static IEnumerable<nuint> Edges()
    {
        SortedSet<nuint> edges = [0, 1, 2, 15, 16, 17];
        IEnumerable<nuint> centers = Enumerable.Range(0, SizeClass.Count).Select(index => (nuint)SizeClass.BlockBytes((uint)index))
            .Concat(Enumerable.Range(1, 20).Select(page => (nuint)page * 4096))
            .Concat((nuint[])[32 * KiB, 128 * KiB, 256 * KiB, 260 * KiB, 300 * KiB, 512 * KiB, 0xFF000, 0x100000, 2 * MiB, 3 * MiB + 4096]);
        foreach (nuint center in centers)
        {
            edges.UnionWith([center - 1, center, center + 1]);
        }

        return edges;
    }

    // Freed and taken again; freed, given back to the system and taken again; alone and between live neighbors.
    private static void Recycle(nint heap, nuint bytes)
    {
        nint[] blocks = new nint[Neighbors];
        for (int turn = 0; turn < 3; turn++)
        {
            for (int index = 0; index < Neighbors; index++)
            {
                blocks[index] = blocks[index] != 0 ? blocks[index] : Allocated(heap, bytes);
            }

            for (int index = turn % 2; index < Neighbors; index += turn == 2 ? 1 : 2)
            {
                Assert.True(HeapApi.HeapFree(heap, 0, blocks[index]));
                blocks[index] = 0;
            }

            if (turn != 0)
            {
                nuint returned;
                Assert.True(Heap.Trim(CurrentThread.State, heap, &returned));
            }
        }

        Assert.True(HeapApi.HeapFree(heap, 0, Allocated(heap, bytes)));
    }

    // What a block grows by is zero: in its slack, behind a smaller self of its own, in pages that it had given back, and elsewhere.
    private static void Resize(nint heap, nuint bytes)
    {
        nint block = Allocated(heap, bytes);
        nuint size = bytes;
        foreach (nuint next in (nuint[])[bytes / 2, bytes, bytes - Math.Min(bytes, 1), bytes, bytes / 5, bytes * 2, bytes, bytes * 2, bytes / 3, bytes + 1])
        {
            block = HeapApi.HeapReAlloc(heap, Zero, block, next);
            Assert.True(block != 0, $"{size} bytes are not resized to {next}.");
            Memory.AssertFilled((void*)block, 0, Math.Min(size, next), 0xC9);
            Memory.AssertFilled((void*)block, Math.Min(size, next), next, 0);
            Memory.Fill((void*)block, next, 0xC9);
            size = next;
        }

        Assert.True(HeapApi.HeapFree(heap, 0, block));
    }

    // A zeroed block, filled with something else.
    private static nint Allocated(nint heap, nuint bytes)
    {
        nint block = HeapApi.HeapAlloc(heap, Zero, bytes);
        Assert.True(block != 0, $"{bytes} bytes are refused.");
        Memory.AssertFilled((void*)block, 0, bytes, 0);
        Memory.Fill((void*)block, bytes, 0xC9);
        return block;
    }
}
