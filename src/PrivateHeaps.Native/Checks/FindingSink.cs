using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Checks;

/// <summary>Where findings go in a native process: standard error, and then the end. The managed library has a file of the same name and shape.</summary>
internal static unsafe class FindingSink
{
    /// <summary>Whether a finding that ends is the process's last one.</summary>
    public const bool EndsProcess = true;

    private static int s_ends;

    /// <summary>Whether a finding is to be shown here.</summary>
    public static bool Wants(bool isReported, bool ends) => isReported;

    /// <summary>Shows the sentence with which reports stop; may be called inside a heap.</summary>
    public static void TellLimit(byte* text, nuint bytes) => Host.WriteError(text, bytes);

    /// <summary>Shows a finding; may be called inside a heap.</summary>
    public static void Tell(Finding* finding, byte* text, nuint bytes, bool ends)
    {
        Host.WriteError(text, bytes);
        if (ends)
        {
            Shared.Exchange(ref s_ends, 1);
        }
    }

    /// <summary>Ends the process if it is to end, whichever thread has found the reason. A handler of SIGABRT may go on using heaps.</summary>
    public static void Stop()
    {
        if (Shared.Read(ref s_ends) != 0 && Shared.Exchange(ref s_ends, 0) != 0)
        {
            Host.Abort();
        }
    }
}
