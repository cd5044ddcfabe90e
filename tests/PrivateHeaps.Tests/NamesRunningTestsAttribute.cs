using System.Reflection;
using Xunit.Sdk;

namespace PrivateHeaps.Tests;

/// <summary>
/// Appends the name of each test to the file PRIVATEHEAPS_TEST_NAMES as the test begins, so that a process that crashed or hangs can be placed: the runner
/// hears of tests late, and its own list ends before the one that ran.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class NamesRunningTestsAttribute : BeforeAfterTestAttribute
{
    // Each line goes to the system at once: nothing in the process lives to write it later.
    private static readonly FileStream? s_names = Environment.GetEnvironmentVariable("PRIVATEHEAPS_TEST_NAMES") is { Length: > 0 } path
        ? new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0)
        : null;

    public override void Before(MethodInfo methodUnderTest) =>
        s_names?.Write(System.Text.Encoding.UTF8.GetBytes($"{Environment.ProcessId} {methodUnderTest.DeclaringType}.{methodUnderTest.Name}\n"));
}
