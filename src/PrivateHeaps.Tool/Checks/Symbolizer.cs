using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace PrivateHeaps.Tool.Checks;

/// <summary>
/// Finds the source lines of frames by llvm-symbolizer or addr2line, where one of them is installed and the module has debugging information. A frame
/// whose call was inlined into others becomes several. What cannot be found stays as the engine wrote it.
/// </summary>
internal static class Symbolizer
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    // Both answer an address with the address and, for each function, its name and its line.
    private static readonly (string Command, string[] Arguments)[] s_tools =
    [
        ("llvm-symbolizer", ["--output-style=GNU", "-a", "-f", "-C", "-i", "-e"]),
        ("addr2line", ["-a", "-f", "-C", "-i", "-e"]),
    ];

    /// <summary>The same findings, with the source lines that are known.</summary>
    public static List<Finding> Resolve(IReadOnlyList<Finding> findings)
    {
        IEnumerable<StackFrame> frames = findings.SelectMany(finding => finding.Allocated.Concat(finding.Freed).Concat(finding.Caught));
        var sources = new Dictionary<(string Module, ulong Offset), List<StackFrame>>();
        foreach (IGrouping<string, StackFrame> module in frames.Where(frame => frame.Module is not null && File.Exists(frame.Module)).GroupBy(frame => frame.Module!))
        {
            StackFrame[] distinct = [.. module.DistinctBy(frame => frame.Offset)];
            string answer = Ask(module.Key, distinct.Select(frame => frame.Offset));
            foreach ((ulong offset, List<StackFrame> found) in Read(answer, distinct))
                sources[(module.Key, offset)] = found;
        }

        return [.. findings.Select(finding => finding with { Allocated = Expand(finding.Allocated), Freed = Expand(finding.Freed), Caught = Expand(finding.Caught) })];

        StackFrame[] Expand(IReadOnlyList<StackFrame> stack) =>
            [.. stack.SelectMany(frame => frame.Module is not null && sources.TryGetValue((frame.Module, frame.Offset), out List<StackFrame>? found) ? found : [frame])];
    }

    /// <summary>Reads an answer to the offsets of some frames of one module. "??" stands for what is not known.</summary>
    internal static Dictionary<ulong, List<StackFrame>> Read(string answer, IEnumerable<StackFrame> asked)
    {
        Dictionary<ulong, StackFrame> frames = asked.ToDictionary(frame => frame.Offset);
        var found = new Dictionary<ulong, List<StackFrame>>();
        string[] lines = answer.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        StackFrame? current = null;
        for (int index = 0; index < lines.Length; index++)
        {
            if (lines[index].StartsWith("0x", StringComparison.Ordinal) && ulong.TryParse(lines[index].AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong offset))
            {
                current = frames.GetValueOrDefault(offset);
            }
            else if (current is not null && index + 1 < lines.Length)
            {
                (string function, string place) = (lines[index], lines[++index]);
                if (!found.TryGetValue(current.Offset, out List<StackFrame>? list))
                    found.Add(current.Offset, list = []);
                list.Add(WithSource(current, function, place, list.Count > 0));
            }
        }

        return found;
    }

    // "/src/main.c:12 (discriminator 3)", "??:0", "main.c:?".
    private static StackFrame WithSource(StackFrame frame, string function, string place, bool isOuter)
    {
        int colon = place.LastIndexOf(':');
        string file = colon < 0 ? place : place[..colon];
        string digits = colon < 0 ? "" : new string([.. place.AsSpan(colon + 1).ToArray().TakeWhile(char.IsAsciiDigit)]);
        int line = int.TryParse(digits, CultureInfo.InvariantCulture, out int number) ? number : 0;
        bool isKnown = file is not ("" or "??") && line > 0;
        return frame with
        {
            Function = function is "" or "??" ? (isOuter ? null : frame.Function) : function,
            File = isKnown ? file : null,
            Line = isKnown ? line : 0,
        };
    }

    private static string Ask(string module, IEnumerable<ulong> offsets)
    {
        foreach ((string command, string[] arguments) in s_tools)
        {
            try
            {
                return Run(command, [.. arguments, module], string.Concat(offsets.Select(offset => $"0x{offset:x}\n")));
            }
            catch (Exception error) when (error is Win32Exception or IOException)
            {
                // Not installed, or it would not listen: the next one may.
            }
        }

        return "";
    }

    private static string Run(string command, string[] arguments, string input)
    {
        using Process process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })
            ?? throw new IOException($"{command} did not start.");
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        if (!output.Wait(s_patience))
        {
            process.Kill();
            return "";
        }

        return output.Result;
    }
}
