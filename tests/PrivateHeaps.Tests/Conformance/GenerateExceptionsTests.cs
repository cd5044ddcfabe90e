using System.Runtime.InteropServices;
using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Conformance;

/// <summary>Raising needs a handler of the language that is raised into: here .NET; C and C++ have programs of their own.</summary>
public unsafe class GenerateExceptionsTests
{
    private const uint Raise = HeapApi.HEAP_GENERATE_EXCEPTIONS;

    [Fact]
    public void HeapAlloc_raises_STATUS_NO_MEMORY_when_the_call_asks_for_it()
    {
        using HeapUnderTest heap = new(new HeapApiFace()), bounded = new(new HeapApiFace(), maximumSize: 64 << 10);
        AssertNoMemory(() => HeapApi.HeapAlloc(heap.Handle, Raise, nuint.MaxValue));
        AssertNoMemory(() => HeapApi.HeapAlloc(bounded.Handle, Raise, 128 << 10));
        AssertNoMemory(() => HeapApi.HeapAlloc(bounded.Handle, Raise, 0x7FFF8));
        Assert.Equal(0, HeapApi.HeapAlloc(heap.Handle, 0, nuint.MaxValue));
    }

    [Fact]
    public void HeapAlloc_raises_STATUS_NO_MEMORY_when_the_heap_asks_for_it()
    {
        using HeapUnderTest heap = new(new HeapApiFace(), Raise), bounded = new(new HeapApiFace(), Raise, maximumSize: 64 << 10);
        AssertNoMemory(() => HeapApi.HeapAlloc(heap.Handle, 0, nuint.MaxValue));
        AssertNoMemory(() => HeapApi.HeapAlloc(bounded.Handle, 0, 128 << 10));
        AssertNoMemory(() => HeapApi.HeapAlloc(bounded.Handle, 0, 0x7FFF8));
        heap.Free(heap.Alloc(100));
    }

    [Fact]
    public void HeapReAlloc_raises_STATUS_NO_MEMORY_and_the_block_is_as_it_was()
    {
        using HeapUnderTest heap = new(new HeapApiFace(), Raise);
        byte* block = heap.AllocFilled(100, 0x18);
        nint address = (nint)block;
        AssertNoMemory(() => HeapApi.HeapReAlloc(heap.Handle, 0, address, nuint.MaxValue));
        AssertNoMemory(() => HeapApi.HeapReAlloc(heap.Handle, HeapApi.HEAP_REALLOC_IN_PLACE_ONLY, address, 100_000_000));
        Assert.Equal((nuint)100, heap.SizeOf(block));
        Memory.AssertFilled(block, 0, 100, 0x18);
    }

    [Fact]
    public void A_raising_call_on_no_heap_raises_STATUS_ACCESS_VIOLATION()
    {
        foreach (nint handle in (nint[])[0, 0x1234, -1])
        {
            AccessViolationException raised = Assert.Throws<AccessViolationException>(() => HeapApi.HeapAlloc(handle, Raise, 100));
            Assert.Equal(unchecked((int)0xC0000005), raised.HResult);
        }
    }

    [Fact]
    public void The_last_error_stays_as_it_was()
    {
        using HeapUnderTest heap = new(new HeapApiFace(), Raise);
        Marshal.SetLastPInvokeError(12345);
        AssertNoMemory(() => HeapApi.HeapAlloc(heap.Handle, 0, nuint.MaxValue));
        Assert.Equal(12345, Marshal.GetLastPInvokeError());
    }

    [Fact]
    public void A_raise_leaves_nothing_behind_for_the_next_call()
    {
        using HeapUnderTest raising = new(new HeapApiFace(), Raise), quiet = new(new HeapApiFace());
        AssertNoMemory(() => HeapApi.HeapAlloc(raising.Handle, 0, nuint.MaxValue));
        Assert.Equal(0, HeapApi.HeapAlloc(quiet.Handle, 0, nuint.MaxValue));
        Assert.Equal(0, HeapApi.HeapReAlloc(quiet.Handle, 0, HeapApi.HeapAlloc(quiet.Handle, 0, 1), nuint.MaxValue));
    }

    private static void AssertNoMemory(Func<nint> call)
    {
        OutOfMemoryException raised = Assert.Throws<OutOfMemoryException>(() => { call(); });
        Assert.Equal(unchecked((int)0xC0000017), raised.HResult);
    }
}
