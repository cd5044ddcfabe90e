using System.Runtime.InteropServices;
using System.Text;
using PrivateHeaps.Foundation;

namespace PrivateHeaps.Checks;

/// <summary>
/// Where findings go in a .NET process: to those who asked for them, else to standard error; and the last one of a call is thrown. They are
/// kept for the calling thread until it has left the heap, since who is told may call heaps. The native library has a file of the same name and shape.
/// </summary>
internal static unsafe class FindingSink
{
    /// <summary>Whether a finding that ends is the process's last one.</summary>
    public const bool EndsProcess = false;

    [ThreadStatic]
    private static List<(HeapFindingEventArgs Finding, bool Ends)>? t_found;

    /// <summary>Told of each finding on the thread that made the call.</summary>
    public static event EventHandler<HeapFindingEventArgs>? Found;

    /// <summary>Whether a finding is to be told here: who has asked for findings gets them all.</summary>
    public static bool Wants(bool isReported, bool ends) => isReported || ends || Found != null;

    /// <summary>The sentence with which reports stop is left to the one with which the process ends: this may be inside a heap.</summary>
    public static void TellLimit(byte* text, nuint bytes)
    {
    }

    /// <summary>Takes note of a finding; may be called inside a heap.</summary>
    public static void Tell(Finding* finding, byte* text, nuint bytes, bool ends)
    {
        TextBuffer kind = new(text + bytes + 1, Finding.NameBytes);
        Finding.AddKind(ref kind, finding->Kind);
        HeapFindingEventArgs found = new(
            TextAt(text + bytes + 1),
            TextAt((byte*)&finding->Message),
            Encoding.UTF8.GetString(text, (int)bytes),
            finding->Heap,
            TextAt((byte*)&finding->HeapName),
            (nint)finding->Address,
            finding->Bytes);
        (t_found ??= []).Add((found, ends));
    }

    /// <summary>Tells those who asked, and throws if the call is to end so.</summary>
    public static void Stop()
    {
        if (t_found is { } found)
        {
            t_found = null;
            Tell(found);
        }
    }

    private static void Tell(List<(HeapFindingEventArgs Finding, bool Ends)> found)
    {
        HeapFindingEventArgs? thrown = null;
        foreach ((HeapFindingEventArgs finding, bool ends) in found)
        {
            if (Found is { } told)
            {
                told(null, finding);
            }
            else
            {
                Console.Error.Write(finding.Report);
            }

            thrown = ends ? finding : thrown;
        }

        if (thrown != null)
        {
            throw new HeapCorruptionException(thrown);
        }
    }

    private static string TextAt(byte* text) => Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));
}
