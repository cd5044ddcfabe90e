using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Conformance;

/// <summary>What the tests of the Global and Local functions say again and again.</summary>
internal static unsafe class MemoryUnderTest
{
    public const uint Moveable = WinBase.GMEM_MOVEABLE, ZeroInit = WinBase.GMEM_ZEROINIT;
    public const uint Modify = WinBase.GMEM_MODIFY, DdeShare = WinBase.GMEM_DDESHARE;
    public const uint Untouched = 0xBEEF, NoError = 0, InvalidHandle = 6, NotEnoughMemory = 8;
    public const uint InvalidParameter = 87, IsDiscarded = 157, NotLocked = 158, NoAccess = 998;

    public const byte Pattern = 0xC5;

    /// <summary>Of one block, in pages that no size class shares.</summary>
    public const nuint LargeBytes = 3 << 20;

    /// <summary>One of each kind of block: a slab's, a page run, a mapping of its own.</summary>
    public static readonly nuint[] BlockSizes = [1, 100, 5000, 100_000, LargeBytes];

    public static uint Discardable(this IMemoryFace face) => face.IsLocal ? WinBase.LMEM_DISCARDABLE : WinBase.GMEM_DISCARDABLE;

    public static nint MustAlloc(this IMemoryFace face, uint flags, nuint bytes)
    {
        nint memory = Expect(face, Untouched, () => face.Alloc(flags, bytes));
        Assert.True(memory != 0, $"{face} refused {bytes} bytes with flags 0x{flags:X}.");
        return memory;
    }

    /// <summary>A block with every byte set.</summary>
    public static nint AllocFilled(this IMemoryFace face, uint flags, nuint bytes, byte value)
    {
        nint memory = face.MustAlloc(flags, bytes);
        Memory.Fill((void*)face.Address(memory), bytes, value);
        return memory;
    }

    public static void MustFree(this IMemoryFace face, nint memory) => Assert.Equal(0, Expect(face, Untouched, () => face.Free(memory)));

    /// <summary>Where the block is now, by the handle itself; a fixed block's address is its handle.</summary>
    public static nint Address(this IMemoryFace face, nint memory) => IsHandle(memory) ? *(nint*)memory : memory;

    /// <summary>The word before the one that a handle points to.</summary>
    public static nuint Entry(nint handle) => ((nuint*)handle)[-1];

    public static bool IsHandle(nint memory) => memory % (2 * sizeof(nint)) == sizeof(nint);

    public static bool IsBlock(this IMemoryFace face, nint address) => face.Heaps.HeapValidate(face.Heaps.GetProcessHeap(), 0, (void*)address);

    /// <summary>Makes a call that must leave this last error.</summary>
    public static T Expect<T>(this IMemoryFace face, uint error, Func<T> call)
    {
        face.Heaps.LastError = Untouched;
        T result = call();
        Assert.Equal(error, face.Heaps.LastError);
        return result;
    }

    /// <summary>Makes a call that must be refused with 0 and this last error.</summary>
    public static void ExpectRefusal(this IMemoryFace face, uint error, Func<nint> call) => Assert.Equal(0, face.Expect(error, call));

    /// <summary>The block has this size, and so many bytes of the pattern at its start.</summary>
    public static void AssertIs(this IMemoryFace face, nint memory, nuint bytes, nuint filledBytes)
    {
        Assert.Equal(bytes, face.Size(memory));
        nint block = face.Address(memory);
        Assert.Equal(bytes, face.Heaps.HeapSize(face.Heaps.GetProcessHeap(), 0, (void*)block));
        Memory.AssertFilled((void*)block, 0, filledBytes, Pattern);
    }

    /// <summary>The block has this size and is full of the pattern.</summary>
    public static void AssertUnchanged(this IMemoryFace face, nint memory, nuint bytes) => face.AssertIs(memory, bytes, bytes);
}
