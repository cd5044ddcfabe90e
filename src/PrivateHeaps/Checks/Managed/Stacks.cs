using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using PrivateHeaps.Foundation;

namespace PrivateHeaps.Checks;

/// <summary>
/// The stacks of calls that records of blocks and findings name by number, as texts with the frames of .NET. Equal stacks have one number.
/// The native library has a file of the same name and shape.
/// </summary>
internal static unsafe class Stacks
{
    private const int FrameCount = 24;

    private static readonly Dictionary<string, uint> s_numbers = [];
    private static readonly List<string> s_texts = [string.Empty];

    /// <summary>Whether <see cref="Capture"/> records anything.</summary>
    public static bool IsOn { get; set; }

    /// <summary>The number of the calling thread's stack, the engine's own frames left out; 0 for none.</summary>
    public static uint Capture()
    {
        if (!IsOn)
        {
            return 0;
        }

        // Looking for the frames' files changes the last error, as does a lock that has to wait. A call that succeeds leaves it alone.
        int error = Marshal.GetLastPInvokeError();
        string text = Describe(new StackTrace(true));
        uint number = text.Length == 0 ? 0 : NumberOf(text);
        Marshal.SetLastPInvokeError(error);
        return number;
    }

    /// <summary>The frames, innermost first, one a line.</summary>
    public static string Text(uint stack)
    {
        lock (s_numbers)
        {
            return s_texts[(int)stack];
        }
    }

    /// <summary>One line for each frame, indented by four blanks.</summary>
    public static void Add(ref TextBuffer text, uint stack)
    {
        foreach (string line in Text(stack).Split('\n'))
        {
            text.Add(Encoding.UTF8.GetBytes($"    {line}\n"));
        }
    }

    /// <summary>The frames as the elements of a JSON array, with commas between them.</summary>
    public static void AddJson(ref TextBuffer text, uint stack)
    {
        string separator = "\"";
        foreach (string line in Text(stack).Split('\n'))
        {
            text.Add(Encoding.UTF8.GetBytes(separator));
            fixed (byte* bytes = Encoding.UTF8.GetBytes(line + "\0"))
            {
                text.AddEscaped(bytes);
            }

            text.Add("\""u8);
            separator = ",\"";
        }
    }

    private static uint NumberOf(string text)
    {
        lock (s_numbers)
        {
            if (!s_numbers.TryGetValue(text, out uint number))
            {
                number = (uint)s_texts.Count;
                s_texts.Add(text);
                s_numbers.Add(text, number);
            }

            return number;
        }
    }

    private static string Describe(StackTrace trace)
    {
        StringBuilder text = new();
        int count = 0;
        foreach (StackFrame frame in trace.GetFrames())
        {
            if (DiagnosticMethodInfo.Create(frame) is not { } method || (count == 0 && (IsOfEngine(method) || IsOfThrow(method))) || count == FrameCount)
            {
                continue;
            }

            text.Append(count++ == 0 ? "" : "\n").Append(method.DeclaringTypeName).Append('.').Append(method.Name);
            if (frame.GetFileName() is { } file)
            {
                text.Append(" (").Append(file).Append(':').Append(frame.GetFileLineNumber()).Append(')');
            }
        }

        return text.ToString();
    }

    private static bool IsOfEngine(DiagnosticMethodInfo method) =>
        method.DeclaringAssemblyName == typeof(Stacks).Assembly.FullName;

    // What lies between an access that the runtime makes an exception of and those who are told.
    private static bool IsOfThrow(DiagnosticMethodInfo method) =>
        method.DeclaringTypeName is "System.AppContext" or "System.Runtime.EH" or "System.Runtime.ExceptionServices.InternalCalls";
}
