using BenchmarkDotNet.EventProcessors;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace PrivateHeaps.Benchmarks;

/// <summary>A line on standard error for each case that was measured.</summary>
internal sealed class Progress : EventProcessor
{
    public override void OnStartBuildStage(IReadOnlyList<BuildPartition> partitions) => Console.Error.WriteLine("building the processes ...");

    public override void OnEndRunBenchmark(BenchmarkCase benchmarkCase, BenchmarkReport report) =>
        Console.Error.WriteLine(
            $"{benchmarkCase.Descriptor.Type.Name,-10}{Tables.ColumnOf(benchmarkCase),-16}{Tables.SubjectOf(benchmarkCase),-36}" +
            (report.Success ? $"{report.ResultStatistics!.Median,10:F1} ns" : "failed"));
}
