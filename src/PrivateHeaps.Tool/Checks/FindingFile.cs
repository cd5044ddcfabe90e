namespace PrivateHeaps.Tool.Checks;

/// <summary>What the process images of a run have written about themselves.</summary>
internal sealed class FindingFile
{
    /// <summary>The kind of the line with which an image begins.</summary>
    private const string ProcessKind = "process";

    private readonly List<Finding> _findings = [];

    public FindingFile(IEnumerable<string> lines)
    {
        List<Finding> omitted = [];
        foreach (string line in lines.Where(line => line.Length > 0))
        {
            Finding? finding = Finding.Parse(line);
            if (finding is null)
                UnreadableCount++;
            else if (finding.Kind == ProcessKind)
                ImageCount++;
            else if (finding.Kind == Omission.Kind)
                omitted.Add(finding);
            else
                _findings.Add(finding);
        }

        Omission = new Omission(omitted);
    }

    /// <summary>In the order of their coming.</summary>
    public IReadOnlyList<Finding> Findings => _findings;

    /// <summary>Programs that were checked: one for each process, and one more for each exec in it. A child of fork belongs to its parent's.</summary>
    public int ImageCount { get; }

    /// <summary>What the processes have found and not written down.</summary>
    public Omission Omission { get; }

    /// <summary>Lines that were no findings, as the last one of a process that was killed as it wrote.</summary>
    public int UnreadableCount { get; }
}
