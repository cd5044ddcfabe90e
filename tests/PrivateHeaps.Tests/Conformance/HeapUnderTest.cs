using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Conformance;

/// <summary>A heap of some face for the length of a test, which must leave it sound.</summary>
public sealed unsafe class HeapUnderTest : IDisposable
{
    private readonly IHeapFace _face;

    public HeapUnderTest(IHeapFace face, uint options = 0, nuint initialSize = 0, nuint maximumSize = 0)
    {
        _face = face;
        Handle = face.HeapCreate(options, initialSize, maximumSize);
        Assert.NotEqual(0, Handle);
    }

    public nint Handle { get; }

    public List<Entry> Contents => _face.Contents(Handle);

    public List<Entry> Blocks => [.. Contents.Where(entry => entry.Kind == HeapEntryKind.Block)];

    public Sizes Sizes => _face.Measure(Handle);

    public bool IsSound => _face.HeapValidate(Handle, 0, null);

    /// <summary>A block that must be there.</summary>
    public byte* Alloc(nuint bytes, uint flags = 0)
    {
        void* block = TryAlloc(bytes, flags);
        Assert.True(block != null, $"The heap refused a block of {bytes} bytes.");
        return (byte*)block;
    }

    /// <summary>A block with every byte set, so that reused memory shows.</summary>
    public byte* AllocFilled(nuint bytes, byte value)
    {
        byte* block = Alloc(bytes);
        Memory.Fill(block, bytes, value);
        return block;
    }

    public void* TryAlloc(nuint bytes, uint flags = 0) => _face.HeapAlloc(Handle, flags, bytes);

    public byte* ReAlloc(void* block, nuint bytes, uint flags = 0)
    {
        void* resized = TryReAlloc(block, bytes, flags);
        Assert.True(resized != null, $"The heap refused to resize a block to {bytes} bytes.");
        return (byte*)resized;
    }

    public void* TryReAlloc(void* block, nuint bytes, uint flags = 0) => _face.HeapReAlloc(Handle, flags, block, bytes);

    public byte* ReAllocInPlace(void* block, nuint bytes)
    {
        void* resized = TryReAlloc(block, bytes, HeapApi.HEAP_REALLOC_IN_PLACE_ONLY);
        Assert.True(resized == null || resized == block, "A block moved that must not move.");
        return (byte*)resized;
    }

    public bool TryFree(void* block) => _face.HeapFree(Handle, 0, block);

    public void Free(void* block) => Assert.True(TryFree(block), $"The heap refused to free 0x{(nuint)block:X}.");

    public nuint SizeOf(void* block) => _face.HeapSize(Handle, 0, block);

    public bool Owns(void* block) => _face.HeapValidate(Handle, 0, block);

    public void Dispose()
    {
        Assert.True(IsSound, "The test left the heap unsound.");
        Assert.True(_face.HeapDestroy(Handle));
    }
}
