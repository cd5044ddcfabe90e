using PrivateHeaps.Heaps;
using PrivateHeaps.Tool.Reports;

namespace PrivateHeaps.Tool.Tests.Reports;

public unsafe class ProcessImageTests
{
    [Fact]
    public void A_bucket_holds_the_sizes_above_the_one_below_up_to_its_power_of_two()
    {
        Census census = SampleCensus.Create();
        for (int bucket = 0; bucket < Census.BucketCount; bucket++)
            census.AllocatedInBucket[bucket] = 1;

        IReadOnlyList<SizeClass> classes = new ProcessImage(census, 0).SizeClasses;

        Assert.Equal(Census.BucketCount, classes.Count);
        Assert.Equal((0ul, 1ul), (classes[0].FromBytes, classes[0].ToBytes));
        Assert.Equal((2ul, 2ul), (classes[1].FromBytes, classes[1].ToBytes));
        Assert.Equal((3ul, 4ul), (classes[2].FromBytes, classes[2].ToBytes));
        Assert.Equal((65ul, 128ul), (classes[7].FromBytes, classes[7].ToBytes));
        Assert.All(classes.Zip(classes.Skip(1)), pair => Assert.Equal(pair.First.ToBytes + 1, pair.Second.FromBytes));
    }

    [Fact]
    public void Live_blocks_are_those_allocated_and_not_freed()
    {
        var image = new ProcessImage(SampleCensus.Create(), 0);

        Assert.Equal(12ul, image.LiveBlocks);
        Assert.Equal([10ul, 2ul], image.SizeClasses.Select(one => one.Live));
    }

    [Fact]
    public void The_largest_live_block_is_exact_after_an_orderly_end_and_bounded_by_its_bucket_after_another()
    {
        var exited = new ProcessImage(SampleCensus.Create(), 0);
        var killed = new ProcessImage(SampleCensus.Create(endedInOrder: 0), 0);

        Assert.Equal((true, 3_000ul), (exited.LargestLiveIsExact, exited.LargestLiveBytes));
        Assert.Equal((false, 4_096ul), (killed.LargestLiveIsExact, killed.LargestLiveBytes));
    }

    [Fact]
    public void Fragmentation_is_the_committed_share_that_no_block_uses()
    {
        Census census = SampleCensus.Create();
        Assert.Equal(0.75, new ProcessImage(census, 0).Fragmentation);

        census.CommittedBytes = 0;
        Assert.Null(new ProcessImage(census, 0).Fragmentation);
    }

    [Fact]
    public void A_child_that_freed_what_it_inherited_uses_nothing()
    {
        Census census = SampleCensus.Create();
        census.BytesInUse = -100;
        census.FreedInBucket[12] = 7;
        census.Frees = 2_000;

        var image = new ProcessImage(census, 0);

        Assert.Equal(0ul, image.BytesInUse);
        Assert.Equal(0ul, image.LiveBlocks);
        Assert.Equal([10ul, 0ul], image.SizeClasses.Select(one => one.Live));
    }

    [Theory]
    [InlineData(0u, SampleCensus.ProcessId, "Killed")]
    [InlineData(1u, SampleCensus.ProcessId, "Exited")]
    [InlineData(2u, SampleCensus.ProcessId, "Replaced")]
    [InlineData(0u, 1, "Running")]
    public void The_end_is_told_by_the_census_and_by_whether_the_process_is_there(uint endedInOrder, int processId, string expected) =>
        Assert.Equal(expected, new ProcessImage(SampleCensus.Create(endedInOrder, processId), 0).End.ToString());
}
