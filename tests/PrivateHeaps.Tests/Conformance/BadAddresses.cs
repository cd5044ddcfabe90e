using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PrivateHeaps.Tests.Conformance;

/// <summary>
/// A heap, a second heap, and every kind of address that is no block of the first. Afterwards the blocks around must be as they were.
/// </summary>
public sealed unsafe class BadAddresses : IDisposable
{
    private const byte Pattern = 0xA7;
    private const nuint SmallBytes = 100, LargeBytes = 3 << 20;

    private static ReadOnlySpan<byte> StaticData => "Data of the program itself, in no heap at all, 64 bytes and more."u8;

    private readonly HeapUnderTest _heap, _otherHeap;
    private readonly byte* _small, _large, _foreignSmall, _foreignLarge;

    public BadAddresses(IHeapFace face, uint options = 0)
    {
        _heap = new HeapUnderTest(face, options);
        _otherHeap = new HeapUnderTest(face);
        _small = _heap.AllocFilled(SmallBytes, Pattern);
        _large = _heap.AllocFilled(LargeBytes, Pattern);
        _foreignSmall = _otherHeap.AllocFilled(SmallBytes, Pattern);
        _foreignLarge = _otherHeap.AllocFilled(LargeBytes, Pattern);
    }

    public nint Heap => _heap.Handle;

    /// <summary>Runs a test with each address and names the one that fails it.</summary>
    public void ForEach(Func<nint, bool> refuses)
    {
        byte* freedSmall = _heap.Alloc(SmallBytes);
        byte* freedLarge = _heap.Alloc(LargeBytes);
        byte* freedZero = _heap.Alloc(0);
        byte* neverAllocated = _heap.Alloc(48);
        _heap.Free(freedSmall);
        _heap.Free(freedLarge);
        _heap.Free(freedZero);
        long onStack = 0;
        int* fromMalloc = (int*)NativeMemory.AlignedAlloc(64, 16);

        (string Kind, nint Address)[] addresses =
        [
            ("freed", (nint)freedSmall),
            ("freed, large", (nint)freedLarge),
            ("freed, of size 0", (nint)freedZero),
            ("misaligned by 1", (nint)(_small + 1)),
            ("misaligned by 8", (nint)(_small + 8)),
            ("inside", (nint)(_small + 16)),
            ("inside, in the second half", (nint)(_small + 64)),
            ("inside a large block", (nint)(_large + 4096)),
            ("inside a large block, far", (nint)(_large + LargeBytes - 16)),
            ("just below", (nint)(_small - 1)),
            // The system may put the mapping right below the region that begins with the small block, so not the very next byte.
            ("behind a large block", (nint)(_large + LargeBytes + 16)),
            ("a block of another heap", (nint)_foreignSmall),
            ("a large block of another heap", (nint)_foreignLarge),
            ("on the stack", (nint)(&onStack) & ~15),
            ("static", (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(StaticData))),
            ("from malloc", (nint)fromMalloc),
            ("unmapped, low", 0x10),
            ("one", 1),
            ("unmapped", 0x1234_5670),
            ("beyond a small block's slab", (nint)(_small + (64 << 20))),
            ("non-canonical", unchecked((nint)0x8765_4321_0FED_CBA0)),
            ("the highest", -16),
            ("all ones", -1),
            ("the handle", _heap.Handle),
        ];

        foreach ((string kind, nint address) in addresses)
        {
            Assert.True(refuses(address), $"An address that is {kind} (0x{address:X}) was not refused as it should be.");
        }

        Random random = new(20_240_601);
        for (int count = 0; count < 2000; count++)
        {
            nint address = (nint)random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(48);
            Assert.True(address == 0 || refuses(address), $"The random address 0x{address:X} was not refused as it should be.");
        }

        NativeMemory.AlignedFree(fromMalloc);
        _heap.Free(neverAllocated);
    }

    public void Dispose()
    {
        foreach ((HeapUnderTest heap, nint block, nuint bytes) in
            new[] { (_heap, (nint)_small, SmallBytes), (_heap, (nint)_large, LargeBytes), (_otherHeap, (nint)_foreignSmall, SmallBytes), (_otherHeap, (nint)_foreignLarge, LargeBytes) })
        {
            Assert.Equal(bytes, heap.SizeOf((void*)block));
            Memory.AssertFilled((void*)block, 0, bytes, Pattern);
            heap.Free((void*)block);
        }

        _heap.Dispose();
        _otherHeap.Dispose();
    }
}
