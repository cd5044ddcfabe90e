using System.Text;
using PrivateHeaps.Heaps;
using PrivateHeaps.Tool.Launching;

namespace PrivateHeaps.Tool.Tests.Reports;

/// <summary>Counters of processes that never were.</summary>
internal static unsafe class SampleCensus
{
    /// <summary>A number that no process has, as Linux gives none above 2^22.</summary>
    public const int ProcessId = 1 << 24;

    public static LaunchResult Exited(int exitCode = 0) => new() { ProcessId = ProcessId, ExitCode = exitCode, WallNanoseconds = 1_440_000_000 };

    public static LaunchResult Killed(int signal) => new() { ProcessId = ProcessId, ExitCode = -1, Signal = signal };

    /// <summary>1,000 blocks of 17 to 32 bytes of which 10 are live, and two live ones of 3,000 bytes.</summary>
    public static Census Create(uint endedInOrder = 1, int processId = ProcessId, string command = "sample")
    {
        var census = new Census
        {
            Magic = Census.MagicValue,
            ProcessId = processId,
            ParentProcessId = ProcessId - 1,
            StartNanoseconds = 5,
            EndedInOrder = endedInOrder,
            ThreadPeak = 3,
            Allocations = 1_002,
            Frees = 990,
            Reallocations = 4,
            FailedAllocations = 1,
            BytesInUse = 6_250,
            PeakBytesInUse = 12_500,
            CommittedBytes = 25_000,
            PeakCommittedBytes = 50_000,
            ReservedBytes = 1 << 30,
            LargestLiveBytes = endedInOrder == 0 ? 0ul : 3_000,
        };
        Encoding.UTF8.GetBytes(command, new Span<byte>(census.Command, 63));
        census.AllocatedInBucket[5] = 1_000;
        census.FreedInBucket[5] = 990;
        census.AllocatedInBucket[12] = 2;
        return census;
    }
}
