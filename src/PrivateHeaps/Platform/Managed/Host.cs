using System.Runtime.InteropServices;
using System.Text;

namespace PrivateHeaps.Platform;

/// <summary>What the engine asks of the process around it, answered by .NET. The native library has a file of the same name and shape.</summary>
internal static unsafe class Host
{
    /// <summary>Sets the calling thread's last error, as <see cref="Marshal.GetLastPInvokeError"/> reports it.</summary>
    public static void SetLastError(uint code) => Marshal.SetLastPInvokeError((int)code);

    /// <summary>The number of the heap contract that the AppContext switch or the environment names; 0 for none, and with a message for a wrong one.</summary>
    public static int ConfiguredContract()
    {
        // .NET's own look into the environment changes the last error.
        int error = Marshal.GetLastPInvokeError();
        int contract = FindContract();
        Marshal.SetLastPInvokeError(error);
        return contract;
    }

    private static int FindContract()
    {
        if (AppContext.TryGetSwitch("PrivateHeaps.ObservedContract", out bool isObserved))
        {
            return isObserved ? 2 : 1;
        }

        string? value = Environment.GetEnvironmentVariable("PRIVATEHEAPS_CONTRACT");
        switch (value)
        {
            case null or "":
                return 0;
            case "documented":
                return 1;
            case "observed":
                return 2;
            default:
                Console.Error.WriteLine($"privateheaps: PRIVATEHEAPS_CONTRACT is '{value}', which is neither 'documented' nor 'observed'; 'documented' is in force.");
                return 0;
        }
    }

    /// <summary>Ends the process with a sentence on standard error; the sentence ends with a zero.</summary>
    public static void FailFast(byte* sentence) => Environment.FailFast("privateheaps: " + Marshal.PtrToStringUTF8((nint)sentence));

    /// <summary>Never needed here: CurrentThread gives every thread its state before its first call.</summary>
    public static void SetThread(void* thread)
    {
    }

    /// <summary>As for <see cref="SetThread"/>.</summary>
    public static void* AttachedThread() => null;

    /// <summary>Not needed in .NET, where no signal handler runs managed code.</summary>
    public static ulong HoldSignals() => 0;

    public static void ReleaseSignals(ulong held)
    {
    }

    /// <summary>From WantsHugePages: PRIVATEHEAPS_HUGE_PAGES is not set.</summary>
    public const int HugePagesAsItGrows = 2;

    /// <summary>PRIVATEHEAPS_HUGE_PAGES, 0 or 1, or <see cref="HugePagesAsItGrows"/>; with a message for any other value, which counts as 0.</summary>
    public static int WantsHugePages()
    {
        // A question for a variable that is not there changes the last error.
        int error = Marshal.GetLastPInvokeError();
        string? value = Environment.GetEnvironmentVariable("PRIVATEHEAPS_HUGE_PAGES");
        if (value is not (null or "" or "0" or "1"))
        {
            Console.Error.WriteLine($"privateheaps: PRIVATEHEAPS_HUGE_PAGES is '{value}', which is neither 0 nor 1; huge pages are not asked for.");
        }

        Marshal.SetLastPInvokeError(error);
        return value is null or "" ? HugePagesAsItGrows : value == "1" ? 1 : 0;
    }

    /// <summary>Not to be had in .NET, whose thread-statics have no address that stays.</summary>
    public static void* ThreadWords() => null;

    /// <summary>For the malloc family of the native library alone.</summary>
    public static void* CallingThread() => null;

    /// <summary>As <see cref="CallingThread"/>.</summary>
    public static void NoteHead(void* thread)
    {
    }

    /// <summary>A .NET thread that runs has not ended.</summary>
    public static int ThreadEnded() => 0;

    /// <summary>The value of an environment variable, or null; the name and the value end with a zero. The copy stays for the life of the process.</summary>
    public static byte* Variable(byte* name)
    {
        int error = Marshal.GetLastPInvokeError();
        string? value = Environment.GetEnvironmentVariable(Marshal.PtrToStringUTF8((nint)name)!);
        Marshal.SetLastPInvokeError(error);
        return value == null ? null : (byte*)Marshal.StringToCoTaskMemUTF8(value);
    }

    /// <summary>Writes text to standard error as it is.</summary>
    public static void WriteError(byte* text, nuint bytes) => Console.Error.Write(Encoding.UTF8.GetString(text, (int)bytes));

    /// <summary>Appends text to a file in one write, making the file if need be. What fails is left out.</summary>
    public static void AppendToFile(byte* path, byte* text, nuint bytes)
    {
        try
        {
            using FileStream file = new(Marshal.PtrToStringUTF8((nint)path)!, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
            file.Write(new ReadOnlySpan<byte>(text, (int)bytes));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            Console.Error.WriteLine($"privateheaps: the finding could not be written: {exception.Message}");
        }
    }
}
