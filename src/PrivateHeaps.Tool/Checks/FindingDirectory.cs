using System.Text;
using PrivateHeaps.Tool.Launching;

namespace PrivateHeaps.Tool.Checks;

/// <summary>The directory with the file that every process image of the program appends its findings to.</summary>
internal sealed class FindingDirectory : RunDirectory
{
    /// <summary>The value of PRIVATEHEAPS_CHECK_REPORT.</summary>
    public string File => System.IO.Path.Combine(Path, "findings");

    /// <summary>What the processes have written; a name in a program need not be UTF-8, and what is not becomes replacement characters.</summary>
    public FindingFile Read() => new(System.IO.File.Exists(File) ? System.IO.File.ReadLines(File, Encoding.UTF8) : []);
}
