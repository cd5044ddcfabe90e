using System.Diagnostics;
using System.Globalization;

namespace PrivateHeaps.Tests.Structure;

/// <summary>The symbols of one of the native libraries, as nm shows them.</summary>
internal sealed class SharedLibrary(string name)
{
    private readonly string _path = Repository.PathTo("out", "native", name);

    /// <summary>The exported functions.</summary>
    public IEnumerable<string> Exports => Symbols("-D", "--defined-only").Where(symbol => symbol.Kind is "T" or "W").Select(symbol => symbol.Name);

    /// <summary>What the library cannot be loaded without.</summary>
    public IEnumerable<string> StrongImports => Symbols("-D", "--undefined-only").Where(symbol => symbol.Kind == "U").Select(symbol => symbol.Name);

    /// <summary>All functions and data that are in it.</summary>
    public IEnumerable<string> Contents => Symbols("--defined-only").Select(symbol => symbol.Name);

    /// <summary>Where each function begins, in bytes from the library's own beginning.</summary>
    public IEnumerable<(string Name, long Address)> Functions =>
        Symbols("--defined-only").Where(symbol => symbol.Kind is "t" or "T" or "W").Select(symbol => (symbol.Name, symbol.Address));

    /// <summary>The names of its sections.</summary>
    public IEnumerable<string> Sections => Lines("objdump", "-hw", _path).Select(Words).Where(words => words.Length > 1).Select(words => words[1]);

    private IEnumerable<(string Kind, string Name, long Address)> Symbols(params string[] which) =>
        Lines("nm", ["--format=posix", .. which, _path])
            .Select(Words)
            .Select(words => (words[1], words[0].Split('@')[0], words.Length > 2 ? long.Parse(words[2], NumberStyles.HexNumber, CultureInfo.InvariantCulture) : 0));

    private static string[] Lines(string program, params string[] arguments) => Run(program, arguments).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static string[] Words(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Runs one of the tools that the build needs, too.</summary>
    public static (int ExitCode, string Output) Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })
            ?? throw new InvalidOperationException($"{program} did not start.");
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd() + errors.Result;
        process.WaitForExit();
        return (process.ExitCode, output);
    }
}
