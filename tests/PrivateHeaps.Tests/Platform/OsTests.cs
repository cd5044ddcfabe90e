using System.Diagnostics;
using System.Runtime.InteropServices;
using PrivateHeaps.Heaps;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Tests.Platform;

/// <summary>What the engine expects of the system, whichever it is.</summary>
public sealed unsafe class OsTests
{
    private const nuint KiB = 1 << 10;

    public OsTests() => Assert.True(Engine.Start());

    [Theory]
    [InlineData(4)]
    [InlineData(64)]
    [InlineData(128)]
    [InlineData(16 << 10)]
    public void Mapped_memory_is_zero_and_aligned(int alignmentKiB)
    {
        nuint alignment = (nuint)alignmentKiB * KiB, bytes = 300 * KiB;
        byte*[] maps = new byte*[20];
        for (int index = 0; index < maps.Length; index++)
        {
            maps[index] = (byte*)Os.Map(bytes, alignment, executable: false);
            Assert.True(maps[index] != null && (nuint)maps[index] % alignment == 0);
            Memory.AssertFilled(maps[index], 0, bytes, 0);
            Memory.Fill(maps[index], bytes, (byte)(index + 1));
        }

        for (int index = 0; index < maps.Length; index++)
        {
            Memory.AssertFilled(maps[index], 0, bytes, (byte)(index + 1));
            Os.Release(maps[index], bytes);
        }
    }

    [Fact]
    public void Decommitted_memory_is_zero_when_it_is_committed_again_and_its_neighbors_keep_theirs()
    {
        nuint bytes = 256 * KiB, first = 20 * KiB, end = 200 * KiB;
        byte* range = (byte*)Os.Reserve(bytes);
        Assert.True(Os.Commit(range, bytes, executable: false));
        Memory.Fill(range, bytes, 0x77);
        Assert.True(Os.Decommit(range + first, end - first));
        Assert.True(Os.Commit(range + first, end - first, executable: false));
        Memory.AssertFilled(range, 0, first, 0x77);
        Memory.AssertFilled(range, first, end, 0);
        Memory.AssertFilled(range, end, bytes, 0x77);

        // A commit of what is committed changes nothing.
        Memory.Fill(range + first, end - first, 0x78);
        Assert.True(Os.Commit(range, bytes, executable: false));
        Memory.AssertFilled(range, first, end, 0x78);
        Os.Release(range, bytes);
    }

    [Fact]
    public void Discarded_memory_stays_accessible()
    {
        byte* range = (byte*)Os.Map(256 * KiB);
        Memory.Fill(range, 256 * KiB, 0x31);
        byte expected = Os.Discard(range, 256 * KiB) ? (byte)0 : (byte)0x31;
        Memory.AssertFilled(range, 0, 256 * KiB, expected);
        Os.Release(range, 256 * KiB);
    }

    [Fact]
    public void A_range_that_shrinks_keeps_the_rest_and_one_that_grows_keeps_all()
    {
        nuint bytes = 1024 * KiB;
        byte* range = (byte*)Os.Map(bytes);
        Memory.Fill(range, bytes, 0x42);
        Assert.True(Os.Resize(range, bytes, 100 * KiB));
        Memory.AssertFilled(range, 0, 100 * KiB, 0x42);
        bytes = Os.Resize(range, 100 * KiB, 500 * KiB) ? 500 * KiB : 100 * KiB;
        Memory.AssertFilled(range, 0, 100 * KiB, 0x42);
        Memory.Fill(range, bytes, 0x43);
        if (Os.CanMove)
        {
            byte* other = (byte*)Os.Map(512 * KiB);
            Memory.Fill(other, 512 * KiB, 0x45);
            range = (byte*)Os.Move(range, bytes, 1600 * KiB);
            Memory.AssertFilled(range, 0, bytes, 0x43);
            Memory.AssertFilled(range, bytes, 1600 * KiB, 0);
            bytes = 1600 * KiB;
            Memory.Fill(range, bytes, 0x44);
            Memory.AssertFilled(other, 0, 512 * KiB, 0x45);
            Os.Release(other, 512 * KiB);
        }

        Os.Release(range, bytes);
    }

    [Fact]
    public void Code_runs_where_that_was_asked_for()
    {
        // mov eax, 42; ret. mov w0, #42; ret.
        byte[] code = RuntimeInformation.ProcessArchitecture == Architecture.Arm64
            ? [0x40, 0x05, 0x80, 0x52, 0xC0, 0x03, 0x5F, 0xD6]
            : [0xB8, 42, 0, 0, 0, 0xC3];
        void* mapped = Os.Map(64 * KiB, 64 * KiB, executable: true);
        byte* committed = (byte*)Os.Reserve(64 * KiB);
        bool isServed = Os.Commit(committed, 64 * KiB, executable: true);
        Assert.Equal(!OperatingSystem.IsMacOS(), mapped != null && isServed);
        foreach (nint place in (nint[])[(nint)mapped, (nint)committed])
        {
            if (isServed)
            {
                code.CopyTo(new Span<byte>((void*)place, code.Length));
                Assert.Equal(42, ((delegate* unmanaged<int>)place)());
                Os.Release((void*)place, 64 * KiB);
            }
        }
    }

    [Fact]
    public void Reading_what_is_not_there_is_refused()
    {
        nuint page = Os.PageBytes;
        byte* range = (byte*)Os.Reserve(2 * page);
        Assert.True(Os.Commit(range, page, executable: false));
        Memory.Fill(range, page, 0x19);
        byte* copy = stackalloc byte[16];
        Assert.True(Os.TryRead(range + page - 16, copy, 16));
        Memory.AssertFilled(copy, 0, 16, 0x19);
        Assert.False(Os.TryRead(range + page - 8, copy, 16));
        Assert.False(Os.TryRead(range + page, copy, 1));
        Assert.False(Os.TryRead(null, copy, 1));
        Os.Release(range, 2 * page);
    }

    [Fact]
    public void The_node_is_one_of_those_with_processors_and_nobody_is_asked_where_there_is_one()
    {
        const string nodesWithProcessors = "/sys/devices/system/node/has_cpu";
        string numbers = File.Exists(nodesWithProcessors) ? File.ReadAllText(nodesWithProcessors).Trim() : "0";
        Assert.Equal(numbers.Contains('-', StringComparison.Ordinal) || numbers.Contains(',', StringComparison.Ordinal), Os.HasNodes);
        Assert.True(Os.HasNodes || Os.NodeNumber == 0);
        if (OperatingSystem.IsLinux())
        {
            Assert.True(Directory.Exists($"/sys/devices/system/node/node{Libc.node_number()}") || !Directory.Exists("/sys/devices/system/node"));
        }
    }

    [Fact]
    public void A_wait_ends_when_the_word_has_changed_or_after_its_time()
    {
        int word = 1;
        Os.Wait(&word, 2, -1);
        Stopwatch clock = Stopwatch.StartNew();
        while (clock.ElapsedMilliseconds < 20)
        {
            Os.Wait(&word, 1, 1_000_000);
        }

        Os.Wait(&word, 1, 1);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(4, int.MaxValue)]
    public void A_wake_ends_waits(int sleepers, int count)
    {
        int word = 1;
        int* shared = &word;
        Action sleep = () =>
        {
            while (Volatile.Read(ref *shared) == 1)
            {
                Os.Wait(shared, 1, -1);
            }
        };
        Threads.Run([.. Enumerable.Repeat(sleep, sleepers), () =>
        {
            Thread.Sleep(50);
            Volatile.Write(ref *shared, 2);
            Os.Wake(shared, count);
        }]);
    }
}
