using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests;

/// <summary>The heap as a thing: options, name, list, end.</summary>
public unsafe class PrivateHeapTests
{
    [Fact]
    public void The_name_can_be_read_back()
    {
        using PrivateHeap heap = new(new PrivateHeapOptions { Name = "request 17" });
        Assert.Equal("request 17", heap.Name);
        Assert.Contains("request 17", heap.ToString());
    }

    [Theory]
    [InlineData("1234567890123456789012345678901", "1234567890123456789012345678901")]
    [InlineData("12345678901234567890123456789012", "1234567890123456789012345678901")]
    [InlineData("123456789012345678901234567890é", "123456789012345678901234567890")]
    [InlineData("12345678901234567890123456789é!", "12345678901234567890123456789é")]
    [InlineData("1234567890123456789012345678😀", "1234567890123456789012345678")]
    public void A_long_name_is_cut_to_31_bytes_of_whole_characters(string given, string kept)
    {
        using PrivateHeap heap = new(new PrivateHeapOptions { Name = given });
        Assert.Equal(kept, heap.Name);
    }

    [Fact]
    public void A_heap_without_options_grows_and_has_no_name()
    {
        using PrivateHeap heap = new();
        Assert.Equal(string.Empty, heap.Name);
        Assert.Equal((nuint)0, heap.MaximumSize);
        heap.Free(heap.Alloc(50 << 20));
    }

    [Fact]
    public void The_maximum_size_is_kept()
    {
        using PrivateHeap heap = new(new PrivateHeapOptions { MaximumSize = 1 << 20 });
        Assert.Equal((nuint)1 << 20, heap.MaximumSize);
        Assert.Throws<OutOfMemoryException>(() => { heap.Alloc(2 << 20); });
    }

    [Fact]
    public void A_block_may_fill_most_of_the_maximum()
    {
        using PrivateHeap heap = new(new PrivateHeapOptions { MaximumSize = 8 << 20 });
        heap.Free(heap.Alloc(7 << 20));
    }

    [Fact]
    public void A_memory_limit_bounds_a_heap_that_grows()
    {
        using PrivateHeap heap = new(new PrivateHeapOptions { MemoryLimit = 2 << 20 });
        nuint allocated = 0;
        while (heap.TryAlloc(1000, out _))
        {
            allocated += 1000;
            Assert.True(allocated <= 2 << 20);
        }

        Assert.InRange(allocated, (nuint)(2 << 20) * 3 / 4, (nuint)2 << 20);
        Assert.False(heap.TryAlloc(4 << 20, out _));
        heap.Clear();
        Assert.True(heap.TryAlloc(1 << 20, out _));
    }

    [Fact]
    public void A_memory_limit_counts_large_blocks_until_they_are_freed()
    {
        using PrivateHeap heap = new(new PrivateHeapOptions { MemoryLimit = 100 << 20 });
        void* block = heap.Alloc(80 << 20);
        Assert.False(heap.TryAlloc(80 << 20, out _));
        heap.Free(block);
        Assert.True(heap.TryAlloc(80 << 20, out _));
    }

    [Fact]
    public void Options_that_contradict_each_other_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new PrivateHeap(new PrivateHeapOptions { InitialSize = 2 << 20, MaximumSize = 1 << 20 }));
        Assert.Throws<ArgumentException>(() => new PrivateHeap(new PrivateHeapOptions { MaximumSize = 1 << 20, MemoryLimit = 1 << 20 }));
    }

    [Fact]
    public void A_heap_beyond_the_address_space_is_refused() =>
        Assert.Throws<OutOfMemoryException>(() => new PrivateHeap(new PrivateHeapOptions { MaximumSize = nuint.MaxValue / 2 }));

    [Fact]
    public void All_lists_the_living_heaps_by_age_however_they_were_created()
    {
        using PrivateHeap named = new(new PrivateHeapOptions { Name = "listed" });
        nint other = HeapApi.HeapCreate(0, 0, 0);
        PrivateHeap[] all = PrivateHeap.All();
        Assert.Equal(PrivateHeap.ProcessHeap.Handle, all[0].Handle);
        Assert.Equal([named.Handle, other], all[^2..].Select(heap => heap.Handle));
        Assert.Equal("listed", all[^2].Name);
        Assert.True(HeapApi.HeapDestroy(other));
        Assert.DoesNotContain(other, PrivateHeap.All().Select(heap => heap.Handle));
    }

    [Fact]
    public void A_heap_that_nobody_disposes_stays_listed_after_garbage_collection()
    {
        nint handle = Forget();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        PrivateHeap found = Assert.Single(PrivateHeap.All(), heap => heap.Handle == handle);
        Assert.Equal((nuint)1, found.GetSummary().BlockCount);
        found.Dispose();

        static nint Forget()
        {
            PrivateHeap heap = new();
            heap.Alloc(100);
            return heap.Handle;
        }
    }

    [Fact]
    public void Disposing_twice_is_harmless_even_when_a_new_heap_took_the_place()
    {
        PrivateHeap first = new();
        first.Dispose();
        Assert.True(first.IsDisposed);
        using PrivateHeap second = new();
        void* block = second.Alloc(100);
        first.Dispose();
        Assert.False(second.IsDisposed);
        Assert.Equal((nuint)100, second.GetSize(block));
    }

    [Fact]
    public void Disposing_the_process_heap_does_nothing()
    {
        void* block = PrivateHeap.ProcessHeap.Alloc(100);
        PrivateHeap.ProcessHeap.Dispose();
        Assert.False(PrivateHeap.ProcessHeap.IsDisposed);
        PrivateHeap.ProcessHeap.Free(block);
    }

    [Fact]
    public void Every_member_that_needs_the_memory_throws_after_dispose()
    {
        PrivateHeap heap = new(new PrivateHeapOptions { Name = "gone" });
        nint block = (nint)heap.Alloc(100);
        heap.Dispose();
        Dictionary<string, Action> members = new()
        {
            ["Alloc"] = () => heap.Alloc(1),
            ["Alloc, count"] = () => heap.Alloc(1, 1),
            ["AllocZeroed"] = () => heap.AllocZeroed(1),
            ["AlignedAlloc"] = () => heap.AlignedAlloc(1, 64),
            ["AlignedRealloc"] = () => heap.AlignedRealloc((void*)block, 1, 64),
            ["TryAlloc"] = () => heap.TryAlloc(1, out _),
            ["Realloc"] = () => heap.Realloc((void*)block, 1),
            ["Realloc of null"] = () => heap.Realloc(null, 1),
            ["TryReallocInPlace"] = () => heap.TryReallocInPlace((void*)block, 1),
            ["Free"] = () => heap.Free((void*)block),
            ["GetSize"] = () => heap.GetSize((void*)block),
            ["Contains"] = () => heap.Contains((void*)block),
            ["Validate"] = () => heap.Validate(),
            ["Validate, block"] = () => heap.Validate((void*)block),
            ["Walk"] = () => heap.Walk().Count(),
            ["EnterScope"] = () => heap.EnterScope().Dispose(),
            ["Compact"] = () => heap.Compact(),
            ["GetSummary"] = () => heap.GetSummary(),
            ["Clear"] = heap.Clear,
            ["Alloc<T>"] = () => heap.Alloc<int>(1),
            ["AllocSpan"] = () => heap.AllocSpan<int>(1),
            ["Rent"] = () => heap.Rent<int>(1),
        };
        foreach ((string member, Action use) in members)
        {
            Exception? thrown = Record.Exception(use);
            Assert.True(thrown is ObjectDisposedException, $"{member} gave {thrown?.GetType().Name ?? "no exception"}.");
        }

        Assert.Equal(string.Empty, heap.Name);
        Assert.Equal((nuint)0, heap.MaximumSize);
    }

    [Fact]
    public void Clear_frees_all_blocks_and_keeps_the_heap()
    {
        using PrivateHeap heap = new(new PrivateHeapOptions { Name = "kept", MaximumSize = 4 << 20 });
        List<nint> blocks = [(nint)heap.Alloc(0), (nint)heap.Alloc(100), (nint)heap.Alloc(3000), (nint)heap.Alloc(1 << 20)];
        heap.Clear();
        Assert.Equal((nuint)0, heap.GetSummary().BlockCount);
        Assert.Equal((nuint)0, heap.GetSummary().AllocatedBytes);
        Assert.All(blocks, block => Assert.False(heap.Contains((void*)block)));
        Assert.Equal("kept", heap.Name);
        Assert.True(heap.Validate());
        heap.Free(heap.Alloc(3 << 20));
    }

    [Fact]
    public void A_cleared_heap_serves_as_much_as_a_new_one_again_and_again()
    {
        using PrivateHeap heap = new(new PrivateHeapOptions { MaximumSize = 1 << 20 });
        int first = 0;
        for (int round = 0; round < 20; round++)
        {
            int count = 0;
            while (heap.TryAlloc((nuint)(16 << (round % 5)), out _))
            {
                count++;
            }

            first = round == 0 ? count : first;
            Assert.True(round % 5 != 0 || count == first, $"Round {round} held {count} blocks, the first {first}.");
            heap.Clear();
        }
    }

    [Fact]
    public void The_process_heap_cannot_be_cleared() => Assert.Throws<InvalidOperationException>(PrivateHeap.ProcessHeap.Clear);

    [Fact]
    public void Executable_heaps_hold_code_that_runs()
    {
        // mov eax, 42; ret - and for 64-bit ARM mov w0, #42; ret.
        byte[] code = System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture switch
        {
            System.Runtime.InteropServices.Architecture.X64 => [0xB8, 42, 0, 0, 0, 0xC3],
            System.Runtime.InteropServices.Architecture.Arm64 => [0x40, 0x05, 0x80, 0x52, 0xC0, 0x03, 0x5F, 0xD6],
            _ => throw new PlatformNotSupportedException("The test has no code for this processor."),
        };
        using PrivateHeap heap = new(new PrivateHeapOptions { EnableExecute = true });
        foreach (int bytes in (int[])[64, 5 << 20])
        {
            Span<byte> block = heap.AllocSpan<byte>(bytes);
            code.CopyTo(block);
            fixed (byte* function = block)
            {
                Assert.Equal(42, ((delegate* unmanaged<int>)function)());
            }
        }
    }
}
