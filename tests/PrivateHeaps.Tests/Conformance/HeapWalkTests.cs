using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Conformance;

public unsafe class HeapWalkTests
{
    [Theory, EveryFace]
    public void A_walk_shows_exactly_the_live_blocks_with_their_sizes(IHeapFace face)
    {
        using HeapUnderTest heap = new(face);
        Dictionary<nint, nuint> live = [];
        Random random = new(3);
        for (int count = 0; count < 2000; count++)
        {
            nuint bytes = (nuint)(count % 100 == 0 ? random.Next(3_000_000) : random.Next(2500));
            live.Add((nint)heap.Alloc(bytes), bytes);
        }

        foreach (nint block in live.Keys.Where((_, index) => index % 3 == 0).ToArray())
        {
            heap.Free((void*)block);
            live.Remove(block);
        }

        List<Entry> blocks = heap.Blocks;
        Assert.Equal(live.Count, blocks.Count);
        Assert.All(blocks, entry => Assert.Equal(live[entry.Address], entry.Size));
    }

    [Theory, EveryFace]
    public void A_region_is_followed_by_its_blocks_by_address_and_its_uncommitted_rest(IHeapFace face)
    {
        using HeapUnderTest heap = new(face, initialSize: 64 << 10, maximumSize: 8 << 20);
        for (nuint bytes = 0; bytes < 3000; bytes++)
        {
            byte* block = heap.Alloc(bytes);
            if (bytes % 4 == 0)
            {
                heap.Free(block);
            }
        }

        List<Entry> entries = heap.Contents;
        Entry region = entries[0];
        Assert.Equal(HeapEntryKind.Region, region.Kind);
        Assert.Equal((nuint)8 << 20, region.Size);
        Assert.Single(entries, entry => entry.Kind == HeapEntryKind.Region);
        nint position = region.Address, end = region.Address + (nint)region.Size;
        foreach (Entry entry in entries.Skip(1))
        {
            Assert.True(entry.Address >= position, $"0x{entry.Address:X} comes after 0x{position:X}.");
            position = entry.Address + (nint)(entry.Size + entry.Overhead);
            Assert.True(position <= end);
            Assert.Equal(0, entry.Region);
        }

        Assert.Contains(entries, entry => entry.Kind == HeapEntryKind.Free);
        Assert.Equal(HeapEntryKind.Uncommitted, entries[^1].Kind);
        Assert.Equal(end, position);
    }

    [Theory, EveryFace]
    public void A_fresh_growable_heap_has_a_region_and_no_block(IHeapFace face)
    {
        using HeapUnderTest heap = new(face);
        Assert.Equal(HeapEntryKind.Region, heap.Contents[0].Kind);
        Assert.Empty(heap.Blocks);
    }

    [Theory, EveryFace]
    public void Large_blocks_come_after_all_regions_and_leave_no_trace(IHeapFace face)
    {
        using HeapUnderTest heap = new(face);
        byte* small = heap.Alloc(100);
        List<Entry> before = heap.Contents;
        byte*[] large = [heap.Alloc(40 << 20), heap.Alloc(50 << 20)];
        List<Entry> entries = heap.Contents;
        Assert.Equal(before.Count + 2, entries.Count);
        Assert.All(entries.TakeLast(2), entry => Assert.Equal((HeapEntryKind.Block, -1), (entry.Kind, entry.Region)));
        Assert.Equal((nuint[])[40 << 20, 50 << 20], entries.TakeLast(2).Select(entry => entry.Size).Order());
        heap.Free(large[0]);
        heap.Free(large[1]);
        Assert.Equal(before, heap.Contents);
        heap.Free(small);
    }

    [Theory, Win32Faces]
    public void Only_the_address_says_where_a_walk_starts(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        heap.Alloc(123);
        PROCESS_HEAP_ENTRY clean = default, dirty;
        Memory.Fill(&dirty, (nuint)sizeof(PROCESS_HEAP_ENTRY), 0xCD);
        dirty.lpData = 0;
        Assert.True(face.HeapWalk(heap.Handle, &clean));
        Assert.True(face.HeapWalk(heap.Handle, &dirty));
        Assert.Equal(clean, dirty);
        Assert.Equal(HeapApi.PROCESS_HEAP_REGION, clean.wFlags);
    }

    [Theory, Win32Faces]
    public void Two_walks_do_not_disturb_each_other(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        for (nuint bytes = 0; bytes < 200; bytes++)
        {
            heap.Alloc(bytes * 7);
        }

        List<Entry> expected = heap.Contents;
        PROCESS_HEAP_ENTRY one = default, other = default;
        foreach (Entry entry in expected)
        {
            Assert.True(face.HeapWalk(heap.Handle, &one));
            Assert.True(face.HeapWalk(heap.Handle, &other));
            Assert.Equal(entry.Address, one.lpData);
            Assert.Equal(one, other);
        }

        Assert.False(face.HeapWalk(heap.Handle, &one));
    }

    [Theory, Win32Faces]
    public void A_walk_goes_on_behind_a_busy_block_given_by_hand(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        for (nuint count = 0; count < 50; count++)
        {
            heap.Alloc(200);
        }

        heap.Alloc(40 << 20);
        heap.Alloc(40 << 20);
        List<Entry> entries = heap.Contents;
        for (int index = 0; index < entries.Count - 1; index++)
        {
            if (entries[index].Kind == HeapEntryKind.Block)
            {
                PROCESS_HEAP_ENTRY entry = default;
                entry.lpData = entries[index].Address;
                entry.wFlags = HeapApi.PROCESS_HEAP_ENTRY_BUSY;
                Assert.True(face.HeapWalk(heap.Handle, &entry));
                Assert.Equal(entries[index + 1].Address, entry.lpData);
            }
        }
    }

    [Theory, Win32Faces]
    public void The_end_gives_error_259_again_and_again_and_keeps_the_entry(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        heap.Alloc(100);
        PROCESS_HEAP_ENTRY entry = default, last = default;
        face.LastError = 12345;
        while (face.HeapWalk(heap.Handle, &entry))
        {
            Assert.Equal(12345u, face.LastError);
            last = entry;
        }

        for (int count = 0; count < 3; count++)
        {
            face.LastError = 12345;
            Assert.False(face.HeapWalk(heap.Handle, &entry));
            Assert.Equal(259u, face.LastError);
            Assert.Equal(last, entry);
        }
    }

    [Theory, Win32Faces]
    public void A_region_tells_its_sizes_and_its_bounds(IWin32Face face)
    {
        using HeapUnderTest heap = new(face, initialSize: 1 << 20, maximumSize: 4 << 20);
        byte* block = heap.Alloc(100);
        PROCESS_HEAP_ENTRY entry = default;
        Assert.True(face.HeapWalk(heap.Handle, &entry));
        Assert.Equal(4u << 20, entry.cbData);
        Assert.Equal(0, entry.iRegionIndex);
        Assert.Equal(4u << 20, entry.Region.dwCommittedSize + entry.Region.dwUnCommittedSize);
        Assert.InRange(entry.Region.dwCommittedSize, 1u << 20, 4u << 20);
        Assert.InRange((nint)block, entry.Region.lpFirstBlock, entry.Region.lpLastBlock - 100);
        Assert.Equal(entry.lpData + (4 << 20), entry.Region.lpLastBlock);
    }

    [Theory, Win32Faces]
    public void The_sizes_of_a_walk_add_up_to_those_of_the_summary(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        for (nuint count = 0; count < 3000; count++)
        {
            heap.Alloc(count);
        }

        heap.Alloc(40 << 20);
        List<Entry> entries = heap.Contents;
        Assert.Equal(heap.Sizes.Allocated, entries.Where(entry => entry.Kind == HeapEntryKind.Block).Aggregate((nuint)0, (sum, entry) => sum + entry.Size));
    }

    [Theory, Win32Faces]
    public void What_is_not_busy_does_not_validate(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        List<nint> blocks = [.. Enumerable.Range(0, 500).Select(_ => (nint)heap.Alloc(80))];
        foreach (nint block in blocks.Where((_, index) => index % 2 == 0))
        {
            heap.Free((void*)block);
        }

        foreach (Entry entry in heap.Contents)
        {
            if (entry.Kind == HeapEntryKind.Free)
            {
                Assert.False(heap.Owns((void*)entry.Address));
            }
            else if (entry.Kind == HeapEntryKind.Block)
            {
                Assert.True(heap.Owns((void*)entry.Address));
            }
        }
    }

    [Theory, Win32Faces]
    public void Bad_arguments_are_refused(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        PROCESS_HEAP_ENTRY entry = default;
        face.LastError = 12345;
        Assert.False(face.HeapWalk(0, &entry));
        Assert.Equal(6u, face.LastError);
        Assert.False(face.HeapWalk(heap.Handle, null));
        Assert.Equal(87u, face.LastError);
        BadHandles.ForEach(face, handle =>
        {
            PROCESS_HEAP_ENTRY start = default;
            face.LastError = 12345;
            return !face.HeapWalk(handle, &start) && face.LastError == 6;
        });
    }

    [Theory, Win32Faces]
    public void An_entry_of_no_region_of_the_heap_is_refused_with_error_87(IWin32Face face)
    {
        using HeapUnderTest heap = new(face), other = new(face);
        byte* foreign = other.Alloc(100);
        foreach (ushort flags in (ushort[])[0, 1, 2, 4])
        {
            foreach (nint address in (nint[])[0x10, -16, (nint)(&flags), (nint)foreign])
            {
                PROCESS_HEAP_ENTRY entry = default;
                entry.lpData = address;
                entry.wFlags = flags;
                face.LastError = 12345;
                Assert.False(face.HeapWalk(heap.Handle, &entry));
                Assert.Equal(87u, face.LastError);
            }
        }
    }

    [Theory, Win32Faces]
    public void A_walk_under_the_lock_sees_one_state_while_others_work(IWin32Face face)
    {
        using HeapUnderTest heap = new(face);
        bool stop = false;
        Action work = () =>
        {
            Random random = new(Environment.CurrentManagedThreadId);
            Queue<nint> blocks = new();
            while (!Volatile.Read(ref stop))
            {
                blocks.Enqueue((nint)heap.Alloc((nuint)random.Next(2000)));
                if (blocks.Count > 300)
                {
                    heap.Free((void*)blocks.Dequeue());
                }
            }
        };
        Threads.Run(work, work, () =>
        {
            try
            {
                for (int count = 0; count < 100; count++)
                {
                    Assert.True(face.HeapLock(heap.Handle));
                    List<Entry> first, second;
                    nuint allocated;
                    try
                    {
                        first = heap.Contents;
                        second = heap.Contents;
                        allocated = heap.Sizes.Allocated;
                    }
                    finally
                    {
                        Assert.True(face.HeapUnlock(heap.Handle));
                    }

                    Assert.Equal(first, second);
                    Assert.Equal(allocated, first.Where(entry => entry.Kind == HeapEntryKind.Block).Aggregate((nuint)0, (sum, entry) => sum + entry.Size));
                }
            }
            finally
            {
                Volatile.Write(ref stop, true);
            }
        });
    }

    [Theory, Win32Faces]
    public void A_walk_without_the_lock_shows_nothing_that_never_was(IWin32Face face)
    {
        // Requested sizes, and what is left of their blocks: in one byte of what the heap knows, and in four.
        Dictionary<nuint, nuint> slacks = new() { [40] = 8, [100] = 12, [500] = 12, [2100] = 204 };
        nuint[] sizes = [.. slacks.Keys];
        using HeapUnderTest heap = new(face);
        bool stop = false;
        Action work = () =>
        {
            // So many at a time that slabs come and go.
            Random random = new(Environment.CurrentManagedThreadId);
            List<nint> blocks = [];
            while (!Volatile.Read(ref stop))
            {
                nuint bytes = sizes[random.Next(sizes.Length)];
                for (int count = random.Next(2000); count > 0; count--)
                {
                    blocks.Add((nint)heap.Alloc(bytes));
                }

                blocks.ForEach(block => heap.Free((void*)block));
                blocks.Clear();
            }
        };
        nint kept = (nint)heap.Alloc(100);
        Threads.Run(work, work, () =>
        {
            // Step by step, since what is looked for is rare.
            for (int count = 0; count < 300; count++)
            {
                int keptCount = 0;
                PROCESS_HEAP_ENTRY entry = default;
                while (face.HeapWalk(heap.Handle, &entry))
                {
                    keptCount += entry.lpData == kept ? 1 : 0;
                    if (entry.wFlags == HeapApi.PROCESS_HEAP_ENTRY_BUSY && slacks.GetValueOrDefault(entry.cbData, nuint.MaxValue) != entry.cbOverhead)
                    {
                        Volatile.Write(ref stop, true);
                        Assert.Fail($"A block of {entry.cbData} bytes, and {entry.cbOverhead} behind it, was never there.");
                    }
                }

                Volatile.Write(ref stop, keptCount != 1 || count == 299);
                Assert.Equal(1, keptCount);
            }
        });
        Assert.True(heap.IsSound);
    }
}
