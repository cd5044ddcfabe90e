using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace PrivateHeaps.Tests.Structure;

/// <summary>Folder = namespace = layer, and a layer uses only itself and those below it.</summary>
public sealed class LayeringTests
{
    /// <summary>From the bottom up; layers of the same rank do not use each other.</summary>
    private static readonly Dictionary<string, int> s_ranks = new()
    {
        ["Foundation"] = 0, ["Platform"] = 1, ["Storage"] = 2, ["Slabs"] = 3, ["Checks"] = 4, ["Heaps"] = 5, ["Win32"] = 6, ["Malloc"] = 6, [""] = 6,
    };

    [Fact]
    public void Every_file_declares_the_namespace_of_its_folder()
    {
        Assert.All(Sources(), source =>
        {
            string expected = source.Layer.Length == 0 ? "PrivateHeaps" : $"PrivateHeaps.{source.Layer}";
            Assert.Equal(expected, source.Root.DescendantNodes().OfType<FileScopedNamespaceDeclarationSyntax>().Single().Name.ToString());
        });
    }

    [Fact]
    public void No_layer_uses_a_higher_one()
    {
        Dictionary<string, string> layerOfType = Sources()
            .SelectMany(source => source.Root.DescendantNodes().OfType<BaseTypeDeclarationSyntax>()
                .Where(type => type.Parent is FileScopedNamespaceDeclarationSyntax)
                .Select(type => (type.Identifier.Text, source.Layer)))
            .Distinct()
            .GroupBy(pair => pair.Text)
            .Where(group => group.Select(pair => pair.Layer).Distinct().Count() == 1)
            .ToDictionary(group => group.Key, group => group.First().Layer);
        List<string> offenders = [];
        foreach (Source source in Sources())
        {
            foreach (IdentifierNameSyntax name in source.Root.DescendantNodes().OfType<IdentifierNameSyntax>())
            {
                bool member = (name.Parent is MemberAccessExpressionSyntax access && access.Name == name) || name.Parent is InvocationExpressionSyntax;
                if (!member && layerOfType.TryGetValue(name.Identifier.Text, out string? used) && !MayUse(source.Layer, used))
                {
                    offenders.Add($"{source.Path} uses {name.Identifier.Text} of {used}");
                }
            }
        }

        Assert.True(Sources().Count > 25);
        Assert.Empty(offenders.Distinct());
    }

    [Fact]
    public void Only_the_Platform_layer_imports_functions()
    {
        IEnumerable<string> offenders = Sources()
            .Where(source => source.Layer != "Platform")
            .Where(source => source.Root.DescendantNodes().OfType<AttributeSyntax>().Any(attribute => attribute.Name.ToString() is "DllImport" or "LibraryImport" or "RuntimeImport"))
            .Select(source => source.Path);
        Assert.Empty(offenders);
    }

    [Fact]
    public void Shared_words_are_touched_through_one_class()
    {
        // The objects of the .NET face, which no other thread's fast path meets, and what .NET is asked for in place of a system call.
        string[] others = ["HeapMemory.cs", "PrivateHeap.cs", "PrivateHeap.Typed.cs", "Platform/Managed/CurrentOs.cs", "Platform/Managed/Libc.cs"];
        IEnumerable<string> users = Sources()
            .Where(source => source.Root.DescendantNodes().OfType<IdentifierNameSyntax>().Any(name => name.Identifier.Text is "Volatile" or "Interlocked"))
            .Select(source => source.Path.Replace(Path.DirectorySeparatorChar, '/'));
        Assert.Equal(others.Append("Foundation/Shared.cs").Order(StringComparer.Ordinal), users.Order(StringComparer.Ordinal));
    }

    private static bool MayUse(string layer, string used) => layer == used || s_ranks[used] < s_ranks[layer];

    private static List<Source> Sources()
    {
        string root = Repository.PathTo("src", "PrivateHeaps");
        return [.. Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(root, path))
            .Where(path => path.Split(Path.DirectorySeparatorChar)[0] is not ("bin" or "obj"))
            .Select(path => new Source(path, path.Contains(Path.DirectorySeparatorChar) ? path.Split(Path.DirectorySeparatorChar)[0] : "", Parse(Path.Combine(root, path))))];
    }

    private static SyntaxNode Parse(string path) => CSharpSyntaxTree.ParseText(File.ReadAllText(path)).GetRoot();

    private sealed record Source(string Path, string Layer, SyntaxNode Root);
}
