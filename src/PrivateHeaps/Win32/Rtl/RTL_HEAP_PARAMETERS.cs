using System.Runtime.InteropServices;

namespace PrivateHeaps.Win32;

/// <summary>More wishes of RtlCreateHeap. Only the two initial sizes, in bytes, are used here; Windows tunes its own heap by the others. 96 bytes in a 64-bit process.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct RTL_HEAP_PARAMETERS
{
    /// <summary>The size of this structure, or the heap is not created.</summary>
    public uint Length;

    /// <summary>Not used.</summary>
    public nuint SegmentReserve;

    /// <summary>Not used.</summary>
    public nuint SegmentCommit;

    /// <summary>Not used.</summary>
    public nuint DeCommitFreeBlockThreshold;

    /// <summary>Not used.</summary>
    public nuint DeCommitTotalFreeThreshold;

    /// <summary>Not used.</summary>
    public nuint MaximumAllocationSize;

    /// <summary>Not used.</summary>
    public nuint VirtualMemoryThreshold;

    /// <summary>Bytes committed from the start if the call says 0.</summary>
    public nuint InitialCommit;

    /// <summary>Bytes reserved from the start, or the maximum of a heap that cannot grow, if the call says 0.</summary>
    public nuint InitialReserve;

    /// <summary>Not used.</summary>
    public nint CommitRoutine;

    /// <summary>Not used.</summary>
    public nuint Reserved0;

    /// <summary>Not used.</summary>
    public nuint Reserved1;
}
