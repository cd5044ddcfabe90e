using System.Runtime.InteropServices;

namespace PrivateHeaps.Tool.Launching;

/// <summary>How a launched program ended and what it cost; struct launch_result of native/launch.c.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct LaunchResult
{
    /// <summary>ENOENT.</summary>
    public const int NoSuchFile = 2;

    /// <summary>The errno of a start that failed; 0 when the program ran.</summary>
    public int Error { get; init; }

    /// <summary>0 when there was not even a process.</summary>
    public int ProcessId { get; init; }

    /// <summary>-1 when a signal ended the program.</summary>
    public int ExitCode { get; init; }

    /// <summary>0 when the program exited.</summary>
    public int Signal { get; init; }

    /// <summary>Not 0 when the signal left a core file.</summary>
    public int CoreDumped { get; init; }

    /// <summary>Fills the gap before the 64-bit fields.</summary>
    public int Reserved { get; init; }

    /// <summary>From just before the fork to the program's end.</summary>
    public long WallNanoseconds { get; init; }

    /// <summary>Processor time in the program and in the children that it waited for.</summary>
    public long UserNanoseconds { get; init; }

    /// <summary>Processor time in the kernel, for the same processes.</summary>
    public long SystemNanoseconds { get; init; }

    /// <summary>The largest resident set among these processes.</summary>
    public long PeakResidentBytes { get; init; }

    /// <summary>What <see cref="Error"/> means.</summary>
    public string ErrorText => Marshal.GetPInvokeErrorMessage(Error);
}
