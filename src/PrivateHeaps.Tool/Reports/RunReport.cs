using PrivateHeaps.Tool.Launching;

namespace PrivateHeaps.Tool.Reports;

/// <summary>One run of "pheap run": the program, its end, and every process image that used the heap.</summary>
internal sealed class RunReport
{
    /// <param name="commandLine">The program and its arguments.</param>
    /// <param name="result">How it ended.</param>
    /// <param name="images">All images, in the order of their beginning.</param>
    public RunReport(IReadOnlyList<string> commandLine, LaunchResult result, IReadOnlyList<ProcessImage> images)
    {
        CommandLine = commandLine;
        Result = result;
        Main = images.Where(image => image.ProcessId == result.ProcessId).MaxBy(image => image.Sequence);
        Others = [.. images.Where(image => image != Main)];
    }

    public IReadOnlyList<string> CommandLine { get; }

    public LaunchResult Result { get; }

    /// <summary>The last image of the program's own process; null when that process never used the heap.</summary>
    public ProcessImage? Main { get; }

    /// <summary>Children, and what the program's process was before an exec.</summary>
    public IReadOnlyList<ProcessImage> Others { get; }
}
