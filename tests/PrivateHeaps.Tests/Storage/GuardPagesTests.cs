using PrivateHeaps.Foundation;
using PrivateHeaps.Heaps;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;
using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Storage;

public sealed unsafe class GuardPagesTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(Units.PageBytes)]
    [InlineData(300_001)]
    public void A_mapping_is_zero_and_lies_between_guard_pages(int bytes)
    {
        Assert.True(Engine.Start());
        byte* mapped = (byte*)GuardPages.Map((nuint)bytes);
        Assert.True(mapped != null);
        Assert.True(Memory.FirstOther(mapped, 0, (nuint)bytes, 0) < 0);
        Memory.Fill(mapped, (nuint)bytes, 0x5A);
        AssertGuarded(mapped, mapped + Bits.RoundUp((nuint)bytes, Os.PageBytes));
        GuardPages.Release(mapped, (nuint)bytes);
    }

    [Fact]
    public void All_that_the_engine_stands_on_lies_between_guard_pages()
    {
        using PrivateHeap heap = new();
        void* block = heap.Alloc(100);
        nint handle = WinBase.GlobalAlloc(WinBase.GMEM_MOVEABLE, 100);

        // A structure of each kind that has a mapping of its own or is carved from a reservation, and one that fits in none that is there.
        nuint largeBytes = GuardedRange.ReservationBytes * 2;
        byte* large = (byte*)Metadata.Take(largeBytes);
        byte* small = (byte*)Metadata.Take(64);
        AssertGuarded((byte*)AddressMap.EntryOf(block), null);
        AssertGuarded(AddressMap.StateOf(block), null);
        AssertGuarded((byte*)HeapRegistry.AtSlot(0), null);
        AssertGuarded((byte*)handle, null);
        AssertGuarded(small, null);
        AssertGuarded(large, large + largeBytes);
        Metadata.Give(small, 64);
        Metadata.Give(large, largeBytes);
        Assert.Equal(0, WinBase.GlobalFree(handle));
    }

    // The accessible pages around the address begin and end where they are said to, if it is said, and before and behind them nothing is accessible.
    private static void AssertGuarded(byte* address, byte* end)
    {
        Assert.True(address != null);
        byte* first = (byte*)Bits.RoundDown((nuint)address, Os.PageBytes);
        byte* last = first;
        while (IsReadable(first - Os.PageBytes))
        {
            first -= Os.PageBytes;
        }

        while (IsReadable(last + Os.PageBytes))
        {
            last += Os.PageBytes;
        }

        Assert.True(end == null || last + Os.PageBytes == end);
        for (nuint offset = 0; offset < GuardPages.Bytes; offset += Os.PageBytes)
        {
            Assert.False(IsReadable(first - offset - 1) || IsReadable(last + Os.PageBytes + offset));
        }
    }

    private static bool IsReadable(byte* address)
    {
        byte read;
        return Os.TryRead(address, &read, 1);
    }
}
