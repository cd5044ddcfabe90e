namespace PrivateHeaps.Heaps;

/// <summary>What a heap is created with. Sizes are bytes; the engine rounds them up to whole pages.</summary>
internal unsafe struct HeapLimits
{
    /// <summary>NoSerialize, GenerateExceptions and CreateEnableExecute of <see cref="HeapFlags"/>; other bits are ignored.</summary>
    public uint Options;

    /// <summary>Bytes committed from the start; 0 means the default (4 MiB, or the maximum if that is smaller).</summary>
    public nuint InitialBytes;

    /// <summary>0 for a growable heap; else the exact size of the one contiguous range that holds every block.</summary>
    public nuint MaximumBytes;

    /// <summary>For a growable heap: the most bytes that its blocks and slabs may take; 0 for no limit.</summary>
    public nuint LimitBytes;

    /// <summary>A name for reports: UTF-8, zero-terminated, copied (at most 31 bytes); null for none.</summary>
    public byte* Name;
}
