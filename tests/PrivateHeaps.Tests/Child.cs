using System.Diagnostics;
using PrivateHeaps.Checks;
using PrivateHeaps.Tests.Checks;
using PrivateHeaps.Tests.Platform;
using PrivateHeaps.Tests.Storage;
using PrivateHeaps.Tests.Win32;

namespace PrivateHeaps.Tests;

/// <summary>
/// This assembly as a program of its own: what changes a whole process, or ends it, is tried in a child. The scenario's name is the first argument.
/// </summary>
public static class Child
{
    // Of the longest scenario under load, several times over, and less than what a test may take before its whole run is ended.
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(130);

    public static int Main(string[] arguments)
    {
        Action scenario = arguments[0] switch
        {
            nameof(ContractScenarios.PrintContract) => ContractScenarios.PrintContract,
            nameof(ContractScenarios.PrintSwitched) => () => ContractScenarios.PrintSwitched(arguments[1]),
            nameof(ContractScenarios.PrintFailures) => () => ContractScenarios.PrintFailures(arguments[1]),
            nameof(ContractScenarios.PrintErrorOfFirstCall) => () => ContractScenarios.PrintErrorOfFirstCall(arguments[1]),
            nameof(ContractScenarios.ChooseLate) => ContractScenarios.ChooseLate,
            nameof(TerminationScenarios.Misuse) => () => TerminationScenarios.Misuse(arguments[1], arguments[2]),
            nameof(SuiteRunner.RunUnder) => () => SuiteRunner.RunUnder(Enum.Parse<MemoryRules>(arguments[1]), arguments[2..]),
            nameof(FaultScenarios) => () => FaultScenarios.Run(Enum.Parse<MemoryRules>(arguments[1]), Enum.Parse<HeapKind>(arguments[2])),
            nameof(ZeroScenarios) => () => ZeroScenarios.Run(Enum.Parse<MemoryRules>(arguments[1]), Enum.Parse<DecommitAnswer>(arguments[2])),
            nameof(HugeScenarios) => () => HugeScenarios.Run(arguments[1]),
            nameof(GuardFaultScenarios) => () => GuardFaultScenarios.Run(arguments[1]),
            nameof(CommitScenarios) => () => CommitScenarios.Run(arguments[1]),
            nameof(CheckScenarios) => () => CheckScenarios.Run(Enum.Parse<HeapChecks>(arguments[1]), arguments[2..]),
            _ => throw new ArgumentException($"There is no scenario '{arguments[0]}'."),
        };
        scenario();
        return 0;
    }

    /// <summary>
    /// Runs a scenario in a process of its own, with an environment variable if one is given; returns its exit code and what it wrote. One that hangs is
    /// ended, and says so.
    /// </summary>
    public static (int ExitCode, string Output, string Errors) Run((string Name, string Value)? variable, params string[] arguments) =>
        RunWith(variable is { } one ? [one] : [], arguments);

    /// <summary>The same with several variables.</summary>
    public static (int ExitCode, string Output, string Errors) RunWith((string Name, string Value)[] variables, params string[] arguments)
    {
        ProcessStartInfo start = new("dotnet", ["exec", typeof(Child).Assembly.Location, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove("PRIVATEHEAPS_CONTRACT");
        start.Environment.Remove("PRIVATEHEAPS_CHECK");
        foreach ((string name, string value) in variables)
        {
            start.Environment[name] = value;
        }

        using Process child = Process.Start(start)!;
        Task<string> output = child.StandardOutput.ReadToEndAsync(), errors = child.StandardError.ReadToEndAsync();
        string verdict = string.Empty;
        if (!child.WaitForExit(s_limit))
        {
            verdict = $"It had not ended after {s_limit}. Its threads:\n{DescribeThreads(child.Id)}";
            child.Kill();
        }

        child.WaitForExit();
        return (child.ExitCode, output.Result, errors.Result + verdict);
    }

    // What each thread of a process that hangs waits for: the number and the arguments of the system call that it is in, and where it was called from.
    private static string DescribeThreads(int process)
    {
        if (!OperatingSystem.IsLinux())
        {
            return string.Empty;
        }

        IEnumerable<string> threads = Directory.GetDirectories($"/proc/{process}/task").Select(thread =>
        {
            string[] facts = [.. new[] { "comm", "stat", "wchan", "syscall" }.Select(name => ReadIfPossible(Path.Combine(thread, name)).Trim())];
            return $"{Path.GetFileName(thread)} {facts[0]}, state {facts[1].Split(' ').ElementAtOrDefault(2)}, waits in {facts[2]}, call {facts[3]}";
        });
        return string.Join('\n', threads);
    }

    private static string ReadIfPossible(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "unknown";
        }
    }
}
