using System.Reflection;
using System.Runtime.InteropServices;
using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Win32;

/// <summary>Sizes and offsets as the Windows SDK has them for 64-bit processes.</summary>
public unsafe class LayoutTests
{
    [Fact]
    public void PROCESS_HEAP_ENTRY_has_the_layout_of_the_SDK()
    {
        Assert.Equal(40, sizeof(PROCESS_HEAP_ENTRY));
        AssertOffsets<PROCESS_HEAP_ENTRY>(("lpData", 0), ("cbData", 8), ("cbOverhead", 12), ("iRegionIndex", 13), ("wFlags", 14), ("_detail", 16));
        AssertOffsets<PROCESS_HEAP_ENTRY.BLOCK_DATA>(("hMem", 0), ("dwReserved0", 8), ("dwReserved1", 12), ("dwReserved2", 16));
        AssertOffsets<PROCESS_HEAP_ENTRY.REGION_DATA>(("dwCommittedSize", 0), ("dwUnCommittedSize", 4), ("lpFirstBlock", 8), ("lpLastBlock", 16));
    }

    [Fact]
    public void The_two_details_of_PROCESS_HEAP_ENTRY_share_their_memory()
    {
        PROCESS_HEAP_ENTRY entry = default;
        entry.Region = new PROCESS_HEAP_ENTRY.REGION_DATA { dwCommittedSize = 0x11111111, dwUnCommittedSize = 0x22222222, lpFirstBlock = 3, lpLastBlock = 4 };
        Assert.Equal(unchecked((nint)0x22222222_11111111), entry.Block.hMem);
        Assert.Equal(3u, entry.Block.dwReserved0);
        entry.Block = new PROCESS_HEAP_ENTRY.BLOCK_DATA { hMem = 5, dwReserved2 = 6 };
        Assert.Equal(5u, entry.Region.dwCommittedSize);
        Assert.Equal(6, entry.Region.lpLastBlock);
    }

    [Fact]
    public void HEAP_SUMMARY_has_the_layout_of_the_SDK()
    {
        Assert.Equal(40, sizeof(HEAP_SUMMARY));
        AssertOffsets<HEAP_SUMMARY>(("cb", 0), ("cbAllocated", 8), ("cbCommitted", 16), ("cbReserved", 24), ("cbMaxReserve", 32));
    }

    [Fact]
    public void HEAP_OPTIMIZE_RESOURCES_INFORMATION_has_the_layout_of_the_SDK()
    {
        Assert.Equal(8, sizeof(HEAP_OPTIMIZE_RESOURCES_INFORMATION));
        AssertOffsets<HEAP_OPTIMIZE_RESOURCES_INFORMATION>(("Version", 0), ("Flags", 4));
    }

    [Fact]
    public void HEAP_INFORMATION_CLASS_is_a_32_bit_number_with_the_values_of_the_SDK()
    {
        Assert.Equal(typeof(int), Enum.GetUnderlyingType(typeof(HEAP_INFORMATION_CLASS)));
        Assert.Equal([0, 1, 3, 7], Enum.GetValues<HEAP_INFORMATION_CLASS>().Select(kind => (int)kind));
    }

    [Fact]
    public void The_constants_have_the_values_of_the_SDK()
    {
        Dictionary<string, long> expected = new()
        {
            ["HEAP_NO_SERIALIZE"] = 0x1,
            ["HEAP_GROWABLE"] = 0x2,
            ["HEAP_GENERATE_EXCEPTIONS"] = 0x4,
            ["HEAP_ZERO_MEMORY"] = 0x8,
            ["HEAP_REALLOC_IN_PLACE_ONLY"] = 0x10,
            ["HEAP_TAIL_CHECKING_ENABLED"] = 0x20,
            ["HEAP_FREE_CHECKING_ENABLED"] = 0x40,
            ["HEAP_DISABLE_COALESCE_ON_FREE"] = 0x80,
            ["HEAP_CREATE_SEGMENT_HEAP"] = 0x100,
            ["HEAP_CREATE_HARDENED"] = 0x200,
            ["HEAP_CREATE_ALIGN_16"] = 0x10000,
            ["HEAP_CREATE_ENABLE_TRACING"] = 0x20000,
            ["HEAP_CREATE_ENABLE_EXECUTE"] = 0x40000,
            ["HEAP_MAXIMUM_TAG"] = 0xFFF,
            ["HEAP_PSEUDO_TAG_FLAG"] = 0x8000,
            ["HEAP_TAG_SHIFT"] = 18,
            ["PROCESS_HEAP_REGION"] = 1,
            ["PROCESS_HEAP_UNCOMMITTED_RANGE"] = 2,
            ["PROCESS_HEAP_ENTRY_BUSY"] = 4,
            ["PROCESS_HEAP_SEG_ALLOC"] = 8,
            ["PROCESS_HEAP_ENTRY_MOVEABLE"] = 0x10,
            ["PROCESS_HEAP_ENTRY_DDESHARE"] = 0x20,
            ["HEAP_OPTIMIZE_RESOURCES_CURRENT_VERSION"] = 1,
            ["STATUS_NO_MEMORY"] = unchecked((int)0xC0000017),
            ["STATUS_ACCESS_VIOLATION"] = unchecked((int)0xC0000005),
        };
        Dictionary<string, long> actual = typeof(HeapApi)
            .GetFields(BindingFlags.Public | BindingFlags.Static)
            .ToDictionary(field => field.Name, field => Convert.ToInt64(field.GetRawConstantValue()));
        Assert.Equal(expected.OrderBy(constant => constant.Key), actual.OrderBy(constant => constant.Key));
        Assert.Equal(16, HeapApi.MEMORY_ALLOCATION_ALIGNMENT);
    }

    private static void AssertOffsets<T>(params (string Field, int Offset)[] expected)
    {
        FieldInfo[] fields = typeof(T).GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);
        Assert.Equal(expected, fields.Select(field => (field.Name, (int)Marshal.OffsetOf<T>(field.Name))));
    }
}
