using System.Text;
using PrivateHeaps.Heaps;

namespace PrivateHeaps.Tool.Reports;

/// <summary>What one process image did with the heap: a <see cref="Census"/> as a report needs it. Sizes are bytes.</summary>
internal sealed unsafe class ProcessImage
{
    private readonly Census _census;

    /// <param name="census">The counters.</param>
    /// <param name="sequence">0 for the first image of the process, 1 after its first exec, and so on.</param>
    public ProcessImage(Census census, int sequence)
    {
        _census = census;
        Sequence = sequence;
        Command = TextOf(census);
        End = census.EndedInOrder switch
        {
            1 => ImageEnd.Exited,
            2 => ImageEnd.Replaced,
            _ => Directory.Exists($"/proc/{census.ProcessId}") ? ImageEnd.Running : ImageEnd.Killed,
        };
        SizeClasses = ClassesOf(census);
    }

    public int Sequence { get; }

    public string Command { get; }

    public ImageEnd End { get; }

    /// <summary>The ranges of sizes of which there ever was a block, in the order of sizes.</summary>
    public IReadOnlyList<SizeClass> SizeClasses { get; }

    public int ProcessId => _census.ProcessId;

    public int ParentProcessId => _census.ParentProcessId;

    public long StartNanoseconds => _census.StartNanoseconds;

    public uint ThreadPeak => _census.ThreadPeak;

    public ulong Allocations => _census.Allocations;

    public ulong Frees => _census.Frees;

    public ulong Reallocations => _census.Reallocations;

    public ulong FailedAllocations => _census.FailedAllocations;

    /// <summary>A child that frees what it inherited by fork may have freed more than it allocated; it is shown as using nothing.</summary>
    public ulong BytesInUse => (ulong)Math.Max(0, _census.BytesInUse);

    public ulong PeakBytesInUse => (ulong)Math.Max(0, _census.PeakBytesInUse);

    public ulong CommittedBytes => _census.CommittedBytes;

    public ulong PeakCommittedBytes => _census.PeakCommittedBytes;

    public ulong ReservedBytes => _census.ReservedBytes;

    public ulong LiveBlocks => Allocations > Frees ? Allocations - Frees : 0;

    /// <summary>Whether <see cref="LargestLiveBytes"/> was counted at an orderly end; else it is only known to be at most that.</summary>
    public bool LargestLiveIsExact => _census.EndedInOrder != 0;

    public ulong LargestLiveBytes => LargestLiveIsExact
        ? _census.LargestLiveBytes
        : SizeClasses.LastOrDefault(one => one.Live > 0)?.ToBytes ?? 0;

    /// <summary>1 - in use / committed, at the end, from 0 to 1; null when nothing was committed.</summary>
    public double? Fragmentation => CommittedBytes == 0 ? null : 1 - (double)Math.Min(BytesInUse, CommittedBytes) / CommittedBytes;

    private static List<SizeClass> ClassesOf(Census census)
    {
        var classes = new List<SizeClass>();
        for (int bucket = 0; bucket < Census.BucketCount; bucket++)
        {
            (ulong allocated, ulong freed) = (census.AllocatedInBucket[bucket], census.FreedInBucket[bucket]);
            if ((allocated | freed) != 0)
                classes.Add(new SizeClass(FirstOf(bucket), LastOf(bucket), allocated, freed));
        }

        return classes;
    }

    private static ulong FirstOf(int bucket) => bucket == 0 ? 0 : (1ul << (bucket - 1)) + 1;

    private static ulong LastOf(int bucket) => 1ul << bucket;

    private static string TextOf(Census census)
    {
        var bytes = new ReadOnlySpan<byte>(census.Command, 64);
        int length = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(length < 0 ? bytes : bytes[..length]);
    }
}
