namespace PrivateHeaps.Tool.Commands;

/// <summary>The exit codes that are pheap's own. Those of its failures are the ones that env and timeout have for them.</summary>
internal static class ExitCode
{
    /// <summary>"pheap check" has found something; else the program's own code is passed on.</summary>
    public const int Found = 99;

    /// <summary>pheap itself cannot do what it was asked to.</summary>
    public const int OwnFailure = 125;

    /// <summary>The program is there but cannot be executed.</summary>
    public const int CannotExecute = 126;

    /// <summary>There is no such program.</summary>
    public const int NotFound = 127;

    /// <summary>Added to the number of a signal that ended the program but does not end pheap.</summary>
    public const int SignalBase = 128;
}
