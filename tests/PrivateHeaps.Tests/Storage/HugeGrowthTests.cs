namespace PrivateHeaps.Tests.Storage;

/// <summary>
/// When a heap grows in huge pages, and when it does not; see <see cref="HugeScenarios"/>. Each test is a process of its own, since the system under it is the whole process's.
/// </summary>
public sealed class HugeGrowthTests
{
    [Theory]
    [InlineData(nameof(HugeScenarios.BelowThirtyTwoMiBNothingIsWished))]
    [InlineData(nameof(HugeScenarios.WhereMemoryIsUsedSevenOfEightStepsAreHuge))]
    [InlineData(nameof(HugeScenarios.WhereMemoryIsNotUsedNoStepIsHuge))]
    [InlineData(nameof(HugeScenarios.AHeapThatUsesItsMemoryNoLongerGrowsInSmallPagesAgain))]
    [InlineData(nameof(HugeScenarios.WhatTheSystemRefusesChangesNothing))]
    [InlineData(nameof(HugeScenarios.WhereAHugePageTakesLongThereIsNoneForASecond))]
    [InlineData(nameof(HugeScenarios.AHugePageIsDividedOnceBeforeAPartOfItGoesBack))]
    [InlineData(nameof(HugeScenarios.WhatHugePagesHaveTooMuchGoesBackWithTheRest))]
    [InlineData(nameof(HugeScenarios.LargeBlocksBecomeHugeAsLongAsEachEighthIsUsed))]
    [InlineData(nameof(HugeScenarios.ALargeBlockSaysNothingOfOnesThatAreManyTimesAsLarge))]
    [InlineData(nameof(HugeScenarios.OnlyFreshPagesOfALargeBlockSayAnything))]
    [InlineData(nameof(HugeScenarios.ALargeBlockThatGrowsBecomesHugeOnceIfItIsUsed))]
    [InlineData(nameof(HugeScenarios.NeighborsOfDifferentKindsStayApart))]
    [InlineData(nameof(HugeScenarios.WhatIsOneMappingToTheHeapIsOneToTheSystem))]
    public void In_huge_pages(string scenario)
    {
        (int exitCode, string output, string errors) = Child.Run(null, nameof(HugeScenarios), scenario);
        Assert.True(exitCode == 0, output + errors);
    }
}
