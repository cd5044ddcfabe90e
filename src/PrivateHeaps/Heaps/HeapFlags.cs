namespace PrivateHeaps.Heaps;

/// <summary>The flags of heaps and of single calls. The values are those of winnt.h, so that every face can pass its own through.</summary>
internal static class HeapFlags
{
    public const uint NoSerialize = 0x1;
    public const uint GenerateExceptions = 0x4;
    public const uint ZeroMemory = 0x8;
    public const uint ReallocInPlaceOnly = 0x10;

    /// <summary>Of <see cref="Heap.AllocateSettable"/>: something can be attached to the block. Means other things to other calls.</summary>
    public const uint SettableUserValue = 0x100;

    /// <summary>What can be attached beside the value.</summary>
    public const uint UserFlags = 0xE00;

    /// <summary>Flags of calls that a heap can be created with: they then hold for every call on it.</summary>
    public const uint Forced = ZeroMemory | ReallocInPlaceOnly;
    public const uint CreateEnableExecute = 0x40000;

    /// <summary>Of a heap's creation: what Windows calls HEAP_TAIL_CHECKING_ENABLED and HEAP_FREE_CHECKING_ENABLED.</summary>
    public const uint TailChecking = 0x20;
    public const uint FreeChecking = 0x40;

    /// <summary>Of calls of the .NET library's own face.</summary>
    public const uint OfLibrary = 0x40000000;

    /// <summary>Of an allocation inside the engine: a block moves here because it has grown, and may grow again.</summary>
    public const uint Grows = 0x20000000;

    /// <summary>Of malloc's calls, by which they are known: a block gets a mapping of its own from a smaller size on than Windows has it.</summary>
    public const uint MapsEarly = 0x80000000;
}
