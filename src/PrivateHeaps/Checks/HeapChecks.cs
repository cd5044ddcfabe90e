namespace PrivateHeaps.Checks;

/// <summary>
/// What a heap looks after at each call, by the names that Windows has for its own (gflags) and the environment variable PRIVATEHEAPS_CHECK takes.
/// A heap without any pays nothing for them.
/// </summary>
[Flags]
public enum HeapChecks : uint
{
    /// <summary>Nothing beyond what every heap refuses.</summary>
    None = 0,

    /// <summary>htc: at least 16 bytes of 0xAB behind the requested size of each block; verified when it is freed, resized or validated.</summary>
    TailChecking = 0x1,

    /// <summary>
    /// hfc: fresh memory is filled with 0xBAADF00D and freed memory with 0xFEEEFEEE, which is verified before the memory is used again. Freed blocks
    /// wait in a quarantine until then, of 1 MiB if no size is given.
    /// </summary>
    FreeChecking = 0x2,

    /// <summary>hpc: flags, handles and sizes that mean nothing to a function are findings.</summary>
    ParameterChecking = 0x4,

    /// <summary>hvc: the whole heap is validated with each call.</summary>
    ValidateOnCall = 0x8,

    /// <summary>hpa: each block lies against a page that cannot be accessed, which follows it; freed blocks cannot be accessed either.</summary>
    PageHeap = 0x10,

    /// <summary>hpa=before: the inaccessible page lies in front of the block.</summary>
    PageHeapBefore = 0x20,

    /// <summary>ust: who allocated and who freed a block is recorded, and part of each finding.</summary>
    StackTraces = 0x40,

    /// <summary>leaks: what is still allocated when the heap is destroyed or the process ends is a finding.</summary>
    Leaks = 0x80,

    /// <summary>continue: a finding is reported, and neither ends the process nor throws an exception.</summary>
    Continue = 0x100,
}
