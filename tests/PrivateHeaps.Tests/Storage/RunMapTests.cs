using PrivateHeaps.Storage;

namespace PrivateHeaps.Tests.Storage;

public sealed unsafe class RunMapTests
{
    private const uint Count = 1000;

    [Fact]
    public void A_random_sequence_agrees_with_an_array_of_flags()
    {
        int seed = Environment.TickCount;
        Random random = new(seed);
        ulong* words = stackalloc ulong[(int)(Count + 63) / 64];
        RunMap map;
        RunMap.Initialize(&map, words, Count);
        bool[] free = [.. Enumerable.Repeat(true, (int)Count)];
        List<(uint Start, uint Length)> taken = [];
        for (int step = 0; step < 5000; step++)
        {
            if (taken.Count != 0 && random.Next(2) == 0)
            {
                int index = random.Next(taken.Count);
                (uint start, uint length) = taken[index];
                taken.RemoveAt(index);
                RunMap.Give(&map, start, length);
                Array.Fill(free, true, (int)start, (int)length);
            }
            else
            {
                uint length = (uint)random.Next(1, 150);
                uint alignment = 1u << random.Next(6);
                uint phase = (uint)random.Next(64);
                uint start = RunMap.Find(&map, length, alignment, phase);
                Assert.True(Expected(free, length, alignment, phase) == start, $"seed {seed}, step {step}");
                if (start != RunMap.None)
                {
                    RunMap.Take(&map, start, length);
                    Array.Fill(free, false, (int)start, (int)length);
                    taken.Add((start, length));
                }
            }

            Assert.Equal((uint)free.Count(flag => flag), map.FreeCount);
            Assert.Equal(LongestRun(free), RunMap.LongestRun(&map, Count));
        }
    }

    [Theory]
    [InlineData(0u, 64u)]
    [InlineData(63u, 2u)]
    [InlineData(1u, 998u)]
    [InlineData(999u, 1u)]
    [InlineData(500u, 0u)]
    public void Bits_are_set_cleared_and_counted_across_words(uint start, uint length)
    {
        ulong* words = stackalloc ulong[(int)(Count + 63) / 64];
        new Span<ulong>(words, (int)(Count + 63) / 64).Clear();
        RunMap.SetBits(words, start, length);
        Assert.Equal(length, RunMap.CountSet(words, 0, Count));
        Assert.Equal(length, RunMap.CountSet(words, start, length));
        RunMap.ClearBits(words, start, length);
        Assert.Equal(0u, RunMap.CountSet(words, 0, Count));
    }

    [Fact]
    public void A_run_is_free_only_when_it_lies_inside_the_map()
    {
        ulong* words = stackalloc ulong[(int)(Count + 63) / 64];
        RunMap map;
        RunMap.Initialize(&map, words, Count);
        Assert.True(RunMap.IsFree(&map, 0, Count));
        Assert.False(RunMap.IsFree(&map, 1, Count));
        Assert.False(RunMap.IsFree(&map, Count + 1, 1));
        Assert.False(RunMap.IsFree(&map, 5, uint.MaxValue));
        RunMap.Take(&map, 10, 1);
        Assert.False(RunMap.IsFree(&map, 0, 11));
        Assert.True(RunMap.IsFree(&map, 11, Count - 11));
    }

    private static uint Expected(bool[] free, uint length, uint alignment, uint phase)
    {
        for (uint start = 0; start + length <= free.Length; start++)
        {
            if ((start + phase) % alignment == 0 && free.AsSpan((int)start, (int)length).IndexOf(false) < 0)
            {
                return start;
            }
        }

        return RunMap.None;
    }

    private static uint LongestRun(bool[] free)
    {
        uint longest = 0;
        uint current = 0;
        foreach (bool flag in free)
        {
            current = flag ? current + 1 : 0;
            longest = Math.Max(longest, current);
        }

        return longest;
    }
}
