namespace PrivateHeaps.Checks;

/// <summary>What a check of a heap has found.</summary>
public sealed class HeapFindingEventArgs : EventArgs
{
    internal HeapFindingEventArgs(string kind, string message, string report, nint handle, string heapName, nint address, nuint byteCount)
    {
        Kind = kind;
        Message = message;
        Report = report;
        Handle = handle;
        HeapName = heapName;
        Address = address;
        ByteCount = byteCount;
    }

    /// <summary>overflow, underflow, use-after-free, double-free, bad-address, bad-handle, bad-parameter, corrupt or leak.</summary>
    public string Kind { get; }

    /// <summary>One sentence.</summary>
    public string Message { get; }

    /// <summary>The sentence, the stacks if <see cref="HeapChecks.StackTraces"/> is on, and a dump of at most 64 bytes.</summary>
    public string Report { get; }

    /// <summary>The handle of the heap; 0 when the finding concerns none.</summary>
    public nint Handle { get; }

    /// <summary>The name of the heap; empty if it has none.</summary>
    public string HeapName { get; }

    /// <summary>The address that was given to a function, or at which the damage begins.</summary>
    public nint Address { get; }

    /// <summary>The requested size of the block in bytes; 0 when there is no block.</summary>
    public nuint ByteCount { get; }
}
