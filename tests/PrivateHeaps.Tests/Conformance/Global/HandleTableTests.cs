using static PrivateHeaps.Tests.Conformance.MemoryUnderTest;

namespace PrivateHeaps.Tests.Conformance;

/// <summary>All handles there are, and many threads at them.</summary>
public sealed unsafe class HandleTableTests
{
    private const int Capacity = 0x10000;

    [Theory, MemoryFaces]
    public void There_are_65536_handles_and_fixed_blocks_without_end(IMemoryFace face)
    {
        HashSet<nint> handles = [];
        try
        {
            for (int count = 0; count < Capacity; count++)
            {
                Assert.True(handles.Add(face.MustAlloc(Moveable, (nuint)(count % 3))));
            }

            // They are full: with a block, without one, and where a fixed block would become moveable.
            face.ExpectRefusal(NotEnoughMemory, () => face.Alloc(Moveable, 0));
            face.ExpectRefusal(NotEnoughMemory, () => face.Alloc(Moveable, 10));
            nint block = face.AllocFilled(0, 10, 3);
            if (!face.IsLocal)
            {
                face.ExpectRefusal(NotEnoughMemory, () => face.ReAlloc(block, 0, Modify | Moveable));
            }

            Memory.AssertFilled((void*)block, 0, 10, 3);
            face.MustFree(block);

            // One given back is one to be had.
            nint one = handles.ElementAt(Capacity / 2);
            face.MustFree(one);
            Assert.Equal(one, face.MustAlloc(Moveable, 10));
            face.ExpectRefusal(NotEnoughMemory, () => face.Alloc(Moveable, 10));
            Assert.All(handles, handle => Assert.Equal(handle, *(nint*)handle == 0 ? handle : face.Handle(*(nint*)handle)));
        }
        finally
        {
            foreach (nint handle in handles)
            {
                face.MustFree(handle);
            }
        }

        Assert.All(handles, handle => Assert.Equal(handle, face.Expect(InvalidHandle, () => face.Free(handle))));
    }

    [Theory, MemoryFaces]
    public void Threads_that_allocate_and_free_never_share_a_handle(IMemoryFace face)
    {
        Threads.Run([.. Enumerable.Range(1, 8).Select<int, Action>(number => () =>
        {
            Random random = new(number);
            List<(nint Handle, nuint Bytes)> mine = [];
            for (int count = 0; count < 4000; count++)
            {
                if (mine.Count < 50 && random.Next(2) == 0)
                {
                    nuint bytes = (nuint)random.Next(1, 3000);
                    mine.Add((face.AllocFilled(Moveable, bytes, (byte)number), bytes));
                }
                else if (mine.Count > 0)
                {
                    int index = random.Next(mine.Count);
                    (nint handle, nuint bytes) = mine[index];
                    nint block = face.Lock(handle);
                    Memory.AssertFilled((void*)block, 0, bytes, (byte)number);
                    Assert.Equal(handle, face.Handle(block));
                    Assert.False(face.Unlock(handle));
                    nuint wanted = (nuint)random.Next(1, 3000);
                    Assert.Equal(handle, face.ReAlloc(handle, wanted, 0));
                    Memory.AssertFilled((void*)face.Address(handle), 0, Math.Min(bytes, wanted), (byte)number);
                    face.MustFree(handle);
                    mine.RemoveAt(index);
                }
            }

            mine.ForEach(each => face.MustFree(each.Handle));
        })]);
    }

    [Theory, MemoryFaces]
    public void One_handle_survives_what_eight_threads_do_with_it(IMemoryFace face)
    {
        nint handle = face.MustAlloc(Moveable, 100);
        Threads.Run([.. Enumerable.Range(1, 8).Select<int, Action>(number => () =>
        {
            Random random = new(number);
            for (int count = 0; count < 3000; count++)
            {
                switch (random.Next(6))
                {
                    case 0:
                        face.ReAlloc(handle, (nuint)(count % 100 == 0 ? random.Next(3_000_000) : random.Next(1, 9000)), ZeroInit);
                        break;
                    case 1:
                        face.ReAlloc(handle, 0, Moveable);
                        break;
                    case 2:
                        Assert.True(face.Size(handle) < 3_000_000);
                        break;
                    case 3:
                        Assert.Equal(0u, face.Flags(handle) & ~0x40FFu);
                        break;
                    default:
                        // Locked, it is at least a byte that stays where it is: all resizes of this test leave locked blocks there.
                        nint block = face.Lock(handle);
                        if (block != 0)
                        {
                            *(byte*)block = (byte)number;
                            Assert.Equal(block, *(nint*)handle);
                            face.Unlock(handle);
                        }

                        break;
                }
            }
        })]);
        Assert.Equal(0u, face.Flags(handle) & 0xFF);
        face.MustFree(handle);
        Assert.True(face.Heaps.HeapValidate(face.Heaps.GetProcessHeap(), 0, null));
    }

    [Theory, MemoryFaces]
    public void Of_eight_threads_that_free_one_handle_one_succeeds(IMemoryFace face)
    {
        for (int round = 0; round < 200; round++)
        {
            nint handle = face.MustAlloc(Moveable, 100);
            int freed = 0;
            using Barrier start = new(8);
            Threads.Run([.. Enumerable.Repeat(
                () =>
                {
                    start.SignalAndWait();
                    if (face.Free(handle) == 0)
                    {
                        Interlocked.Increment(ref freed);
                    }
                }, 8)]);
            Assert.Equal(1, freed);
        }
    }

    [Theory, MemoryFaces]
    public void Who_holds_HeapLock_may_use_handles_that_others_are_waiting_to_resize(IMemoryFace face)
    {
        nint heap = face.Heaps.GetProcessHeap();
        nint handle = face.AllocFilled(Moveable, 100, 5);
        using ManualResetEventSlim done = new();
        Assert.True(face.Heaps.HeapLock(heap));
        Thread other = new(() =>
        {
            face.ReAlloc(handle, 200, Moveable);
            done.Set();
        });
        other.Start();
        try
        {
            Assert.False(done.Wait(100), "A resize did not wait for HeapLock.");
            Assert.Equal((nuint)100, face.Size(handle));
            Memory.AssertFilled((void*)face.Lock(handle), 0, 100, 5);
            face.Unlock(handle);
            Assert.Equal(handle, face.ReAlloc(handle, 5000, Moveable));
        }
        finally
        {
            Assert.True(face.Heaps.HeapUnlock(heap));
        }

        Assert.True(done.Wait(TimeSpan.FromSeconds(20)));
        other.Join();
        Assert.Equal((nuint)200, face.Size(handle));
        Memory.AssertFilled((void*)face.Address(handle), 0, 100, 5);
        face.MustFree(handle);
    }
}
