using System.Diagnostics;
using System.Text.RegularExpressions;

namespace PrivateHeaps.Tests.Structure;

/// <summary>The functions of a shared library and which of them each one can go on to, as objdump shows them.</summary>
internal sealed partial class Disassembly
{
    private readonly Dictionary<string, HashSet<string>> _targets = [];
    private readonly HashSet<string> _traps = [];

    /// <summary>The exported functions.</summary>
    public IReadOnlyList<string> Exports { get; }

    public Disassembly(string library)
    {
        Exports = [.. Run("nm", "-D", "--defined-only", library)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(words => words.Length == 3 && words[1] is "T" or "W")
            .Select(words => words[2].Split('@')[0])];
        Read(Run("objdump", "-d", "--no-show-raw-insn", library));
    }

    /// <summary>The exports, and the functions between C and C#, which constructors and destructors call too.</summary>
    public IEnumerable<string> EntryPoints => Exports.Concat(AllFunctions.Where(name => name.StartsWith("ph_", StringComparison.Ordinal)));

    public IEnumerable<string> AllFunctions => _targets.Keys;

    /// <summary>What the library cannot be loaded without.</summary>
    public static IEnumerable<string> StrongImports(string library) =>
        Run("nm", "-D", "--undefined-only", library)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(words => words.Length == 2 && words[0] == "U")
            .Select(words => words[1].Split('@')[0]);

    /// <summary>A stand-in for a function of the .NET runtime, which is not linked: its body is one trap.</summary>
    public bool IsTrap(string function) => _traps.Contains(function);

    /// <summary>Everything that the function can reach by calls, jumps and taken addresses, with the caller by which it was found.</summary>
    public Dictionary<string, string> ReachableFrom(IEnumerable<string> functions)
    {
        Dictionary<string, string> found = functions.ToDictionary(name => name, _ => "");
        Queue<string> open = new(found.Keys);
        while (open.TryDequeue(out string? function))
        {
            foreach (string target in _targets.GetValueOrDefault(function, []))
            {
                if (found.TryAdd(target, function))
                {
                    open.Enqueue(target);
                }
            }
        }

        return found;
    }

    private void Read(IEnumerable<string> lines)
    {
        string current = "";
        int instructions = 0;
        bool trap = false;
        foreach (string line in lines)
        {
            Match head = FunctionHead().Match(line);
            if (head.Success)
            {
                current = head.Groups[1].Value;
                _targets.TryAdd(current, []);
                instructions = 0;
                continue;
            }

            if (!line.Contains(":\t", StringComparison.Ordinal))
            {
                continue;
            }

            trap = instructions == 0 ? line.Contains("ud2", StringComparison.Ordinal) : trap;
            if (instructions++ == 0 && trap)
            {
                _traps.Add(current);
            }

            Match target = Target().Match(line);
            if (target.Success && target.Groups[1].Value != current)
            {
                _targets[current].Add(target.Groups[1].Value);
            }
        }
    }

    private static IEnumerable<string> Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })
            ?? throw new InvalidOperationException($"{program} did not start; install the package binutils.");
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output.Split('\n') : throw new InvalidOperationException($"{program} ended with {process.ExitCode}.");
    }

    [GeneratedRegex(@"^[0-9a-f]+ <(.+)>:$")]
    private static partial Regex FunctionHead();

    // Calls, jumps and address computations name their target as <function> or <function+offset>.
    [GeneratedRegex(@"(?:call|jmp|j[a-z]+|lea|mov)\s.*<([^>+]+)(?:\+0x[0-9a-f]+)?>")]
    private static partial Regex Target();
}
