using Spectre.Console;
using static PrivateHeaps.Tool.Reports.TextTable;

namespace PrivateHeaps.Tool.Reports;

/// <summary>A report for people: the program's own figures, its live blocks by size, and one line for each other process image.</summary>
internal static class ReportText
{
    private const int BarWidth = 24;
    private const int MostOthers = 100;

    public static string Render(RunReport report, ReportStyle style) => TextTable.Render(style, console =>
    {
        WriteHeadline(console, report);
        if (report.Main is { } main)
        {
            WriteFigures(console, main);
            WriteLiveBlocks(console, main, style);
        }
        else
        {
            WriteAbsence(console, report);
        }

        WriteOthers(console, report.Others);
    });

    private static void WriteHeadline(IAnsiConsole console, RunReport report)
    {
        string times = $"after {Human.Duration(report.Result.WallNanoseconds)}"
            + $" (processor: {Human.Duration(report.Result.UserNanoseconds)} in programs, {Human.Duration(report.Result.SystemNanoseconds)} in the kernel)";
        console.WriteLine();
        console.MarkupLine($"[bold]pheap:[/] [bold]{Markup.Escape(Path.GetFileName(report.CommandLine[0]))}[/] [{Ending.ColorOf(report.Result)}]{Ending.Of(report.Result)}[/] {times}");
    }

    private static void WriteFigures(IAnsiConsole console, ProcessImage image)
    {
        Grid table = Columns(Justify.Left, Justify.Right, Justify.Left, Justify.Right);
        AddRow(table, "allocations", Human.Count(image.Allocations), "in use at the end", Human.Bytes(image.BytesInUse));
        AddRow(table, "frees", Human.Count(image.Frees), "in use at the peak", Human.Bytes(image.PeakBytesInUse));
        AddRow(table, "reallocations", Human.Count(image.Reallocations), "committed at the end", Human.Bytes(image.CommittedBytes));
        AddRow(table, "failed allocations", Human.Count(image.FailedAllocations), "committed at the peak", Human.Bytes(image.PeakCommittedBytes));
        AddRow(table, "blocks live at the end", Human.Count(image.LiveBlocks), "reserved", Human.Bytes(image.ReservedBytes));
        AddRow(table, "largest live block", Largest(image), "threads at the peak", Human.Count(image.ThreadPeak));
        console.Write(table);
        if (image.Fragmentation is { } fragmentation)
            console.WriteLine($"  fragmentation at the end (1 - in use / committed): {Human.Percent(fragmentation)}");
        if (image.End == ImageEnd.Replaced)
            console.WriteLine($"  These are the figures of {image.Command} up to its exec; the program that took its place did not use the heap.");
    }

    private static void WriteLiveBlocks(IAnsiConsole console, ProcessImage image, ReportStyle style)
    {
        SizeClass[] classes = [.. image.SizeClasses.Where(one => one.Live > 0)];
        if (classes.Length == 0)
        {
            console.WriteLine("  No block was live at the end.");
            return;
        }

        console.WriteLine();
        console.MarkupLine("  [bold]Blocks live at the end, by size[/]");
        Grid table = Columns(Justify.Right, Justify.Right, Justify.Right, Justify.Left);
        AddHeads(table, "up to", "live", "allocated", "");
        ulong most = classes.Max(one => one.Live);
        foreach (SizeClass one in classes)
        {
            var bar = new Text(Bar((double)one.Live / most, style.Unicode), new Style(Color.Blue));
            table.AddRow(Cell(Human.Bytes(one.ToBytes)), Cell(Human.Count(one.Live)), Cell(Human.Count(one.Allocated)), bar);
        }

        console.Write(table);
    }

    private static void WriteAbsence(IAnsiConsole console, RunReport report)
    {
        string reason = report.Result.Signal != 0 || report.Others.Count > 0
            ? "Its process never used the heap."
            : "It never used the heap: it is linked statically, runs with another user's rights (setuid), or was started without LD_PRELOAD.";
        console.WriteLine($"  {reason}");
    }

    private static void WriteOthers(IAnsiConsole console, IReadOnlyList<ProcessImage> others)
    {
        if (others.Count == 0)
            return;

        console.WriteLine();
        console.MarkupLine($"  [bold]Other processes that used the heap: {Human.Count((ulong)others.Count)}[/]");
        Grid table = Columns(Justify.Right, Justify.Left, Justify.Right, Justify.Right, Justify.Right, Justify.Right, Justify.Left);
        AddHeads(table, "process", "command", "allocations", "frees", "in use", "peak", "end");
        foreach (ProcessImage image in others.Take(MostOthers))
        {
            AddRow(
                table,
                $"{image.ProcessId}",
                image.Command,
                Human.Count(image.Allocations),
                Human.Count(image.Frees),
                Human.Bytes(image.BytesInUse),
                Human.Bytes(image.PeakBytesInUse),
                EndOf(image));
        }

        console.Write(table);
        if (others.Count > MostOthers)
            console.WriteLine($"  ... and {Human.Count((ulong)(others.Count - MostOthers))} more; the JSON report (--report FILE.json) has them all.");
    }

    private static string Largest(ProcessImage image) =>
        image.LargestLiveIsExact ? Human.Bytes(image.LargestLiveBytes) : $"at most {Human.Bytes(image.LargestLiveBytes)}";

    private static string EndOf(ProcessImage image) => image.End switch
    {
        ImageEnd.Exited => "exited",
        ImageEnd.Replaced => "exec",
        ImageEnd.Running => "still running",
        _ => "killed",
    };

    /// <summary>A bar of at most <see cref="BarWidth"/> characters, in eighths of one where the terminal has those; never empty.</summary>
    private static string Bar(double share, bool unicode)
    {
        if (!unicode)
            return new string('#', Math.Max(1, (int)Math.Round(share * BarWidth)));

        int eighths = Math.Max(1, (int)Math.Round(share * BarWidth * 8));
        string whole = new('█', eighths / 8);
        return eighths % 8 == 0 ? whole : whole + "▏▎▍▌▋▊▉"[eighths % 8 - 1];
    }
}
