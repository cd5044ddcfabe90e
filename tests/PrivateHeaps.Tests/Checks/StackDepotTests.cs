using PrivateHeaps.Checks;
using PrivateHeaps.Heaps;

namespace PrivateHeaps.Tests.Checks;

public sealed unsafe class StackDepotTests
{
    public StackDepotTests() => Assert.True(Engine.Start() && StackDepot.Initialize());

    [Fact]
    public void A_stack_keeps_its_number_and_its_frames_and_others_get_other_numbers()
    {
        Dictionary<uint, nuint[]> stacks = [];
        for (nuint number = 1; number <= 20_000; number++)
        {
            // Lengths from 1 to all, shared beginnings, and enough of them to fill several chunks.
            nuint[] frames = [.. Enumerable.Range(0, (int)(number % StackDepot.FrameCapacity) + 1).Select(depth => depth == 0 ? 0x51AC_0000 + (number / 7) : (nuint)(depth * 16) + number)];
            Assert.True(stacks.TryAdd(Add(frames), frames));
        }

        foreach ((uint number, nuint[] frames) in stacks)
        {
            Assert.NotEqual(0u, number);
            Assert.Equal(number, Add(frames));
            Assert.Equal(frames, FramesOf(number));
        }
    }

    [Fact]
    public void No_frames_have_no_number_and_no_number_has_no_frames()
    {
        Assert.Equal(0u, Add([]));
        Assert.Empty(FramesOf(0));
    }

    [Fact]
    public void Threads_that_bring_the_same_stacks_at_the_same_time_get_the_same_numbers()
    {
        const int ThreadCount = 4;
        const int StackCount = 5_000;
        uint[][] numbers = new uint[ThreadCount][];
        using Barrier start = new(ThreadCount);
        Threads.Run([.. Enumerable.Range(0, ThreadCount).Select(thread => (Action)(() =>
        {
            uint[] own = numbers[thread] = new uint[StackCount];
            start.SignalAndWait();
            for (int stack = 0; stack < StackCount; stack++)
            {
                own[stack] = Add([0x7EAD_0000, (nuint)stack + 1]);
            }
        }))]);

        Assert.All(numbers, own => Assert.Equal(numbers[0], own));
        Assert.Equal(StackCount, numbers[0].Distinct().Count());
        Assert.All(numbers[0], (number, index) => Assert.Equal([0x7EAD_0000, (nuint)index + 1], FramesOf(number)));
    }

    private static uint Add(nuint[] frames)
    {
        fixed (nuint* first = frames)
        {
            return StackDepot.Add(first, frames.Length);
        }
    }

    private static nuint[] FramesOf(uint number)
    {
        int count = StackDepot.Frames(number, out nuint* frames);
        return new ReadOnlySpan<nuint>(frames, count).ToArray();
    }
}
