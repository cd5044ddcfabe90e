using PrivateHeaps.Checks;

namespace PrivateHeaps;

/// <summary>What a <see cref="PrivateHeap"/> is created with. Sizes are bytes; the heap rounds them up to whole pages.</summary>
public sealed record PrivateHeapOptions
{
    /// <summary>A name for reports. It is kept as UTF-8 and cut to its first 31 bytes. Null for none.</summary>
    public string? Name { get; init; }

    /// <summary>
    /// Memory committed from the start; it costs nothing until it is touched. 0, the default, stands for 4 MiB or the maximum, whichever is
    /// smaller. Not more than <see cref="MaximumSize"/> if that is set.
    /// </summary>
    public nuint InitialSize { get; init; }

    /// <summary>
    /// 0, the default, for a heap that grows as long as there is memory. Otherwise the size of the one contiguous range of addresses that
    /// ever holds its blocks: the range is reserved at once, committed on demand and never exceeded.
    /// </summary>
    public nuint MaximumSize { get; init; }

    /// <summary>
    /// The most memory that a growable heap may take for its blocks; 0, the default, for no limit. Unlike <see cref="MaximumSize"/> it
    /// reserves nothing. Cannot be combined with it.
    /// </summary>
    public nuint MemoryLimit { get; init; }

    /// <summary>The caller sees to it that no two threads use the heap at the same time; the heap then needs no synchronization.</summary>
    public bool NoSerialize { get; init; }

    /// <summary>The blocks may hold code that is executed.</summary>
    public bool EnableExecute { get; init; }

    /// <summary>
    /// The exceptions carry the status codes of Windows in <see cref="Exception.HResult"/>: a failed allocation throws
    /// <see cref="OutOfMemoryException"/> with STATUS_NO_MEMORY (0xC0000017), and an address that is no block of the heap throws
    /// <see cref="AccessViolationException"/> with STATUS_ACCESS_VIOLATION (0xC0000005) in place of <see cref="ArgumentException"/>.
    /// Programs that use the heap through <c>HeapApi</c> or the C library get their failures raised, too.
    /// </summary>
    public bool GenerateExceptions { get; init; }

    /// <summary>
    /// What the heap looks after at each call; <see cref="HeapChecks.None"/>, the default, costs nothing. What the environment variable
    /// PRIVATEHEAPS_CHECK asks for is added. A finding raises <see cref="PrivateHeap.Finding"/> and throws <see cref="HeapCorruptionException"/>.
    /// </summary>
    public HeapChecks Checks { get; init; }

    /// <summary>
    /// The most bytes of freed blocks that are kept from being used again, to find who still uses them; they leave in random order. 0, the default,
    /// for 1 MiB where <see cref="Checks"/> needs a quarantine, else none.
    /// </summary>
    public nuint QuarantineSize { get; init; }

    /// <summary>
    /// One allocation in so many is put on pages of its own with an inaccessible one behind it; 0, the default, for none. From 65 on the heap
    /// stays as fast as it is without: the number then counts the blocks that threads take over in groups, and not each single one.
    /// A heap with a <see cref="MaximumSize"/> samples nothing.
    /// </summary>
    public uint SampleRate { get; init; }
}
