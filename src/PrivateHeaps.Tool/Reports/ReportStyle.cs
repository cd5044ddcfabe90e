namespace PrivateHeaps.Tool.Reports;

/// <summary>What the place where a report is shown can show.</summary>
/// <param name="Color">Escape sequences for colors.</param>
/// <param name="Unicode">Characters beyond ASCII.</param>
internal sealed record ReportStyle(bool Color, bool Unicode)
{
    /// <summary>Color on a terminal only, and not where NO_COLOR (see no-color.org) asks for none.</summary>
    public static ReportStyle OfStandardError() => new(
        Color: !Console.IsErrorRedirected && string.IsNullOrEmpty(Variable("NO_COLOR")) && Variable("TERM") is not (null or "" or "dumb"),
        Unicode: IsUnicode(new[] { Variable("LC_ALL"), Variable("LC_CTYPE"), Variable("LANG") }.FirstOrDefault(value => !string.IsNullOrEmpty(value))));

    private static bool IsUnicode(string? locale) =>
        locale is not null && locale.Replace("-", "").Contains("UTF8", StringComparison.OrdinalIgnoreCase);

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name);
}
