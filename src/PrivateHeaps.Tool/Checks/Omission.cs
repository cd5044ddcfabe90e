using PrivateHeaps.Tool.Reports;

namespace PrivateHeaps.Tool.Checks;

/// <summary>What processes have found and not reported: each reports only so much.</summary>
internal sealed class Omission
{
    /// <summary>The kind of the lines by which a process says that it does not report everything any more, and at its end how much it has not.</summary>
    public const string Kind = "omitted";

    private readonly ulong _findings;
    private readonly ulong _places;
    private readonly ulong _blocks;
    private readonly ulong _bytes;
    private readonly ulong _uncountedProcesses;

    public Omission(IReadOnlyList<Finding> lines)
    {
        foreach (Finding line in lines.Where(line => line.OmittedFindings is not null))
        {
            _findings += line.OmittedFindings ?? 0;
            _places += line.Places;
            _blocks += line.Count;
            _bytes += line.Bytes;
        }

        _uncountedProcesses = (ulong)lines.GroupBy(line => line.ProcessId).Count(process => process.Last().OmittedFindings is null);
    }

    /// <summary>Sentences about it; none when everything was reported.</summary>
    public IEnumerable<string> Sentences
    {
        get
        {
            if (_findings > 0)
                yield return $"{Human.Numbered(_findings, "more finding")} of processes with too many {(_findings == 1 ? "was" : "were")} only counted.";
            if (_places > 0)
                yield return $"{Human.Numbered(_blocks, "more block")} of {Human.Bytes(_bytes)} in all from {Human.Numbered(_places, "more place")} {(_blocks == 1 ? "was" : "were")} still allocated.";
            if (_uncountedProcesses > 0)
                yield return $"{(_uncountedProcesses == 1 ? "A process" : $"{Human.Count(_uncountedProcesses)} processes")} found more than was reported, and ended before saying how much.";
        }
    }
}
