using System.Runtime.InteropServices;

namespace PrivateHeaps.Heaps;

/// <summary>
/// The counters of one process image under "pheap run", in a file that the process maps shared, so that they survive any kind of death.
/// The directory comes from the environment variable PRIVATEHEAPS_CENSUS; the file is DIRECTORY/PID-SEQUENCE, made when the process heap
/// is first used, anew in the child after fork and anew after exec. Fields are updated with atomic instructions on every counted call;
/// the reader opens the file after the process ended. All sizes are bytes as requested by the program unless said otherwise.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Census
{
    public const ulong MagicValue = 0x31_53_4E_45_43_48_50; // "PHCENS1"

    /// <summary>Size buckets: bucket 0 holds 0 and 1 bytes, bucket k sizes in (2^(k-1), 2^k].</summary>
    public const int BucketCount = 48;

    public ulong Magic;
    public int ProcessId;
    public int ParentProcessId;

    /// <summary>CLOCK_REALTIME nanoseconds when the census was opened.</summary>
    public long StartNanoseconds;

    /// <summary>1 when the process ended in order (exit, _exit, exec is 2) and the fields below were completed; 0 when it was killed.</summary>
    public uint EndedInOrder;
    public uint ThreadPeak;
    public ulong Allocations;
    public ulong Frees;
    public ulong Reallocations;
    public ulong FailedAllocations;
    public long BytesInUse;
    public long PeakBytesInUse;
    public ulong CommittedBytes;
    public ulong PeakCommittedBytes;
    public ulong ReservedBytes;

    /// <summary>Exact only when EndedInOrder is not 0; else 0, and the highest bucket with live blocks bounds it.</summary>
    public ulong LargestLiveBytes;

    /// <summary>Zero-terminated UTF-8: the program's own name as the system has it (/proc/self/comm).</summary>
    public fixed byte Command[64];
    public fixed ulong AllocatedInBucket[BucketCount];
    public fixed ulong FreedInBucket[BucketCount];
}
