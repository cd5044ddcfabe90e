namespace PrivateHeaps.Heaps;

/// <summary>Why an operation of <see cref="Heap"/> was refused. Stored in <see cref="ThreadState.Failure"/> of the calling thread.</summary>
internal enum HeapFailure : uint
{
    /// <summary>Nothing failed.</summary>
    None,

    /// <summary>The operating system, the heap's maximum or its memory limit has no room for the request.</summary>
    NoMemory,

    /// <summary>A heap with a maximum does not serve single blocks this large.</summary>
    BlockTooLarge,

    /// <summary>The block cannot take the new size where it lies, and the caller forbade moving it.</summary>
    WouldMove,

    /// <summary>The handle names no living heap.</summary>
    BadHandle,

    /// <summary>The address is not the start of a live block of this heap.</summary>
    BadBlock,

    /// <summary>An argument other than the handle and the block is out of range.</summary>
    BadParameter,

    /// <summary>The operation is not allowed on the process heap.</summary>
    ProcessHeap,

    /// <summary>A walk has reached the end of the heap.</summary>
    NoMoreEntries,
}
