using System.Globalization;
using System.Text.RegularExpressions;

namespace PrivateHeaps.Tool.Checks;

/// <summary>One frame of a stack in a finding: <c>main+0x1C (/usr/bin/program+0x113C)</c>, with the source line where one is known.</summary>
internal sealed partial record StackFrame
{
    /// <summary>As the engine wrote it.</summary>
    public required string Text { get; init; }

    /// <summary>Without the distance from its start; null when nobody knows it.</summary>
    public string? Function { get; init; }

    /// <summary>The path of the program or library; null for code without a file.</summary>
    public string? Module { get; init; }

    /// <summary>The address in the module's own numbering.</summary>
    public ulong Offset { get; init; }

    /// <summary>The source file; null when it is not known.</summary>
    public string? File { get; init; }

    /// <summary>The line in <see cref="File"/>, from 1; 0 when only the file is known.</summary>
    public int Line { get; init; }

    /// <summary>What people are shown: the function, and the source line or else the module, both without their folders.</summary>
    public string Short => (Function, Place) switch
    {
        (null, null) => Text,
        (null, { } place) => place,
        ({ } function, null) => function,
        ({ } function, { } place) => $"{function} ({place})",
    };

    private string? Place => File is not null ? $"{Path.GetFileName(File)}{(Line == 0 ? "" : $":{Line}")}"
        : Module is not null ? $"{Path.GetFileName(Module)}+0x{Offset:x}" : null;

    /// <summary>Frames of .NET, which name the source themselves, and whatever else does not look like a frame of C stay one text.</summary>
    public static StackFrame Parse(string text)
    {
        if (Native().Match(text) is { Success: true } native && ulong.TryParse(native.Groups["offset"].Value, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong offset))
            return new StackFrame { Text = text, Function = native.Groups["function"] is { Success: true } function ? function.Value : null, Module = native.Groups["module"].Value, Offset = offset };

        if (Managed().Match(text) is { Success: true } managed && int.TryParse(managed.Groups["line"].Value, CultureInfo.InvariantCulture, out int line))
            return new StackFrame { Text = text, Function = managed.Groups["function"].Value, File = managed.Groups["file"].Value, Line = line };

        return new StackFrame { Text = text, Function = text.StartsWith("0x", StringComparison.Ordinal) ? null : text };
    }

    [GeneratedRegex(@"^(?:(?<function>.+)\+0x[0-9A-Fa-f]+ )?\((?<module>.+)\+0x(?<offset>[0-9A-Fa-f]{1,16})\)$", RegexOptions.Singleline)]
    private static partial Regex Native();

    [GeneratedRegex(@"^(?<function>.+) \((?<file>.+):(?<line>[0-9]+)\)$", RegexOptions.Singleline)]
    private static partial Regex Managed();
}
