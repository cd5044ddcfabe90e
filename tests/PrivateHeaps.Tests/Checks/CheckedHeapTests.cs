using System.Runtime.InteropServices;
using PrivateHeaps.Checks;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Checks;

/// <summary>What each check finds, what it says, and that a checked heap is a heap like any other.</summary>
public sealed unsafe class CheckedHeapTests
{
    private const HeapChecks Tail = HeapChecks.TailChecking, Fill = HeapChecks.FreeChecking, Both = Tail | Fill, Pages = HeapChecks.PageHeap;

    public static TheoryData<string, HeapChecks, nuint, string, string> Misuses => new()
    {
        { "write behind", Tail, 0, "overflow", "the 40 bytes at 0x* of heap 'checked' were overrun: 3 bytes behind their end were overwritten (found by PrivateHeap.Free)." },
        { "write behind", Tail, 64 << 10, "overflow", "the 40 bytes at 0x* of heap 'checked' were overrun: 3 bytes behind their end were overwritten (found by PrivateHeap.Free)." },
        { "write behind", Tail, 16 << 20, "overflow", "the 40 bytes at 0x* of heap 'checked' were overrun: 3 bytes behind their end were overwritten (found by PrivateHeap.Free)." },
        { "write behind", Pages, 0, "overflow", "the 40 bytes at 0x* of heap 'checked' were overrun: 3 bytes behind their end were overwritten (found by PrivateHeap.Free)." },
        { "write behind, large", Tail, 0, "overflow", "the 3000000 bytes at 0x* of heap 'checked' were overrun: 1 byte behind their end was overwritten (found by PrivateHeap.Free)." },
        { "write behind, aligned", Tail, 0, "overflow", "the 100 bytes at 0x* of heap 'checked' were overrun: 1 byte behind their end was overwritten (found by PrivateHeap.Free)." },
        { "write behind, resized", Tail, 0, "overflow", "the 40 bytes at 0x* of heap 'checked' were overrun: 1 byte behind their end was overwritten (found by PrivateHeap.Realloc)." },
        { "write behind, validated", Both, 0, "overflow", "the 40 bytes at 0x* of heap 'checked' were overrun: 1 byte behind their end was overwritten (found by HeapValidate)." },
        { "write behind, disposed", Both, 0, "overflow", "the 40 bytes at 0x* of heap 'checked' were overrun: 1 byte behind their end was overwritten (found by HeapDestroy)." },
        { "write behind, next call", HeapChecks.ValidateOnCall | Tail, 0, "overflow", "the 40 bytes at 0x* of heap 'checked' were overrun: 1 byte behind their end was overwritten (found by PrivateHeap.Alloc)." },
        { "write in front", Tail, 0, "underflow", "the 40 bytes at 0x* of heap 'checked' were underrun: 1 byte in front of them was overwritten (found by PrivateHeap.Free)." },
        { "write in front", Pages, 0, "underflow", "the 40 bytes at 0x* of heap 'checked' were underrun: 1 byte in front of them was overwritten (found by PrivateHeap.Free)." },
        { "write after free", Fill, 0, "use-after-free", "the 40 bytes at 0x* of heap 'checked' were written to after they were freed: 4 bytes from offset 8 on were overwritten (found by HeapCompact)." },
        { "write after free", Fill, 64 << 10, "use-after-free", "the 40 bytes at 0x* of heap 'checked' were written to after they were freed: 4 bytes from offset 8 on were overwritten (found by HeapCompact)." },
        { "write after free, large", Fill, 0, "use-after-free", "the 500000 bytes at 0x* of heap 'checked' were written to after they were freed: 1 byte from offset 499999 on was overwritten (found by HeapCompact)." },
        { "free twice", Both, 0, "double-free", "PrivateHeap.Free was given 0x*, which was already freed." },
        { "free twice", Pages, 0, "double-free", "PrivateHeap.Free was given 0x*, which was already freed." },
        { "free twice", Tail, 64 << 10, "double-free", "PrivateHeap.Free was given 0x*, which was already freed." },
        { "free inside", Tail, 0, "bad-address", "PrivateHeap.Free was given 0x*, which points 16 bytes into a live block of 40 bytes." },
        { "free inside", Pages, 0, "bad-address", "PrivateHeap.Free was given 0x*, which points 16 bytes into a live block of 40 bytes." },
        { "size of freed", Tail, 0, "use-after-free", "PrivateHeap.GetSize was given 0x*, which was already freed." },
        { "strange flags", HeapChecks.ParameterChecking, 0, "bad-parameter", "HeapFree was given the flags 0x8, of which 0x8 mean nothing to it." },
        { "strange size", HeapChecks.ParameterChecking, 0, "bad-parameter", "PrivateHeap.Alloc was asked for 18446744073709551615 bytes, which is more than any address space has." },
    };

    [Theory]
    [MemberData(nameof(Misuses))]
    public void Every_misuse_is_told_and_thrown_with_one_sentence(string misuse, HeapChecks checks, nuint maximum, string kind, string sentence)
    {
        using Findings findings = new();
        PrivateHeap heap = new(new() { Name = "checked", Checks = checks, MaximumSize = maximum });
        HeapCorruptionException thrown = Assert.Throws<HeapCorruptionException>(() => Misuse(heap, misuse));
        heap.Dispose();
        HeapFindingEventArgs finding = Assert.Single(findings.Heard);
        Assert.Same(finding, thrown.Finding);
        Assert.Equal((kind, heap.Handle, "checked"), (finding.Kind, finding.Handle, finding.HeapName));
        Assert.Matches("^" + System.Text.RegularExpressions.Regex.Escape(sentence).Replace(@"0x\*", "0x[0-9A-F]+", StringComparison.Ordinal) + "$", finding.Message);
        Assert.StartsWith($"privateheaps: {finding.Message}\n", finding.Report, StringComparison.Ordinal);
    }

    [Fact]
    public void A_report_shows_what_was_overwritten_and_both_stacks()
    {
        using Findings findings = new();
        using PrivateHeap heap = new(new() { Checks = Both | HeapChecks.StackTraces | HeapChecks.Continue });
        byte* block = AllocateHere(heap);
        new Span<byte>(block, 43).Fill(0x41);
        FreeHere(heap, block);
        FreeHere(heap, block);
        string overrun = findings.Heard[0].Report, twice = findings.Heard[1].Report;
        Assert.Contains(": 41 41 41 41 41 41 41 41*41*41*41 AB AB AB AB AB\n", overrun, StringComparison.Ordinal);
        Assert.Matches($"allocated by:\n    .*{nameof(CheckedHeapTests)}\\.{nameof(AllocateHere)}", overrun);
        Assert.Matches($"caught by:\n    .*{nameof(FreeHere)}(.|\n)*allocated by:\n    .*{nameof(AllocateHere)}(.|\n)*freed by:\n    .*{nameof(FreeHere)}", twice);
    }

    [Fact]
    public void Stacks_are_recorded_without_a_change_of_the_last_error()
    {
        using PrivateHeap heap = new(new() { Checks = HeapChecks.StackTraces });
        Threads.Run([.. Enumerable.Repeat<Action>(AllocateAndFree, 8)]);

        void AllocateAndFree()
        {
            for (int count = 0; count < 100; count++)
            {
                Marshal.SetLastPInvokeError(0xBEEF);
                heap.Free(heap.Alloc(40));
                Assert.Equal(0xBEEF, Marshal.GetLastPInvokeError());
            }
        }
    }

    [Theory]
    [InlineData(Both, 0)]
    [InlineData(Both | HeapChecks.ValidateOnCall, 0)]
    [InlineData(Pages, 0)]
    [InlineData(Pages | HeapChecks.PageHeapBefore | Fill, 0)]
    [InlineData(Both | Pages, 64 << 10)]
    [InlineData(Both, 16 << 20)]
    public void Sizes_walks_and_sums_of_a_checked_heap_are_those_of_any_heap(HeapChecks checks, int maximum)
    {
        using Findings findings = new();
        using PrivateHeap heap = new(new() { Checks = checks, MaximumSize = (nuint)maximum });
        Dictionary<nint, nuint> live = [];
        Random random = new(1);
        for (int step = 0; step < 400; step++)
        {
            nuint bytes = (nuint)(random.Next(20) == 0 && maximum != 64 << 10 ? random.Next(500_000) : random.Next(300));
            nint[] known = [.. live.Keys];
            nint picked = known.Length == 0 ? 0 : known[random.Next(known.Length)];
            switch (random.Next(4))
            {
                case 0 when picked != 0:
                    heap.Free((void*)picked);
                    live.Remove(picked);
                    break;
                case 1 when picked != 0:
                    byte first = *(byte*)picked;
                    byte* resized = (byte*)heap.Realloc((void*)picked, Math.Max(bytes, 1));
                    Assert.Equal(first, *resized);
                    live.Remove(picked);
                    live.Add((nint)resized, Math.Max(bytes, 1));
                    break;
                case 2:
                    byte* zeroed = (byte*)heap.AllocZeroed(bytes + 1);
                    Memory.AssertFilled(zeroed, 0, bytes + 1, 0);
                    live.Add((nint)zeroed, bytes + 1);
                    break;
                default:
                    byte* block = (byte*)heap.AlignedAlloc(bytes + 1, (nuint)1 << random.Next(4, 9));
                    Memory.Fill(block, bytes + 1, (byte)step);
                    live.Add((nint)block, bytes + 1);
                    break;
            }
        }

        Assert.All(live, block => Assert.Equal(block.Value, heap.GetSize((void*)block.Key)));
        Dictionary<nint, nuint> walked = [];
        foreach (HeapEntry entry in heap.Walk())
        {
            if (entry.Kind == HeapEntryKind.Block)
            {
                walked.Add(entry.Address, entry.Size);
            }
        }

        Assert.Equal(live.OrderBy(block => block.Key), walked.OrderBy(block => block.Key));
        HeapSummary summary = heap.GetSummary();
        Assert.Equal(live.Values.Aggregate((nuint)0, (sum, bytes) => sum + bytes), summary.AllocatedBytes);
        Assert.True(heap.Validate());
        foreach (nint block in live.Keys)
        {
            heap.Free((void*)block);
        }

        Assert.Equal((nuint)0, heap.GetSummary().AllocatedBytes);
        Assert.Empty(findings.Heard);
    }

    [Fact]
    public void Fresh_and_freed_memory_is_filled_as_on_Windows_unless_it_is_to_be_zero()
    {
        using PrivateHeap heap = new(new() { Checks = Fill });
        uint* block = (uint*)heap.Alloc(16);
        Assert.Equal((0xBAADF00D, 0xBAADF00D), (block[0], block[3]));
        block[3] = 7;
        block = (uint*)heap.Realloc(block, 400);
        Assert.Equal((7u, 0xBAADF00D, 0xBAADF00D), (block[3], block[4], block[99]));
        Memory.AssertFilled(heap.AllocZeroed(400), 0, 400, 0);
        heap.Free(block);
        Assert.Equal((0xFEEEFEEE, 0xFEEEFEEE), (block[0], block[99]));
    }

    [Fact]
    public void The_flags_of_HeapCreate_fill_and_verify()
    {
        nint heap = HeapApi.HeapCreate(HeapApi.HEAP_TAIL_CHECKING_ENABLED | HeapApi.HEAP_FREE_CHECKING_ENABLED, 0, 0);
        byte* block = (byte*)HeapApi.HeapAlloc(heap, 0, 20);
        Assert.Equal(0xBAADF00D, *(uint*)block);
        Memory.AssertFilled(block, 20, 36, 0xAB);
        block[20] = 1;
        HeapCorruptionException thrown = Assert.Throws<HeapCorruptionException>(() => HeapApi.HeapFree(heap, 0, (nint)block));
        Assert.Equal("overflow", thrown.Finding!.Kind);
        Assert.True(HeapApi.HeapDestroy(heap));
    }

    [Fact]
    public void Freed_blocks_stay_in_quarantine_and_leave_it_in_random_order()
    {
        const int count = 200, roomForHundred = 100 * (64 + 32);
        using PrivateHeap heap = new(new() { QuarantineSize = roomForHundred });
        List<nint> freed = [], back = [];
        for (int i = 0; i < count; i++)
        {
            void* block = heap.Alloc(64);
            freed.Add((nint)block);
            Assert.Equal(i + 1, freed.Distinct().Count());
            freed[i] = (nint)block;
        }

        freed.ForEach(block => heap.Free((void*)block));
        for (int i = 0; i < count / 2; i++)
        {
            back.Add((nint)heap.Alloc(64));
        }

        // About as many left as there is no room for, and neither the first nor the last half of them.
        int[] left = [.. freed.Select((block, index) => (block, index)).Where(each => back.Contains(each.block)).Select(each => each.index)];
        Assert.InRange(left.Length, 80, 101);
        Assert.InRange(left.Count(index => index < count / 2), 30, 90);

        // The others are to be had again, whatever the slabs have besides.
        heap.Compact();
        HashSet<nint> others = [.. freed.Except(back)];
        others.ExceptWith(Enumerable.Range(0, 4 * count).Select(_ => (nint)heap.Alloc(64)).ToList());
        Assert.Empty(others);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(4096, false)]
    [InlineData(100_000, false)]
    [InlineData(40, true)]
    public void A_block_of_a_page_heap_lies_against_an_inaccessible_page_and_becomes_one(int bytes, bool before)
    {
        using PrivateHeap heap = new(new() { Checks = Pages | (before ? HeapChecks.PageHeapBefore : 0) });
        byte* block = (byte*)heap.Alloc((nuint)bytes);
        byte* end = block + Bits.RoundUp((nuint)bytes, 16);
        Memory.Fill(block, (nuint)bytes, 0x55);
        Assert.Equal(!before, !IsReadable(end));
        Assert.True(!before || !IsReadable(block - 1));
        heap.Free(block);
        Assert.False(IsReadable(block));
        Assert.False(IsReadable(block + bytes - 1));
        Assert.Equal((nuint)0, heap.GetSummary().AllocatedBytes);
    }

    [Theory]
    [InlineData(1, 500, 500, 500)]
    [InlineData(10, 1000, 100, 100)]
    [InlineData(1000, 200_000, 100, 300)]
    public void One_allocation_in_so_many_lies_on_guard_pages(int rate, int count, int least, int most)
    {
        using PrivateHeap heap = new(new() { SampleRate = (uint)rate });
        int guarded = 0;
        for (int i = 0; i < count; i++)
        {
            byte* block = (byte*)heap.Alloc(32);
            guarded += ((nuint)block + 32) % Units.PageBytes == 0 && !IsReadable(block + 32) ? 1 : 0;
        }

        Assert.InRange(guarded, least, most);
        Assert.Equal((nuint)count, heap.GetSummary().BlockCount);
    }

    [Fact]
    public void What_is_still_allocated_when_a_heap_is_disposed_is_told_by_place_and_never_thrown()
    {
        using Findings findings = new();
        PrivateHeap heap = new(new() { Name = "leaky", Checks = HeapChecks.Leaks | HeapChecks.StackTraces });
        for (int i = 0; i < 3; i++)
        {
            AllocateHere(heap);
        }

        heap.Alloc(1000);
        heap.Free(heap.Alloc(10));
        heap.Dispose();
        Assert.Equal(
            [
                "1 block of heap 'leaky' from one place, 1000 bytes, was still allocated when the heap was destroyed.",
                "3 blocks of heap 'leaky' from one place, 120 bytes in all, were still allocated when the heap was destroyed.",
            ],
            findings.Heard.Select(finding => finding.Message));
        Assert.Contains(nameof(AllocateHere), findings.Heard[1].Report, StringComparison.Ordinal);
    }

    [Fact]
    public void A_heap_that_is_to_go_on_reports_each_damage_once()
    {
        using Findings findings = new();
        using PrivateHeap heap = new(new() { Checks = Both | HeapChecks.Continue });
        byte* block = (byte*)heap.Alloc(40);
        block[41] = 1;
        Assert.False(heap.Validate());
        Assert.True(heap.Validate());
        heap.Free(block);
        Assert.Throws<ArgumentException>(() => heap.Free(block));
        Assert.Equal(["overflow", "double-free"], findings.Heard.Select(finding => finding.Kind));
    }

    [Fact]
    public void Who_asks_for_findings_gets_those_beyond_the_thousand_that_a_process_reports()
    {
        using Findings findings = new();
        using PrivateHeap heap = new(new() { Checks = Tail | HeapChecks.Continue });
        byte* block = (byte*)heap.Alloc(8);
        for (int round = 0; round < 1100; round++)
        {
            Assert.Throws<ArgumentException>(() => heap.Free(block + 16));
        }

        heap.Free(block);
        Assert.Equal(1100, findings.Heard.Count(finding => finding.Kind == "bad-address"));
    }

    [Fact]
    public void A_handler_may_use_the_heap_and_a_heap_without_checks_has_none()
    {
        using PrivateHeap heap = new(new() { Checks = Tail | HeapChecks.Continue }), plain = new();
        int told = 0;
        EventHandler<HeapFindingEventArgs> handler = (_, _) =>
        {
            told++;
            heap.Free(heap.Alloc(10));
        };
        PrivateHeap.Finding += handler;
        byte* block = (byte*)heap.Alloc(8);
        block[8] = 0;
        heap.Free(block);
        byte* unchecked_ = (byte*)plain.Alloc(8);
        unchecked_[8] = 0;
        plain.Free(unchecked_);
        PrivateHeap.Finding -= handler;
        Assert.Equal(1, told);
    }

    [Fact]
    public void Threads_share_a_checked_heap()
    {
        using Findings findings = new();
        using PrivateHeap heap = new(new() { Checks = Both, QuarantineSize = 100_000 });
        Threads.Run([.. Enumerable.Range(0, 4).Select<int, Action>(number => () =>
        {
            Random random = new(number);
            nint[] blocks = new nint[50];
            for (int i = 0; i < 2000; i++)
            {
                ref nint place = ref blocks[random.Next(blocks.Length)];
                if (place != 0)
                {
                    heap.Free((void*)place);
                }

                nuint bytes = (nuint)random.Next(2000);
                place = (nint)heap.Alloc(bytes);
                Memory.Fill((void*)place, bytes, (byte)number);
            }
        })]);
        Assert.True(heap.Validate());
        Assert.Equal((nuint)200, heap.GetSummary().BlockCount);
        Assert.Empty(findings.Heard);
    }

    private static byte* AllocateHere(PrivateHeap heap) => (byte*)heap.Alloc(40);

    private static void FreeHere(PrivateHeap heap, byte* block)
    {
        try
        {
            heap.Free(block);
        }
        catch (ArgumentException)
        {
            // A second time.
        }
    }

    private static bool IsReadable(byte* address)
    {
        byte value;
        return Os.TryRead(address, &value, 1);
    }

    private static void Misuse(PrivateHeap heap, string misuse)
    {
        byte* neighbor = (byte*)heap.Alloc(40);
        byte* block = (byte*)heap.Alloc(40);
        switch (misuse)
        {
            case "write behind":
                new Span<byte>(block + 40, 3).Clear();
                heap.Free(block);
                break;
            case "write behind, large":
                block = (byte*)heap.Alloc(3_000_000);
                block[3_000_000] = 0;
                heap.Free(block);
                break;
            case "write behind, aligned":
                block = (byte*)heap.AlignedAlloc(100, 4096);
                block[100] = 0;
                heap.Free(block);
                break;
            case "write behind, resized":
                block[40] = 0;
                heap.Realloc(block, 4000);
                break;
            case "write behind, validated":
                block[40] = 0;
                heap.Validate();
                break;
            case "write behind, disposed":
                block[40] = 0;
                heap.Dispose();
                break;
            case "write behind, next call":
                block[40] = 0;
                heap.Alloc(1);
                break;
            case "write in front":
                block[-1] = 0;
                heap.Free(block);
                break;
            case "write after free":
                heap.Free(block);
                ((int*)block)[2] = 0x01010101;
                heap.Compact();
                break;
            case "write after free, large":
                block = (byte*)heap.Alloc(500_000);
                heap.Free(block);
                block[499_999] = 0;
                heap.Compact();
                break;
            case "free twice":
                heap.Free(block);
                heap.Free(block);
                break;
            case "free inside":
                heap.Free(block + 16);
                break;
            case "size of freed":
                heap.Free(block);
                heap.GetSize(block);
                break;
            case "strange flags":
                HeapApi.HeapFree(heap.Handle, HeapApi.HEAP_ZERO_MEMORY, (nint)block);
                break;
            case "strange size":
                heap.Alloc(nuint.MaxValue);
                break;
            default:
                throw new ArgumentException(misuse);
        }
    }
}
