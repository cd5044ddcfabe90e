namespace PrivateHeaps.Tests.Conformance;

/// <summary>The Global or the Local functions of one face, and that face's heap functions beside them.</summary>
public unsafe interface IMemoryFace
{
    bool IsLocal { get; }

    IWin32Face Heaps { get; }

    nint Alloc(uint flags, nuint bytes);

    nint ReAlloc(nint memory, nuint bytes, uint flags);

    nint Free(nint memory);

    nint Lock(nint memory);

    bool Unlock(nint memory);

    nuint Size(nint memory);

    uint Flags(nint memory);

    nint Handle(nint block);

    nuint Compact(uint bytes);
}
