using System.Reflection;

namespace PrivateHeaps.Tests.Structure;

/// <summary>
/// The public API and the export lists are frozen in files. A deliberate change is made by running the tests with
/// PRIVATEHEAPS_FREEZE=1, which writes the files anew, and committing them.
/// </summary>
public sealed class FrozenSurfaceTests
{
    [Fact]
    public void The_public_API_is_the_frozen_one() => AssertFrozen("public-api.txt", PublicApi());

    [Theory]
    [InlineData("libprivateheaps.so", "exports-heap.txt")]
    [InlineData("libprivateheaps-malloc.so", "exports-malloc.txt")]
    public void The_exports_are_the_frozen_ones(string library, string file) =>
        AssertFrozen(file, new SharedLibrary(library).Exports.Order(StringComparer.Ordinal));

    [Fact]
    public void Everything_public_is_documented()
    {
        string documentation = File.ReadAllText(Path.ChangeExtension(typeof(PrivateHeap).Assembly.Location, ".xml"));
        IEnumerable<string> undocumented = typeof(PrivateHeap).Assembly.GetExportedTypes()
            .Where(type => !documentation.Contains($"\"T:{type.FullName!.Replace('+', '.')}\"", StringComparison.Ordinal))
            .Select(type => type.FullName!);
        Assert.Empty(undocumented);
    }

    private static void AssertFrozen(string file, IEnumerable<string> lines)
    {
        string path = Repository.PathTo("tests", "PrivateHeaps.Tests", "Structure", file);
        if (Environment.GetEnvironmentVariable("PRIVATEHEAPS_FREEZE") == "1")
        {
            File.WriteAllLines(path, lines);
        }

        Assert.Equal(File.ReadAllLines(path), lines);
    }

    private static IEnumerable<string> PublicApi()
    {
        const BindingFlags declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        return typeof(PrivateHeap).Assembly.GetExportedTypes()
            .SelectMany(type => type.GetMembers(declared)
                .Where(IsVisible)
                .Select(member => $"{type.FullName}: {member}")
                .Append($"{type.FullName}"))
            .Distinct()
            .Order(StringComparer.Ordinal);
    }

    private static bool IsVisible(MemberInfo member) => member switch
    {
        MethodBase method => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly,
        FieldInfo field => field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly,
        PropertyInfo property => property.GetAccessors(nonPublic: true).Any(IsVisible),
        TypeInfo type => type.IsNestedPublic,
        _ => true,
    };
}
