namespace PrivateHeaps.Tests.Structure;

/// <summary>
/// What a process touches of the native libraries lies together, since the system maps 64 KiB of a file around each page that is touched: what programs run in front of all other code, and constants apart
/// from the tables for unwinding. A native test looks at the memory of a process.
/// </summary>
public sealed class LayoutTests
{
    private const long MostBytes = 64 << 10;

    public static TheoryData<string> Libraries => [.. FreestandingTests.Names];

    private static IEnumerable<string> Lines => File.ReadLines(Repository.PathTo("src", "PrivateHeaps.Native", "code.order"));

    private static IEnumerable<string> Ordered => Lines.Where(line => !line.StartsWith('#'));

    // What comes behind the second comment, programs with malloc's library do not run.
    private static IEnumerable<string> OrderedIn(string library) =>
        library.Contains("malloc", StringComparison.Ordinal) ? Lines.SkipWhile(line => line.StartsWith('#')).TakeWhile(line => !line.StartsWith('#')) : Ordered;

    [Theory]
    [MemberData(nameof(Libraries))]
    public void What_programs_run_lies_in_front_of_all_other_code(string library)
    {
        Dictionary<string, long> functions = new SharedLibrary(library).Functions.GroupBy(function => function.Name).ToDictionary(same => same.Key, same => same.Min(function => function.Address));
        long front = functions.Values.Min();
        Assert.All(OrderedIn(library).Where(functions.ContainsKey), name => Assert.InRange(functions[name] - front, 0, MostBytes));
        Assert.True(functions.Values.Max() - front > 2 * MostBytes);
    }

    [Fact]
    public void The_order_names_functions_that_there_are()
    {
        HashSet<string> functions = [.. FreestandingTests.Names.SelectMany(library => new SharedLibrary(library).Functions).Select(function => function.Name)];
        IReadOnlyList<string> ordered = [.. Ordered];
        int found = ordered.Count(functions.Contains);
        Assert.True(ordered.Count >= 150 && found >= ordered.Count * 3 / 4, $"Of {ordered.Count} names {found} are functions; tests/counts/order writes the file anew.");
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Constants_lie_apart_from_what_is_not_read(string library) => Assert.DoesNotContain(".rodata", new SharedLibrary(library).Sections);
}
