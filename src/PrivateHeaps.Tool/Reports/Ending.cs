using PrivateHeaps.Tool.Launching;

namespace PrivateHeaps.Tool.Reports;

/// <summary>How a program ended, in words.</summary>
internal static class Ending
{
    /// <summary>"exited with code 3", "was ended by SIGSEGV, with a core file".</summary>
    public static string Of(LaunchResult result) => result.Signal == 0
        ? $"exited with code {result.ExitCode}"
        : $"was ended by {SignalName.Of(result.Signal)}{(result.CoreDumped != 0 ? ", with a core file" : "")}";

    /// <summary>The color that goes with it.</summary>
    public static string ColorOf(LaunchResult result) => result.Signal != 0 ? "red" : result.ExitCode != 0 ? "yellow" : "green";
}
