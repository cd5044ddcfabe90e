using PrivateHeaps.Checks;

namespace PrivateHeaps.Heaps;

/// <summary>What a heap is created with. Sizes are bytes; the engine rounds them up to whole pages.</summary>
internal unsafe struct HeapLimits
{
    /// <summary>No size may be larger: page counts up to here fit in 32 bits.</summary>
    public static nuint LargestBytes => (nuint)1 << 42;

    /// <summary>NoSerialize, GenerateExceptions, CreateEnableExecute and the Forced ones of <see cref="HeapFlags"/>; other bits are ignored.</summary>
    public uint Options;

    /// <summary>Bytes committed from the start; 0 means the default (4 MiB, or the maximum if that is smaller).</summary>
    public nuint InitialBytes;

    /// <summary>0 for a growable heap; else the exact size of the one contiguous range that holds every block.</summary>
    public nuint MaximumBytes;

    /// <summary>For a growable heap: the most bytes that its blocks and slabs may take; 0 for no limit.</summary>
    public nuint LimitBytes;

    /// <summary>For a growable heap: bytes of its first region; 0 for as many as are committed from the start.</summary>
    public nuint ReservedBytes;

    /// <summary>For a growable heap: the most bytes of a further region; 0 for the default.</summary>
    public nuint LargestRegionBytes;

    /// <summary>Free memory goes back to the system by itself; else only on request or when the heap is destroyed.</summary>
    public bool ReturnsMemory;

    /// <summary>A name for reports: UTF-8, zero-terminated, copied (at most 31 bytes); null for none.</summary>
    public byte* Name;

    /// <summary>What the heap looks after, beside what the environment asks for; sizes of 0 stand for the default of the checks.</summary>
    public HeapChecks Checks;

    /// <summary>One allocation in so many lies on guard pages; 0 for none.</summary>
    public uint SampleRate;
    public nuint QuarantineBytes;
}
