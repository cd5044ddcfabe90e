using PrivateHeaps.Win32;
using static PrivateHeaps.Tests.Conformance.MemoryUnderTest;

namespace PrivateHeaps.Tests.Conformance;

/// <summary>What every function answers to what is neither a handle in use nor a live block. Nothing may fault.</summary>
public sealed unsafe class BadMemoryTests
{
    [Theory, MemoryFaces]
    public void Null_has_answers_of_its_own(IMemoryFace face)
    {
        Assert.Equal((nuint)0, face.Expect(InvalidHandle, () => face.Size(0)));
        Assert.Equal(WinBase.GMEM_INVALID_HANDLE, face.Expect(InvalidHandle, () => face.Flags(0)));
        face.ExpectRefusal(Untouched, () => face.Lock(0));
        Assert.False(face.Expect(InvalidHandle, () => face.Unlock(0)));
        face.ExpectRefusal(InvalidParameter, () => face.Handle(0));
        Assert.Equal(0, face.Expect(Untouched, () => face.Free(0)));
        face.ExpectRefusal(InvalidHandle, () => face.ReAlloc(0, 10, Moveable));
        face.ExpectRefusal(InvalidHandle, () => face.ReAlloc(0, 10, Modify));
    }

    [Theory, MemoryFaces]
    public void A_freed_handle_is_refused(IMemoryFace face)
    {
        foreach (nuint bytes in new nuint[] { 0, 256, LargeBytes })
        {
            nint handle = face.MustAlloc(Moveable, bytes);
            face.MustFree(handle);
            AssertNoHandle(face, handle);
        }
    }

    [Theory, MemoryFaces]
    public void A_number_that_was_never_a_handle_is_refused(IMemoryFace face)
    {
        nint handle = face.AllocFilled(Moveable, 100, 7);
        nint fixedBlock = face.AllocFilled(0, 100, 7);
        List<nint> numbers = [8, unchecked((nint)0xFFFF_FFFF_DEAD_BEE8), -8, nint.MaxValue, 1, 0xC042, fixedBlock + 8, face.Address(handle) + 8];

        // All around the entry, and as far from it as the table can reach.
        for (int offset = 1; offset < 16; offset++)
        {
            numbers.Add(handle + offset);
        }

        for (nint distance = 16; distance <= 16 << 20; distance *= 2)
        {
            numbers.AddRange([handle + distance + 4, handle - distance - 4, handle + distance + (17 << 20), handle - distance - (17 << 20)]);
        }

        foreach (nint number in numbers.Where(number => number % 16 != 0))
        {
            AssertNoHandle(face, number);
        }

        Assert.Equal((nuint)100, face.Size(handle));
        Memory.AssertFilled((void*)face.Lock(handle), 0, 100, 7);
        face.MustFree(handle);
        face.MustFree(fixedBlock);
    }

    [Theory, MemoryFaces]
    public void An_address_where_no_memory_is_is_refused_and_told_apart(IMemoryFace face)
    {
        foreach (nint address in new[] { 0x10, 0x1234_5670, unchecked((nint)0xFFFF_FFFF_DEAD_BEE0), -16, unchecked((nint)0x8765_4321_0FED_CBA0) })
        {
            Assert.Equal((nuint)0, face.Expect(InvalidHandle, () => face.Size(address)));
            Assert.Equal(WinBase.GMEM_INVALID_HANDLE, face.Expect(face.IsLocal ? NoAccess : InvalidHandle, () => face.Flags(address)));
            face.ExpectRefusal(face.IsLocal ? Untouched : InvalidHandle, () => face.Lock(address));
            AssertAddressUnlocks(face, address);
            face.ExpectRefusal(face.IsLocal ? NoAccess : InvalidHandle, () => face.Handle(address));
            Assert.Equal(address, face.Expect(NoAccess, () => face.Free(address)));
            face.ExpectRefusal(NoAccess, () => face.ReAlloc(address, 0, Moveable));
            face.ExpectRefusal(NoAccess, () => face.ReAlloc(address, 10, 0));
            face.ExpectRefusal(NoAccess, () => face.ReAlloc(address, 10, Modify | Moveable));
        }
    }

    [Theory, MemoryFaces]
    public void Memory_that_is_no_block_of_the_process_heap_is_refused(IMemoryFace face)
    {
        long* local = stackalloc long[4];
        using HeapUnderTest heap = new(face.Heaps);
        byte* foreign = heap.Alloc(100);
        nint freed = face.MustAlloc(0, 100), neighbor = face.AllocFilled(0, 100, 9), large = face.AllocFilled(0, LargeBytes, 9);
        face.MustFree(freed);
        foreach (nint address in new[] { freed, neighbor + 16, large + 4096, (nint)foreign, ((nint)local + 15) & ~15 })
        {
            Assert.Equal((nuint)0, face.Expect(InvalidHandle, () => face.Size(address)));
            Assert.Equal(WinBase.GMEM_INVALID_HANDLE, face.Expect(InvalidHandle, () => face.Flags(address)));
            face.ExpectRefusal(InvalidHandle, () => face.Lock(address));
            AssertAddressUnlocks(face, address);
            face.ExpectRefusal(InvalidHandle, () => face.Handle(address));
            Assert.Equal(address, face.Expect(InvalidHandle, () => face.Free(address)));
            face.ExpectRefusal(InvalidHandle, () => face.ReAlloc(address, 10, Moveable));
            face.ExpectRefusal(InvalidHandle, () => face.ReAlloc(address, 10, Modify | Moveable));
        }

        heap.Free(foreign);
        Memory.AssertFilled((void*)neighbor, 0, 100, 9);
        Memory.AssertFilled((void*)large, 0, LargeBytes, 9);
        face.MustFree(neighbor);
        face.MustFree(large);
    }

    [Theory, MemoryFaces]
    public void Random_numbers_harm_nothing(IMemoryFace face)
    {
        nint handle = face.AllocFilled(Moveable, 100, 7);
        Random random = new(20_240_602);
        for (int count = 0; count < 3000; count++)
        {
            nint number = count % 3 == 0
                ? handle + random.Next(-(4 << 20), 4 << 20)
                : (nint)random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(48);
            if (number == 0 || number == handle)
            {
                continue;
            }

            Assert.Equal((nuint)0, face.Size(number));
            Assert.Equal(WinBase.GMEM_INVALID_HANDLE, face.Flags(number));
            Assert.Equal(0, face.Lock(number));
            Assert.Equal(0, face.Handle(number));
            Assert.Equal(number, face.Free(number));
            Assert.Equal(0, face.ReAlloc(number, 10, Moveable));
            Assert.Equal(0, face.ReAlloc(number, 0, Moveable));
            face.Unlock(number);
        }

        Assert.Equal(0u, face.Flags(handle));
        Memory.AssertFilled((void*)face.Lock(handle), 0, 100, 7);
        face.MustFree(handle);
    }

    [Theory, MemoryFaces]
    public void What_a_program_writes_into_its_entry_has_no_effect(IMemoryFace face)
    {
        nint victim = face.AllocFilled(0, 100, 8);
        nint handle = face.AllocFilled(Moveable, 100, 7), neighbor = face.AllocFilled(Moveable, 50, 6);
        nint block = face.Address(handle);
        nint below = Math.Min(handle, neighbor);
        foreach (nint value in new[] { victim, 0x10, -1, 0 })
        {
            // Both words of one entry, and all of the way to the other.
            for (nint word = below - 8; word <= Math.Max(handle, neighbor); word += 8)
            {
                *(nint*)word = value;
            }

            Assert.Equal((nuint)100, face.Size(handle));
            Assert.Equal((nuint)50, face.Size(neighbor));
            Assert.Equal(0u, face.Flags(handle));
            Assert.Equal(handle, face.Handle(block));
        }

        Assert.Equal(block, face.Lock(handle));
        Assert.Equal(block, face.Address(handle));
        Assert.Equal(handle, face.ReAlloc(handle, 50_000, Moveable));
        face.MustFree(handle);
        face.MustFree(neighbor);
        Assert.Equal((nuint)100, face.Size(victim));
        Memory.AssertFilled((void*)victim, 0, 100, 8);
        face.MustFree(victim);
    }

    [Theory, MemoryFaces]
    public void The_address_of_a_moveable_block_frees_the_handle_too_and_does_not_resize(IMemoryFace face)
    {
        nint handle = face.AllocFilled(Moveable, 100, 7);
        nint block = face.Lock(handle);
        Assert.Equal((nuint)100, face.Expect(Untouched, () => face.Size(block)));
        Assert.Equal(0u, face.Expect(Untouched, () => face.Flags(block)));
        Assert.Equal(block, face.Expect(Untouched, () => face.Lock(block)));
        Assert.Equal(1u, face.Flags(handle));
        face.ExpectRefusal(InvalidHandle, () => face.ReAlloc(block, 50_000, Moveable));
        face.ExpectRefusal(InvalidHandle, () => face.ReAlloc(block, 0, Modify | Moveable));
        Memory.AssertFilled((void*)block, 0, 100, 7);
        face.MustFree(block);
        Assert.False(face.IsBlock(block));
        AssertNoHandle(face, handle);
    }

    [Theory, MemoryFaces]
    public void A_moveable_block_is_not_freed_or_resized_by_the_heap_functions(IMemoryFace face)
    {
        nint heap = face.Heaps.GetProcessHeap();
        foreach (nuint bytes in BlockSizes)
        {
            nint handle = face.AllocFilled(Moveable, bytes, Pattern);
            nint block = face.Lock(handle);
            AssertOnlyTheHandleChanges(face, handle, block, bytes);

            // And after each way in which the block gets another size or address.
            Assert.False(face.Unlock(handle));
            foreach (nuint wanted in new nuint[] { bytes / 2 + 1, bytes * 3 })
            {
                Assert.Equal(handle, face.ReAlloc(handle, wanted, Moveable));
                Memory.Fill((void*)face.Address(handle), wanted, Pattern);
                AssertOnlyTheHandleChanges(face, handle, face.Address(handle), wanted);
            }

            Assert.Equal(handle, face.ReAlloc(handle, 0, Moveable));
            Assert.Equal(handle, face.ReAlloc(handle, bytes, Moveable));
            Memory.Fill((void*)face.Address(handle), bytes, Pattern);
            AssertOnlyTheHandleChanges(face, handle, face.Address(handle), bytes);
            block = face.Address(handle);
            face.MustFree(handle);
            Assert.False(face.IsBlock(block));
            Assert.False(face.Heaps.HeapFree(heap, 0, (void*)block));
        }

        Assert.True(face.Heaps.HeapValidate(heap, 0, null));
    }

    /// <summary>No function looks at an address to unlock it.</summary>
    private static void AssertAddressUnlocks(IMemoryFace face, nint address) =>
        Assert.Equal(!face.IsLocal, face.Expect(face.IsLocal ? NotLocked : Untouched, () => face.Unlock(address)));

    private static void AssertOnlyTheHandleChanges(IMemoryFace face, nint handle, nint block, nuint bytes)
    {
        nint heap = face.Heaps.GetProcessHeap();
        Assert.False(face.Expect(InvalidParameter, () => face.Heaps.HeapFree(heap, 0, (void*)block)));
        Assert.False(Task.Run(() => face.Heaps.HeapFree(heap, 0, (void*)block)).Result, "Another thread freed the block.");
        face.ExpectRefusal(InvalidParameter, () => (nint)face.Heaps.HeapReAlloc(heap, 0, (void*)block, bytes));
        face.ExpectRefusal(InvalidParameter, () => (nint)face.Heaps.HeapReAlloc(heap, 0, (void*)block, bytes * 100));
        face.AssertUnchanged(handle, bytes);
        Assert.Equal(handle, face.Handle(block));

        // An address inside of the block is no block, whatever the bytes beside its state say.
        for (nint inside = 16; inside < Math.Min((nint)bytes, 128); inside += 16)
        {
            Assert.False(face.IsBlock(block + inside));
        }
    }

    private static void AssertNoHandle(IMemoryFace face, nint handle)
    {
        Assert.Equal((nuint)0, face.Expect(InvalidHandle, () => face.Size(handle)));
        Assert.Equal(WinBase.GMEM_INVALID_HANDLE, face.Expect(InvalidHandle, () => face.Flags(handle)));
        face.ExpectRefusal(InvalidHandle, () => face.Lock(handle));
        Assert.Equal(!face.IsLocal, face.Expect(InvalidHandle, () => face.Unlock(handle)));
        face.ExpectRefusal(InvalidHandle, () => face.Handle(handle));
        Assert.Equal(handle, face.Expect(InvalidHandle, () => face.Free(handle)));
        face.ExpectRefusal(InvalidHandle, () => face.ReAlloc(handle, 0, Moveable));
        face.ExpectRefusal(InvalidHandle, () => face.ReAlloc(handle, 10, 0));
        face.ExpectRefusal(InvalidHandle, () => face.ReAlloc(handle, 10, Modify));
        face.ExpectRefusal(InvalidHandle, () => face.ReAlloc(handle, 10, Modify | Moveable | face.Discardable()));
    }
}
