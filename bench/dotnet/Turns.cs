using System.Collections.Immutable;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Order;
using BenchmarkDotNet.Running;

namespace PrivateHeaps.Benchmarks;

/// <summary>Column by column, in each all subjects, then all subjects again.</summary>
internal sealed class Turns : DefaultOrderer
{
    public override IEnumerable<BenchmarkCase> GetExecutionOrder(ImmutableArray<BenchmarkCase> benchmarkCases, IEnumerable<BenchmarkLogicalGroupRule>? order = null) =>
        benchmarkCases.GroupBy(Tables.ColumnOf).SelectMany(column => column.OrderBy(benchmark => benchmark.Job.Id));
}
