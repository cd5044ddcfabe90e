namespace PrivateHeaps.Tests.Platform;

/// <summary>Kinds of heaps that differ in what they ask of the system.</summary>
internal enum HeapKind
{
    Growable,

    /// <summary>Growable, of threads that are on another node each time that they are asked.</summary>
    Wandering,

    /// <summary>A maximum that is too large for a fitted heap.</summary>
    Bounded,
    Fitted,
    Executable,
    Unserialized,

    /// <summary>Failures are raised.</summary>
    Raising,

    /// <summary>With tails, and freed memory that waits in quarantine; so it has a record of each block.</summary>
    Checked,

    /// <summary>The process heap, which gives free memory back by itself, and its handles.</summary>
    Process,
}
