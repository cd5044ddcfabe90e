namespace PrivateHeaps.Tests.Platform;

/// <summary>
/// Every call to the system can fail: what cannot be served is refused as documented, everything else stays as it was, nothing is lost, and the heap goes on
/// when memory is back. Each test is a process of its own, since the system under it is the whole process's.
/// </summary>
public sealed class OtherSystemsFaultTests
{
    public static TheoryData<string, string> RulesAndKinds()
    {
        TheoryData<string, string> data = [];
        foreach (HeapKind kind in Enum.GetValues<HeapKind>())
        {
            data.Add(nameof(MemoryRules.OfThisSystem), kind.ToString());
        }

        data.Add(nameof(MemoryRules.OfWindows), nameof(HeapKind.Growable));
        data.Add(nameof(MemoryRules.OfWindows), nameof(HeapKind.Bounded));
        data.Add(nameof(MemoryRules.OfWindows), nameof(HeapKind.Process));
        data.Add(nameof(MemoryRules.OfMacOs), nameof(HeapKind.Growable));
        return data;
    }

    [Theory, MemberData(nameof(RulesAndKinds))]
    public void Every_call_to_the_system_may_fail(string rules, string kind) => Run(nameof(FaultScenarios), rules, kind);

    [Theory]
    [InlineData(nameof(MemoryRules.OfThisSystem), nameof(DecommitAnswer.Works))]
    [InlineData(nameof(MemoryRules.OfThisSystem), nameof(DecommitAnswer.Fails))]
    [InlineData(nameof(MemoryRules.OfThisSystem), nameof(DecommitAnswer.DoesNothing))]
    [InlineData(nameof(MemoryRules.OfWindows), nameof(DecommitAnswer.Works))]
    [InlineData(nameof(MemoryRules.OfWindows), nameof(DecommitAnswer.Fails))]
    [InlineData(nameof(MemoryRules.OfMacOs), nameof(DecommitAnswer.DoesNothing))]
    public void Zeroed_memory_is_zero_whatever_the_system_does_with_what_is_given_back(string rules, string answer) => Run(nameof(ZeroScenarios), rules, answer);

    private static void Run(string scenarios, string first, string second)
    {
        (int exitCode, string output, string errors) = Child.Run(null, scenarios, first, second);
        Assert.True(exitCode == 0, output + errors);
    }
}
