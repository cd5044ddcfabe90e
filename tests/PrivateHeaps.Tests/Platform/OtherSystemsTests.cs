namespace PrivateHeaps.Tests.Platform;

/// <summary>
/// The engine obeys the memory rules of systems that the tests do not run on. Each test is a process of its own, since the rules hold for a whole
/// process and a broken one ends it.
/// </summary>
public sealed class OtherSystemsTests
{
    // So many that none takes so long on a slow machine that it would be taken for a test that hangs.
    private const int PartCount = 4;

    public static TheoryData<string, int> Parts()
    {
        TheoryData<string, int> data = [];
        foreach (string rules in (string[])[nameof(MemoryRules.OfWindows), nameof(MemoryRules.OfMacOs)])
        {
            for (int part = 0; part < PartCount; part++)
            {
                data.Add(rules, part);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Parts))]
    public void The_suite_passes_under_the_memory_rules(string rules, int part)
    {
        (int exitCode, string output, string errors) =
            Child.Run(("PRIVATEHEAPS_STRESS_SECONDS", "0.2"), nameof(SuiteRunner.RunUnder), rules, $"{part}", $"{PartCount}");
        Assert.True(exitCode == 0 && output.EndsWith(" passed, 0 failed\n", StringComparison.Ordinal), output + errors);
    }

    [Theory]
    [InlineData(nameof(CommitScenarios.DestroyedHeapsAreNotCharged))]
    [InlineData(nameof(CommitScenarios.CompactedMemoryIsNotChargedAndServesAgain))]
    [InlineData(nameof(CommitScenarios.RefusedCommitsLeaveEverythingSound))]
    [InlineData(nameof(CommitScenarios.ShrunkBlocksAreNotCharged))]
    public void Where_commits_are_charged(string scenario)
    {
        (int exitCode, string output, string errors) = Child.Run(null, nameof(CommitScenarios), scenario);
        Assert.True(exitCode == 0, output + errors);
    }
}
