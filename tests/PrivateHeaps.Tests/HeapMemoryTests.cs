using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PrivateHeaps.Tests;

public class HeapMemoryTests
{
    [Fact]
    public unsafe void Rented_memory_has_the_length_that_was_asked_for_and_lies_in_the_heap()
    {
        using PrivateHeap heap = new();
        foreach (int length in (int[])[0, 1, 100, 1_000_000])
        {
            using IMemoryOwner<long> owner = heap.Rent<long>(length);
            Assert.IsAssignableFrom<MemoryManager<long>>(owner);
            Assert.Equal(length, owner.Memory.Length);
            owner.Memory.Span.Fill(length);
            Assert.True(heap.Contains(Unsafe.AsPointer(ref MemoryMarshal.GetReference(owner.Memory.Span))));
            Assert.Equal((nuint)length * 8, heap.GetSummary().AllocatedBytes);
        }

        Assert.Equal((nuint)0, heap.GetSummary().BlockCount);
        Assert.Throws<ArgumentOutOfRangeException>(() => heap.Rent<int>(-1));
    }

    [Fact]
    public async Task Rented_memory_goes_through_a_stream()
    {
        using PrivateHeap heap = new();
        using IMemoryOwner<byte> owner = heap.Rent<byte>(1000);
        using MemoryStream stream = new(Enumerable.Range(0, 1000).Select(value => (byte)value).ToArray());
        await stream.ReadExactlyAsync(owner.Memory);
        Assert.Equal(stream.ToArray(), owner.Memory.ToArray());
    }

    [Fact]
    public unsafe void Pinning_gives_the_address_of_the_element()
    {
        using PrivateHeap heap = new();
        using IMemoryOwner<int> owner = heap.Rent<int>(10);
        using MemoryHandle handle = owner.Memory[3..].Pin();
        Assert.True(heap.Contains((int*)handle.Pointer - 3));
        MemoryManager<int> manager = (MemoryManager<int>)owner;
        Assert.True(manager.Pin(10).Pointer == (int*)manager.Pin().Pointer + 10);
        Assert.Throws<ArgumentOutOfRangeException>(() => manager.Pin(11));
        Assert.Throws<ArgumentOutOfRangeException>(() => manager.Pin(-1));
    }

    [Fact]
    public unsafe void Disposing_frees_once()
    {
        using PrivateHeap heap = new();
        IMemoryOwner<int> owner = heap.Rent<int>(10);
        owner.Dispose();
        Assert.Equal((nuint)0, heap.GetSummary().BlockCount);
        void* successor = heap.Alloc(40);
        owner.Dispose();
        Assert.True(heap.Contains(successor));
    }

    [Fact]
    public void Memory_of_a_disposed_owner_throws()
    {
        using PrivateHeap heap = new();
        IMemoryOwner<int> owner = heap.Rent<int>(10);
        Memory<int> memory = owner.Memory;
        owner.Dispose();
        AssertGone(owner, memory);
    }

    [Fact]
    public void Memory_of_a_disposed_heap_throws_and_its_owner_can_still_be_disposed()
    {
        PrivateHeap heap = new();
        IMemoryOwner<int> owner = heap.Rent<int>(10);
        Memory<int> memory = owner.Memory;
        heap.Dispose();
        AssertGone(owner, memory);
        owner.Dispose();
    }

    [Fact]
    public unsafe void Memory_of_a_cleared_heap_throws_and_its_owner_frees_nothing_of_its_successor()
    {
        using PrivateHeap heap = new();
        IMemoryOwner<int> owner = heap.Rent<int>(10);
        Memory<int> memory = owner.Memory;
        heap.Clear();
        for (int count = 0; count < 5000; count++)
        {
            heap.Alloc(40);
        }

        AssertGone(owner, memory);
        owner.Dispose();
        Assert.Equal((nuint)5000, heap.GetSummary().BlockCount);
    }

    private static void AssertGone(IMemoryOwner<int> owner, Memory<int> memory)
    {
        Assert.Throws<ObjectDisposedException>(() => { _ = owner.Memory; });
        Assert.Throws<ObjectDisposedException>(() => { _ = memory.Span; });
        Assert.Throws<ObjectDisposedException>(() => { memory.Pin(); });
    }
}
