using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Checks;

/// <summary>
/// The way of a finding: <see cref="Begin"/> lends the one structure, the check fills it, <see cref="Report"/> prints it and takes it back. Who has found
/// something calls <see cref="Stop"/> when he has left the heap and holds no lock: the process ends there, or an exception is thrown, unless the
/// environment or the program says that it goes on. Nothing is allocated on the way.
/// </summary>
internal static unsafe class Findings
{
    private const int TextBytes = 64 * 1024;
    private const int AnnouncementBytes = 64;

    // The sink may write a kind's name behind the text.
    private const int TextRoomBytes = TextBytes + 2 * Finding.NameBytes;

    private const int PatienceTurns = 1_000_000;

    // Whoever has taken it away is the one who reports now. He waits for nothing but the output.
    private static nint s_free;
    private static nint s_finding;
    private static byte* s_text;

    private static ReadOnlySpan<byte> ReportVariable => "PRIVATEHEAPS_CHECK_REPORT\0"u8;

    /// <summary>Takes the memory that reports need, while there is some. May be called again.</summary>
    public static bool Initialize()
    {
        if (s_finding == 0)
        {
            s_text = (byte*)Metadata.Take(TextRoomBytes);
            s_finding = (nint)Metadata.Take((nuint)sizeof(Finding));
            if (s_text == null || s_finding == 0)
            {
                return false;
            }

            // Partner: the exchange in Begin.
            Shared.Exchange(ref s_free, s_finding);
        }

        return true;
    }

    /// <summary>The structure, cleared, for a function's name: constant text that ends with a zero.</summary>
    public static Finding* Begin(FindingKind kind, byte* function)
    {
        Finding* finding;
        for (int turn = 0; (finding = (Finding*)Shared.Exchange(ref s_free, 0)) == null; turn++)
        {
            // It is perhaps this very thread that reports, and a signal handler of its own that would wait for it.
            if (turn == PatienceTurns)
            {
                Host.FailFast(AddressOf("something was found while a finding is being reported.\0"u8));
            }

            Os.Yield();
        }

        Os.Clear(finding, (nuint)sizeof(Finding));
        finding->Kind = kind;
        finding->Function = function;
        finding->Count = 1;
        finding->Places = 1;
        return finding;
    }

    /// <summary>
    /// Prints the finding, with the calling thread's stack, and appends it to the file that the environment names; or counts it, if there were too many before
    /// (see <see cref="Omissions"/>). Ends: the next <see cref="Stop"/> is the end.
    /// </summary>
    public static void Report(Finding* finding, bool ends)
    {
        bool isLast = ends && FindingSink.EndsProcess;
        bool isReported = Omissions.Admits(finding, isLast);
        if (FindingSink.Wants(isReported, ends))
        {
            finding->CaughtBy = finding->Kind == FindingKind.Leak ? 0 : Stacks.Capture();
            TextBuffer text = new(s_text, TextBytes);
            FindingText.Add(ref text, finding);
            FindingSink.Tell(finding, s_text, text.Bytes(s_text), ends);
        }

        if (isReported)
        {
            TextBuffer line = new(s_text, TextBytes);
            FindingJson.Add(ref line, finding);
            Append(ref line);
        }
        else
        {
            Omit(finding);
        }

        if (isLast)
        {
            TellOmissions();
        }

        Shared.Exchange(ref s_free, (nint)finding);
    }

    /// <summary>The process ends, outside of every heap: says how much was found and not reported.</summary>
    public static void End()
    {
        if (s_finding != 0)
        {
            Finding* finding = Begin(FindingKind.Leak, null);
            TellOmissions();
            Shared.Exchange(ref s_free, (nint)finding);
        }
    }

    /// <summary>At the end of every call that may have reported, outside of every heap. Returns when nothing was found, or the process is to go on.</summary>
    public static void Stop() => FindingSink.Stop();

    /// <summary>Appends the line with which a checked program begins to the file that the environment names.</summary>
    public static void Announce()
    {
        byte* path = Host.Variable(AddressOf(ReportVariable));
        byte* line = path == null || *path == 0 ? null : (byte*)Metadata.Take(AnnouncementBytes);
        if (line != null)
        {
            TextBuffer text = new(line, AnnouncementBytes);
            FindingJson.AddProcess(ref text);
            Host.AppendToFile(path, line, text.Bytes(line));
            Metadata.Give(line, AnnouncementBytes);
        }
    }

    /// <summary>In the child of a fork: whoever was reporting is not there.</summary>
    public static void ResetAfterFork()
    {
        if (s_finding != 0)
        {
            Shared.Exchange(ref s_free, s_finding);
            Omissions.Reset();
        }
    }

    // The first one is noted at once, since the process may not end in order.
    private static void Omit(Finding* finding)
    {
        if (!Omissions.Any)
        {
            TextBuffer text = new(s_text, TextBytes);
            Omissions.AddLimit(ref text);
            FindingSink.TellLimit(s_text, text.Bytes(s_text));
            text = new(s_text, TextBytes);
            Omissions.AddJson(ref text, withCounts: false);
            Append(ref text);
        }

        Omissions.Add(finding);
    }

    private static void TellOmissions()
    {
        if (Omissions.Any)
        {
            TextBuffer text = new(s_text, TextBytes);
            Omissions.AddText(ref text);
            Host.WriteError(s_text, text.Bytes(s_text));
            text = new(s_text, TextBytes);
            Omissions.AddJson(ref text, withCounts: true);
            Append(ref text);
            Omissions.Clear();
        }
    }

    // To the file that the environment names, if it names one.
    private static void Append(ref TextBuffer line)
    {
        byte* path = Host.Variable(AddressOf(ReportVariable));
        if (path != null && *path != 0)
        {
            Host.AppendToFile(path, s_text, line.Bytes(s_text));
        }
    }

    /// <summary>Constant text as a pointer.</summary>
    // Safety: the text is constant data of the image, which never moves.
    public static byte* AddressOf(ReadOnlySpan<byte> text) =>
        (byte*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref System.Runtime.InteropServices.MemoryMarshal.GetReference(text));
}
