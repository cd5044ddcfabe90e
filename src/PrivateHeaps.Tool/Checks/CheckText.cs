using PrivateHeaps.Tool.Reports;
using Spectre.Console;
using static PrivateHeaps.Tool.Reports.TextTable;

namespace PrivateHeaps.Tool.Checks;

/// <summary>What a check found, for people: one line for each kind and place.</summary>
internal static class CheckText
{
    private const int MostErrors = 100;
    private const int MostLeaks = 20;

    public static string Render(CheckReport report, ReportStyle style) => TextTable.Render(style, console =>
    {
        FindingGroup[] errors = [.. report.Groups.Where(group => !group.First.IsLeak)];
        FindingGroup[] leaks = [.. report.Groups.Where(group => group.First.IsLeak)];
        WriteHeadline(console, report, errors, leaks);
        if (report.Groups.Count > 0)
            WriteGroups(console, [.. errors.Take(MostErrors), .. leaks.Take(MostLeaks)]);
        if (errors.Length > MostErrors)
            WriteRestOfErrors(console, errors[MostErrors..]);
        if (leaks.Length > MostLeaks)
            WriteRest(console, leaks[MostLeaks..]);
        foreach (string sentence in report.File.Omission.Sentences)
            console.WriteLine($"  {sentence}");
        if (report.File.UnreadableCount > 0)
            console.WriteLine($"  {Human.Numbered((ulong)report.File.UnreadableCount, "line")} of the processes could not be read; there may be more findings than these.");
        if (report.File.ImageCount == 0)
            console.WriteLine("  It never used the checked heap: it is linked statically, runs with another user's rights (setuid), or was started without LD_PRELOAD.");
    });

    private static void WriteHeadline(IAnsiConsole console, CheckReport report, FindingGroup[] errors, FindingGroup[] leaks)
    {
        string found = report.Groups.Count > 0 ? $"[red]{Summary(errors, leaks)}[/]" : report.File.ImageCount switch
        {
            0 => "[yellow]nothing was checked[/]",
            1 => "[green]nothing was found[/]",
            int count => $"[green]nothing was found in {count} programs[/]",
        };
        console.WriteLine();
        console.MarkupLine($"[bold]pheap:[/] [bold]{Markup.Escape(Path.GetFileName(report.CommandLine[0]))}[/] [{Ending.ColorOf(report.Result)}]{Ending.Of(report.Result)}[/]; {found}.");
    }

    private static string Summary(FindingGroup[] errors, FindingGroup[] leaks)
    {
        string error = Human.Numbered(Sum(errors, group => group.Count), "finding");
        string leak = $"{Human.Numbered(Sum(leaks, group => group.Count), "block")} of {Human.Bytes(Sum(leaks, group => group.Bytes))} in all still allocated";
        return leaks.Length == 0 ? error : errors.Length == 0 ? leak : $"{error}, {leak}";
    }

    private static void WriteGroups(IAnsiConsole console, FindingGroup[] groups)
    {
        Grid table = Columns(Justify.Left, Justify.Right, Justify.Right, Justify.Left, Justify.Left, Justify.Left);
        AddHeads(table, "kind", "count", "block size", "heap", "allocated at", "caught at");
        foreach (FindingGroup group in groups)
            AddRow(table, Line(group.Kind), Human.Count(group.Count), group.Size, Line(group.Heap), Line(group.AllocatedAt), Line(group.CaughtAt));
        console.Write(table);
    }

    private static void WriteRest(IAnsiConsole console, FindingGroup[] rest) => console.WriteLine(
        $"  ... and {Human.Numbered(Sum(rest, group => group.Count), "block")} of {Human.Bytes(Sum(rest, group => group.Bytes))} in all from {Human.Numbered(Sum(rest, group => group.Places), "more place")}; --report FILE.sarif has {Them(rest)}.");

    private static void WriteRestOfErrors(IAnsiConsole console, FindingGroup[] rest) => console.WriteLine(
        $"  ... and {Human.Numbered(Sum(rest, group => group.Count), "finding")} in {Human.Numbered((ulong)rest.Length, "more line")}; --report FILE.sarif has them all.");

    // What a process reports together is in no report one by one.
    private static string Them(FindingGroup[] rest) => rest.All(group => group.Places == 1) ? "them all" : "more of them";

    private static ulong Sum(IEnumerable<FindingGroup> groups, Func<FindingGroup, ulong> value) => groups.Aggregate(0ul, (sum, group) => sum + value(group));

    // The names come out of the program; one with a line end in it would break the table.
    private static string Line(string text) => new([.. text.Select(letter => char.IsControl(letter) ? ' ' : letter)]);
}
