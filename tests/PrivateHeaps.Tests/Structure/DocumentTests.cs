using System.Diagnostics;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.VisualBasic;

namespace PrivateHeaps.Tests.Structure;

/// <summary>What the documents say is checked like code: their examples compile, the paths that they name exist.</summary>
public sealed partial class DocumentTests
{
    private static readonly string[] s_documents =
    [
        "README.md", "DESIGN.md", "STYLE.md", "CHANGELOG.md", "docs/checks.md", "docs/hardening.md", "docs/others-bugs.md", "docs/pheap-check.md", "docs/report.md",
        "docs/win32-parity.md",
    ];

    [Theory]
    [InlineData("README.md")]
    [InlineData("docs/checks.md")]
    public void The_CSharp_example_of_a_document_compiles(string document)
    {
        SyntaxTree usings = CSharpSyntaxTree.ParseText("global using System;");
        CSharpCompilation compilation = CSharpCompilation.Create(
            "Example",
            [usings, CSharpSyntaxTree.ParseText(Example("csharp", document))],
            References(),
            new CSharpCompilationOptions(OutputKind.ConsoleApplication, allowUnsafe: true));
        Assert.Empty(compilation.GetDiagnostics().Where(diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning));
    }

    [Fact]
    public void The_VB_example_of_the_README_compiles()
    {
        VisualBasicCompilation compilation = VisualBasicCompilation.Create(
            "Example",
            [VisualBasicSyntaxTree.ParseText("Imports System\n" + Example("vb"))],
            References(),
            new VisualBasicCompilationOptions(OutputKind.ConsoleApplication));
        Assert.Empty(compilation.GetDiagnostics().Where(diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning));
    }

    [Fact]
    public void The_C_example_of_the_README_compiles_and_runs_as_it_says()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory();
        try
        {
            File.WriteAllText(Path.Combine(folder.FullName, "main.c"), Example("c"));
            string native = Repository.PathTo("out", "native");
            Assert.Equal("", Run(folder, "gcc", "-Wall", "-Wextra", "-Werror", "main.c", "-o", "example", "-I", $"{native}/include", $"{native}/libprivateheaps.so", $"-Wl,-rpath,{native}"));
            Assert.Equal("100 bytes\n", Run(folder, "./example"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void Every_path_that_a_document_names_exists()
    {
        string[] roots = [Repository.Root, Repository.PathTo("docs"), Repository.PathTo("src", "PrivateHeaps"), Repository.PathTo("tests", "PrivateHeaps.Tests"), Repository.PathTo("src", "PrivateHeaps.Native", "include")];
        List<string> missing = [];
        int named = 0;
        foreach (string document in s_documents)
        {
            foreach (Match match in NamedPath().Matches(File.ReadAllText(Repository.PathTo(document))))
            {
                string path = match.Groups[1].Success ? match.Groups[1].Value : match.Groups[2].Value;
                named++;
                if (!path.StartsWith("out/", StringComparison.Ordinal) && !roots.Any(root => Path.Exists(Path.Combine(root, path))))
                {
                    missing.Add($"{document}: {path}");
                }
            }
        }

        Assert.True(named > 20);
        Assert.Empty(missing);
    }

    private static string Example(string language, string document = "README.md")
    {
        Match match = Regex.Match(File.ReadAllText(Repository.PathTo(document)), $"```{language}\n(.*?)```", RegexOptions.Singleline);
        Assert.True(match.Success, $"{document} has no example in {language}.");
        return match.Groups[1].Value;
    }

    private static IEnumerable<MetadataReference> References() =>
        ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path) is "PrivateHeaps.dll" || Path.GetDirectoryName(path) == Path.GetDirectoryName(typeof(object).Assembly.Location))
            .Select(path => MetadataReference.CreateFromFile(path));

    private static string Run(DirectoryInfo folder, string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program.StartsWith('.') ? Path.Combine(folder.FullName, program) : program, arguments)
        {
            WorkingDirectory = folder.FullName,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        string output = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output;
    }

    // Links, and code spans that look like a file or folder of this repository.
    [GeneratedRegex(@"\]\(([^):#]+)\)|`([A-Za-z][\w.-]*(?:/[\w.-]*)+|[\w.]+\.(?:cs|md|c|h|sh|props))`")]
    private static partial Regex NamedPath();
}
