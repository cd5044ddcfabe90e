namespace PrivateHeaps.Tool.Reports;

/// <summary>The names of the signals of Linux, as on x86-64 and arm64.</summary>
internal static class SignalName
{
    private static readonly string[] s_names =
    [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT",
        "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ];

    /// <summary>"SIGTERM" for 15; "signal 40" where there is no name.</summary>
    public static string Of(int signal) => signal >= 1 && signal <= s_names.Length ? $"SIG{s_names[signal - 1]}" : $"signal {signal}";
}
