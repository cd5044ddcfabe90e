namespace PrivateHeaps.Tests.Conformance;

/// <summary>What every face of the engine can do, in the terms of Windows, so that one suite tests them all.</summary>
public unsafe interface IHeapFace
{
    nint HeapCreate(uint options, nuint initialSize, nuint maximumSize);

    bool HeapDestroy(nint heap);

    /// <summary>Null when refused. Flags that a face has no word for are not passed to it.</summary>
    void* HeapAlloc(nint heap, uint flags, nuint bytes);

    void* HeapReAlloc(nint heap, uint flags, void* block, nuint bytes);

    bool HeapFree(nint heap, uint flags, void* block);

    /// <summary>nuint.MaxValue when refused.</summary>
    nuint HeapSize(nint heap, uint flags, void* block);

    bool HeapValidate(nint heap, uint flags, void* block);

    /// <summary>The whole heap, walked from start to end.</summary>
    List<Entry> Contents(nint heap);

    Sizes Measure(nint heap);
}
