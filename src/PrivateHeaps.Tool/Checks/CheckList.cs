using System.Text.RegularExpressions;

namespace PrivateHeaps.Tool.Checks;

/// <summary>Which checks a run makes: the value of PRIVATEHEAPS_CHECK.</summary>
internal static partial class CheckList
{
    /// <summary>What a run checks that asks for nothing else.</summary>
    public const string Default = "htc,hfc,hpc,ust,quarantine=16M";

    /// <summary>Each block against a page that cannot be accessed.</summary>
    public const string PageHeap = "hpa,hpc,ust";

    // The words of the engine.
    private static readonly string[] s_names = ["htc", "hfc", "hpc", "hvc", "hpa", "hpa=before", "ust", "quarantine=BYTES", "sample", "sample=N", "leaks", "continue", "all"];

    /// <summary>The list for a command line; null, and what is wrong with it, when it makes no sense.</summary>
    /// <param name="checks">The names of --checks; null without.</param>
    /// <param name="isPageHeap">Whether --page-heap was given.</param>
    /// <param name="isLeaks">Whether --leaks was given.</param>
    /// <param name="isContinue">Whether --continue was given.</param>
    /// <param name="error">A sentence, or empty.</param>
    public static string? Create(string? checks, bool isPageHeap, bool isLeaks, bool isContinue, out string error)
    {
        error = "";
        if (checks is not null && isPageHeap)
        {
            error = "--page-heap and --checks exclude each other; write hpa into the list of --checks.";
            return null;
        }

        List<string> names = [.. (checks ?? (isPageHeap ? PageHeap : Default)).Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];
        error = names.Count == 0 ? $"--checks: the list is empty; there are {string.Join(", ", s_names)}." : names.Select(ErrorOf).FirstOrDefault(wrong => wrong.Length > 0) ?? "";
        if (error.Length > 0)
            return null;

        // A leak without its place says little.
        string[] further = [.. isLeaks ? new[] { "ust", "leaks" } : [], .. isContinue ? new[] { "continue" } : []];
        return string.Join(',', names.Concat(further).Distinct());
    }

    private static string ErrorOf(string check)
    {
        int equals = check.IndexOf('=');
        string name = equals < 0 ? check : check[..equals];
        string value = equals < 0 ? "" : check[(equals + 1)..];
        return name switch
        {
            "quarantine" => ByteCount().IsMatch(value) ? "" : "--checks: quarantine takes a number of bytes, as in quarantine=16M.",
            "sample" => equals < 0 || ByteCount().IsMatch(value) ? "" : "--checks: sample takes the number of allocations of which one is sampled, as in sample=1000.",
            "hpa" => equals < 0 || value is "before" or "behind" ? "" : $"--checks: hpa has its page before or behind the block, not '{value}'.",
            _ when !s_names.Contains(name) => $"--checks: there is no check '{name}'; there are {string.Join(", ", s_names)}.",
            _ => equals < 0 ? "" : $"--checks: {name} takes no value.",
        };
    }

    [GeneratedRegex("^0*[1-9][0-9]{0,11}[KMGkmg]?$")]
    private static partial Regex ByteCount();
}
