using System.Globalization;
using System.Reflection;
using PrivateHeaps.Tests.Platform;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace PrivateHeaps.Tests;

/// <summary>
/// Tests the .NET library without a test host: in a process where other memory rules are in force, or on a system that has none.
/// </summary>
internal static class SuiteRunner
{
    // What is about this repository and the C libraries, and what starts processes of its own.
    private static readonly string[] s_excludedNames =
    [
        "PrivateHeaps.Tests.Structure", "PrivateHeaps.Tests.Win32", "PrivateHeaps.Tests.Platform.OtherSystems", "PrivateHeaps.Tests.Checks.EnvironmentCheckTests", "PrivateHeaps.Tests.Checks.GuardFaultTests",
    ];

    /// <summary>True in such a process, where the C library is not tested along.</summary>
    public static bool IsAlone { get; private set; }

    /// <summary>
    /// Runs the tests of this assembly, prints those that fail, and ends with the line "N passed, N failed". All of them, or of so many parts as the second
    /// number says the one with the first number.
    /// </summary>
    public static void RunUnder(MemoryRules rules, string[] partAndCount)
    {
        int[] numbers = partAndCount is [] ? [0, 1] : [.. partAndCount.Select(number => int.Parse(number, CultureInfo.InvariantCulture))];
        IsAlone = true;
        if (rules != MemoryRules.OfThisSystem)
        {
            StrictMemory.Install(rules);
        }

        Options options = new();
        using Sink discovered = new(), executed = new();
        using XunitTestFramework framework = new(new NullMessageSink());
        Assembly assembly = typeof(SuiteRunner).Assembly;
        framework.GetDiscoverer(Reflector.Wrap(assembly)).Find(includeSourceInformation: false, discovered, options);
        discovered.Wait();
        IEnumerable<ITestCase> tests = discovered.Tests.Where(test =>
            !s_excludedNames.Any(name => test.TestMethod.TestClass.Class.Name.StartsWith(name, StringComparison.Ordinal)));
        tests = tests.OrderBy(test => test.DisplayName, StringComparer.Ordinal).Where((_, index) => index % numbers[1] == numbers[0]);
        framework.GetExecutor(assembly.GetName()).RunTests(tests, executed, options);
        executed.Wait();
        int failed = discovered.Failed + executed.Failed + (DoFinalizersEnd() ? 0 : 1);
        Console.WriteLine($"{executed.Passed} passed, {failed} failed");

        // A test that failed may have left threads behind that wait for it.
        Environment.Exit(0);
    }

    // The process would wait for a finalizer that waits, as would a program.
    private static bool DoFinalizersEnd()
    {
        Thread collector = new(() =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        })
        {
            IsBackground = true,
        };
        collector.Start();
        bool ended = collector.Join(TimeSpan.FromSeconds(30));
        if (!ended)
        {
            Console.WriteLine("A finalizer has not ended.");
        }

        return ended;
    }

    private sealed class Sink : LongLivedMarshalByRefObject, IMessageSink, IDisposable
    {
        private readonly ManualResetEventSlim _ended = new();
        private string? _running;

        public List<ITestCase> Tests { get; } = [];

        public int Passed { get; private set; }

        public int Failed { get; private set; }

        /// <summary>Waits for the end; a test that hangs is named.</summary>
        public void Wait()
        {
            while (!_ended.Wait(TimeSpan.FromSeconds(30)))
            {
                Console.WriteLine($"{_running} has not ended yet.");
            }
        }

        public bool OnMessage(IMessageSinkMessage message)
        {
            switch (message)
            {
                case ITestCaseDiscoveryMessage discovery:
                    Tests.Add(discovery.TestCase);
                    break;
                case ITestStarting starting:
                    _running = starting.Test.DisplayName;
                    break;
                case ITestPassed:
                    Passed++;
                    break;
                case IFailureInformation failure:
                    Failed++;
                    Console.WriteLine((message as ITestMessage)?.Test.DisplayName);
                    Console.WriteLine(string.Join('\n', failure.Messages) + '\n' + string.Join('\n', failure.StackTraces));
                    break;
                case IDiscoveryCompleteMessage or ITestAssemblyFinished:
                    _ended.Set();
                    break;
            }

            return true;
        }

        public void Dispose() => _ended.Dispose();
    }

    /// <summary>Everything as the assembly's attributes say.</summary>
    private sealed class Options : ITestFrameworkDiscoveryOptions, ITestFrameworkExecutionOptions
    {
        public TValue GetValue<TValue>(string name) => default!;

        public void SetValue<TValue>(string name, TValue value)
        {
        }
    }
}
