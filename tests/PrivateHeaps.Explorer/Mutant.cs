using System.Text.RegularExpressions;

namespace PrivateHeaps;

/// <summary>
/// Which one of the mutations is in force. Those of mutations.txt are woven into the copies of the engine's sources and known by their number; the
/// others change what lies under the engine.
/// </summary>
internal static partial class Mutant
{
    private static int s_number;

    /// <summary>A barrier of the whole process does nothing.</summary>
    public static bool LosesBarriers { get; private set; }

    /// <summary>A compare-exchange is a read and a write.</summary>
    public static bool SplitsExchanges { get; private set; }

    /// <summary>The stores of a thread come into memory in another order, as those do that are not released.</summary>
    public static bool ReordersStores { get; private set; }

    /// <summary>All of them, with the models that are asked to see each.</summary>
    public static IReadOnlyList<(string Name, string[] Models)> All { get; } = [.. Read()];

    public static bool Is(int number) => s_number == number;

    /// <summary>Puts one in force, or none (null).</summary>
    public static void Choose(string? name)
    {
        s_number = 0;
        for (int index = 0; index < All.Count; index++)
        {
            s_number = All[index].Name == name ? index + 1 : s_number;
        }

        LosesBarriers = name == "barriers do nothing";
        SplitsExchanges = name == "a compare-exchange is a read and a write";
        ReordersStores = name == "a write is not released";
    }

    // A line like "[name] file: model, model" begins a mutation; those under the engine have no file.
    private static IEnumerable<(string Name, string[] Models)> Read()
    {
        using StreamReader reader = new(typeof(Mutant).Assembly.GetManifestResourceStream("mutations.txt")!);
        foreach (Match match in Heading().Matches(reader.ReadToEnd()))
        {
            if (match.Groups["name"].Value != "always")
            {
                yield return (match.Groups["name"].Value, match.Groups["models"].Value.Split(", "));
            }
        }

        yield return ("barriers do nothing", ["gate"]);
        yield return ("a compare-exchange is a read and a write", ["lock"]);
        yield return ("a write is not released", ["lock"]);
    }

    [GeneratedRegex(@"^\[(?<name>[^\]]+)\] [^:\n]+:? ?(?<models>.*)$", RegexOptions.Multiline)]
    private static partial Regex Heading();
}
