using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using BenchmarkDotNet.Engines;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace PrivateHeaps.Benchmarks;

/// <summary>What was measured, as tables in Markdown: a scenario each, with a row for each subject and a column for each value of the parameter.</summary>
internal static class Tables
{
    public static string SubjectOf(BenchmarkCase benchmark) => benchmark.Descriptor.WorkloadMethodDisplayInfo.Trim('\'');

    public static string ColumnOf(BenchmarkCase benchmark) => benchmark.Parameters.Items is [{ } parameter] ? ColumnOf(parameter.Name, (int)parameter.Value) : "";

    public static string Of(IEnumerable<BenchmarkReport> reports)
    {
        StringBuilder text = new();
        text.AppendLine("# .NET: ratios to NativeMemory");
        text.AppendLine();
        text.AppendLine("Written by `bench/dotnet/run`. Medians in ns, and in brackets their ratios to the first row's in the same run; below 1 is faster.");
        text.AppendLine($"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier}, {Environment.ProcessorCount} cores.");
        foreach (IGrouping<Type, BenchmarkReport> scenario in reports.GroupBy(report => report.BenchmarkCase.Descriptor.Type))
        {
            text.AppendLine();
            text.AppendLine($"## {scenario.Key.Name}: {scenario.Key.GetCustomAttribute<DescriptionAttribute>()!.Description}");
            text.AppendLine();
            AppendTable(text, [.. scenario.OrderByDescending(report => report.BenchmarkCase.Descriptor.Baseline)]);
        }

        return text.ToString();
    }

    private static void AppendTable(StringBuilder text, BenchmarkReport[] reports)
    {
        string[] columns = [.. reports.Select(report => ColumnOf(report.BenchmarkCase)).Distinct()];
        text.AppendLine(Row("", columns));
        text.AppendLine(Row("---", columns.Select(_ => "---:")));
        bool hasBaseline = reports[0].BenchmarkCase.Descriptor.Baseline;
        foreach (IGrouping<string, BenchmarkReport> row in reports.GroupBy(report => SubjectOf(report.BenchmarkCase)))
        {
            text.AppendLine(Row(row.Key, columns.Select(column =>
            {
                double median = Median(row, column);
                double baseline = hasBaseline ? Median(reports.Where(report => report.BenchmarkCase.Descriptor.Baseline), column) : Median(row, columns[0]);
                return string.Create(CultureInfo.InvariantCulture, $"{median:F1} ({median / baseline:F2})");
            })));
        }
    }

    private static string Row(string head, IEnumerable<string> cells) => $"| {head,-36} |{string.Concat(cells.Select(cell => $" {cell,18} |"))}";

    // Over the turns; not a number when a case failed.
    private static double Median(IEnumerable<BenchmarkReport> reports, string column)
    {
        double[] nanoseconds =
        [
            .. reports.Where(report => ColumnOf(report.BenchmarkCase) == column)
                .SelectMany(report => report.AllMeasurements)
                .Where(measurement => measurement.Is(IterationMode.Workload, IterationStage.Result))
                .Select(measurement => measurement.GetAverageTime().Nanoseconds)
                .Order(),
        ];
        return nanoseconds.Length == 0 ? double.NaN : (nanoseconds[nanoseconds.Length / 2] + nanoseconds[(nanoseconds.Length - 1) / 2]) / 2;
    }

    private static string ColumnOf(string parameter, int value) => (parameter, value) switch
    {
        ("Bytes", Workloads.Mixed) => "mixed sizes",
        ("Bytes", _) => string.Create(CultureInfo.InvariantCulture, $"{value:N0} B"),
        (_, 1) => "1 " + parameter.ToLowerInvariant().TrimEnd('s'),
        _ => string.Create(CultureInfo.InvariantCulture, $"{value:N0} {parameter.ToLowerInvariant()}"),
    };
}
