using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Tests.Storage;

public sealed unsafe class BlockStateTests
{
    [Fact]
    public void Every_slack_reads_back_and_only_the_first_byte_looks_live()
    {
        byte* state = stackalloc byte[8];
        foreach (nuint slack in Slacks())
        {
            new Span<byte>(state, 8).Clear();
            BlockState.SetLive(state, slack);
            Assert.True(BlockState.IsLive(state[0]));
            Assert.Equal(slack, BlockState.Slack(state));
            for (int following = 1; following < 8; following++)
            {
                Assert.False(BlockState.IsLive(state[following]));
            }
        }
    }

    [Fact]
    public void The_slack_of_a_slabs_block_takes_three_bytes_at_most()
    {
        byte* state = stackalloc byte[8];
        foreach (nuint slack in Slacks().Where(slack => slack <= SizeClass.LargestBytes).Append(SizeClass.LargestBytes))
        {
            new Span<byte>(state, 8).Fill(0x5A);
            BlockState.SetLive(state, slack);
            Assert.Equal(slack, BlockState.Slack(state));
            BlockState.SetHeld(state, slack);
            Assert.Equal(slack, BlockState.Slack(state));
            Assert.Equal(0x5A, state[3]);
        }
    }

    [Fact]
    public void A_long_slack_may_be_replaced_by_a_short_one()
    {
        byte* state = stackalloc byte[8];
        BlockState.SetLive(state, 5000);
        BlockState.SetLive(state, 7);
        Assert.Equal((nuint)7, BlockState.Slack(state));
        Assert.False(BlockState.IsLive(state[1]));
    }

    [Fact]
    public void Dead_and_following_bytes_are_not_live()
    {
        Assert.False(BlockState.IsLive(BlockState.Dead));
        for (int code = BlockState.FollowingBase; code <= byte.MaxValue; code++)
        {
            Assert.False(BlockState.IsLive((byte)code));
        }
    }

    private static IEnumerable<nuint> Slacks()
    {
        for (nuint slack = 0; slack < 5000; slack++)
        {
            yield return slack;
        }

        // Where the first byte changes, and where it says no more of the slack.
        for (nuint step = 1; step <= 17; step++)
        {
            yield return (step << 14) - 1;
            yield return step << 14;
        }

        yield return 1 << 20;
        yield return BlockState.LongSlackMaximum;
    }
}
