namespace PrivateHeaps.Win32;

/// <summary>What HeapQueryInformation and HeapSetInformation ask about. The values are those of winnt.h.</summary>
public enum HEAP_INFORMATION_CLASS
{
    /// <summary>The heap's front end, a 32-bit number: 0 standard, 2 low fragmentation. Can be queried and set.</summary>
    HeapCompatibilityInformation = 0,

    /// <summary>Asks the process to end when a heap is found corrupted. Needs no heap and no buffer. Can be set.</summary>
    HeapEnableTerminationOnCorruption = 1,

    /// <summary>
    /// Gives free memory of one heap (or, with a null handle, of all heaps) back to the operating system.
    /// The buffer is a <see cref="HEAP_OPTIMIZE_RESOURCES_INFORMATION"/>. Can be set.
    /// </summary>
    HeapOptimizeResources = 3,

    /// <summary>Accepted and without effect. Can be set.</summary>
    HeapTag = 7,
}
