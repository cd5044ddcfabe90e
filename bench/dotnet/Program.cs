// Compares private heaps with the other ways that a .NET program has to get memory; the script `run` beside this file says how it is called.
using System.Reflection;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Filters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using Perfolizer.Horology;
using Perfolizer.Mathematics.OutlierDetection;
using PrivateHeaps.Benchmarks;

if (!MimallocLibrary.IsThere)
{
    Console.WriteLine($"mimalloc is left out: {MimallocLibrary.Name} is not there (Debian's package {MimallocLibrary.Package}).\n");
}

if (args is ["--quick"])
{
    Quick.Run();
    return 0;
}

Type[] scenarios = [typeof(Tight), typeof(Batch), typeof(Handover), typeof(Zeroed), typeof(Growth), typeof(WholeHeap), typeof(TwoHeaps)];
string[] subjects = [.. scenarios.SelectMany(scenario => scenario.GetMethods()).Select(method => method.GetCustomAttribute<BenchmarkAttribute>()?.Description).OfType<string>().Distinct()];
string[] wantedScenarios = [.. args.Where(word => scenarios.Any(scenario => IsNamed(scenario.Name, word)))];
string[] wantedSubjects = [.. args.Except(wantedScenarios)];
if (wantedSubjects.FirstOrDefault(word => !subjects.Any(subject => IsNamed(subject, word))) is { } unknown)
{
    Console.Error.WriteLine($"bench/dotnet/run: '{unknown}' is part of no scenario's name, which are {string.Join(", ", scenarios.Select(scenario => scenario.Name))},");
    Console.Error.WriteLine($"and of no subject's: {string.Join("; ", subjects)}.");
    return 2;
}

// Each case is measured in two processes of its own, where no other subject has left its traces in memory or in the profile by which code is compiled,
// and all cases of a column once before any of them again, so that what the machine does meanwhile falls on all. Code is compiled for the last time
// while the number of invocations is sought; the warm-ups are for what comes late.
Job job = Job.Default
    .WithLaunchCount(1)
    .WithWarmupCount(5)
    .WithIterationCount(5)
    .WithIterationTime(TimeInterval.FromMilliseconds(75))
    .WithEvaluateOverhead(false)
    .WithOutlierMode(OutlierMode.DontRemove);
IConfig config = ManualConfig.CreateEmpty()
    .AddJob(job.WithId("first turn"), job.WithId("second turn"))
    .AddFilter(new SimpleFilter(IsWanted))
    .AddLogger(NullLogger.Instance)
    .AddEventProcessor(new Progress())
    .WithOrderer(new Turns())
    .WithArtifactsPath(Path.Combine(AppContext.BaseDirectory, "artifacts"));
BenchmarkReport[] reports = [.. BenchmarkRunner.Run(scenarios, config).SelectMany(summary => summary.Reports)];
Console.Write(Tables.Of(reports));
return reports.Length != 0 && reports.All(report => report.Success) ? 0 : 1;

bool IsWanted(BenchmarkCase benchmark) =>
    (MimallocLibrary.IsThere || !benchmark.Descriptor.HasCategory(MimallocLibrary.Name)) &&
    (wantedScenarios.Length == 0 || wantedScenarios.Any(word => IsNamed(benchmark.Descriptor.Type.Name, word))) &&
    (wantedSubjects.Length == 0 || benchmark.Descriptor.Baseline || wantedSubjects.Any(word => IsNamed(Tables.SubjectOf(benchmark), word)));

static bool IsNamed(string name, string word) => name.Contains(word, StringComparison.OrdinalIgnoreCase);
