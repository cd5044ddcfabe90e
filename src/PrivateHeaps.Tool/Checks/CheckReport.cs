using PrivateHeaps.Tool.Launching;

namespace PrivateHeaps.Tool.Checks;

/// <summary>One run of "pheap check": the program, its end, and what was found in its processes.</summary>
/// <param name="commandLine">The program and its arguments.</param>
/// <param name="result">How it ended.</param>
/// <param name="file">What its processes have written.</param>
/// <param name="findings">The findings among it, perhaps with source lines.</param>
internal sealed class CheckReport(IReadOnlyList<string> commandLine, LaunchResult result, FindingFile file, IReadOnlyList<Finding> findings)
{
    public IReadOnlyList<string> CommandLine { get; } = commandLine;

    public LaunchResult Result { get; } = result;

    public IReadOnlyList<Finding> Findings { get; } = findings;

    public FindingFile File { get; } = file;

    /// <summary>The lines of the table and the results of the SARIF report.</summary>
    public IReadOnlyList<FindingGroup> Groups { get; } = FindingGroup.Of(findings);
}
