using System.Diagnostics;
using System.Runtime.InteropServices;
using PrivateHeaps.Win32;
using static PrivateHeaps.Win32.MemoryApi;

namespace PrivateHeaps.Tests.Win32;

/// <summary>The virtual memory functions in a .NET process; the C programs in tests/native have every rule.</summary>
public sealed unsafe class MemoryApiTests
{
    private const uint Untouched = 12345;
    private const nuint PageBytes = 4096;

    [Fact]
    public void Pages_are_reserved_committed_protected_decommitted_and_released()
    {
        byte* start = (byte*)Expect(Untouched, () => VirtualAlloc((nint)0, 10 * PageBytes, MEM_RESERVE, PAGE_NOACCESS));
        Assert.True(start != null && (nuint)start % 65536 == 0);
        Assert.Equal((MEM_RESERVE, 0u, 10 * PageBytes), StateOf(start));
        Assert.Equal((nint)start + 4096, Expect(Untouched, () => VirtualAlloc((nint)start + 5000, 4096, MEM_COMMIT, PAGE_READWRITE)));
        Assert.Equal((MEM_RESERVE, 0u, PageBytes), StateOf(start));
        Assert.Equal((MEM_COMMIT, PAGE_READWRITE, 2 * PageBytes), StateOf(start + 4096));
        Memory.AssertFilled(start, 4096, 3 * 4096, 0);
        start[4096] = 7;
        uint old = 0;
        Assert.True(Expect(Untouched, () => VirtualProtect((nint)start + 4096, 1, PAGE_READONLY, ref old)));
        Assert.Equal(PAGE_READWRITE, old);
        Assert.Equal((MEM_COMMIT, PAGE_READONLY, PageBytes), StateOf(start + 4096));
        Assert.Equal(7, start[4096]);
        Assert.True(Expect(Untouched, () => VirtualFree(start + 4096, PageBytes, MEM_DECOMMIT)));
        Assert.Equal((MEM_RESERVE, 0u, 2 * PageBytes), StateOf(start));
        Assert.True(Expect(Untouched, () => VirtualFree((nint)start, 0, MEM_RELEASE)));
        Assert.False(Expect(487, () => VirtualFree(start, 0, MEM_RELEASE)));
    }

    [Fact]
    public void Wrong_calls_are_refused_with_their_errors()
    {
        nint start = VirtualAlloc((nint)0, 65536, MEM_RESERVE, PAGE_READWRITE);
        MEMORY_BASIC_INFORMATION information = default;
        Assert.Equal(0, Expect(87, () => VirtualAlloc((nint)0, 0, MEM_RESERVE, PAGE_READWRITE)));
        Assert.Equal(0, Expect(87, () => VirtualAlloc((nint)0, 1, MEM_RESERVE, 0)));
        Assert.Equal(0, Expect(87, () => VirtualAlloc((nint)0, 1, MEM_RESERVE | MEM_WRITE_WATCH, PAGE_READWRITE)));
        Assert.Equal(0, Expect(87, () => VirtualAlloc((nint)0, 1, MEM_RESERVE | MEM_COMMIT | MEM_LARGE_PAGES, PAGE_READWRITE)));
        Assert.Equal(0, Expect(87, () => VirtualAlloc((nint)0, 1, MEM_RESERVE, PAGE_WRITECOPY)));
        Assert.Equal(0, Expect(487, () => VirtualAlloc(start, 1, MEM_RESERVE, PAGE_READWRITE)));
        Assert.Equal(0, Expect(487, () => VirtualAlloc(start, 65537, MEM_COMMIT, PAGE_READWRITE)));
        Assert.Equal(0, Expect(8, () => VirtualAlloc((nint)0, ((nuint)1 << 47) - 65536, MEM_RESERVE, PAGE_READWRITE)));
        Assert.False(Expect(87, () => VirtualFree(start, 1, MEM_RELEASE)));
        uint old = 0;
        Assert.False(Expect(487, () => VirtualProtect(start, 1, PAGE_READONLY, ref old)));
        Assert.False(Expect(998, () => VirtualProtect((void*)start, 1, PAGE_READONLY, null)));
        Assert.Equal((nuint)0, Expect(24, () => VirtualQuery(start, ref information, 47)));
        Assert.Equal((nuint)0, Expect(998, () => VirtualQuery((void*)start, null, 48)));
        Assert.Equal((nuint)0, Expect(87, () => VirtualQuery(-1, ref information, 48)));
        Assert.True(VirtualFree(start, 0, MEM_RELEASE));
    }

    [Fact]
    public void Memory_of_NET_and_of_heaps_is_described_too()
    {
        nint heap = HeapApi.HeapCreate(0, 0, 0);
        nint block = HeapApi.HeapAlloc(heap, 0, 100_000);
        int local;
        byte* native = (byte*)NativeMemory.Alloc(100);
        foreach (nint address in (nint[])[block, (nint)(&local), (nint)native])
        {
            MEMORY_BASIC_INFORMATION information = Query((void*)address);
            Assert.Equal((MEM_COMMIT, PAGE_READWRITE, MEM_PRIVATE), (information.State, information.Protect, information.Type));
            Assert.True(information.BaseAddress <= address && address < information.BaseAddress + (nint)information.RegionSize);
        }

        NativeMemory.Free(native);
        HeapApi.HeapDestroy(heap);
    }

    [Fact]
    public void Code_that_was_written_runs()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            return;
        }

        byte* start = (byte*)VirtualAlloc(null, 6, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
        ReadOnlySpan<byte> code = [0xB8, 42, 0, 0, 0, 0xC3]; // mov eax, 42; ret
        code.CopyTo(new Span<byte>(start, 6));
        uint old;
        Assert.True(VirtualProtect(start, 6, PAGE_EXECUTE_READ, &old));
        Assert.Equal(42, ((delegate* unmanaged<int>)start)());
        Assert.True(VirtualFree(start, 0, MEM_RELEASE));
    }

    [Fact]
    public void Threads_work_at_the_same_time()
    {
        nint shared = VirtualAlloc((nint)0, 64 * PageBytes, MEM_RESERVE, PAGE_NOACCESS);
        Threads.Run([.. Enumerable.Range(0, 4).Select(number => (Action)(() =>
        {
            byte* page = (byte*)shared + (number * 4096);
            for (int round = 0; round < 500; round++)
            {
                Assert.True(VirtualAlloc(page, PageBytes, MEM_COMMIT, PAGE_READWRITE) == page);
                Memory.AssertFilled(page, 0, PageBytes, 0);
                Memory.Fill(page, PageBytes, (byte)(number + 1));
                Assert.True(VirtualFree(page, PageBytes, MEM_DECOMMIT));
                nint own = VirtualAlloc((nint)0, (nuint)(1 + (round * 100)), MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
                Assert.Equal((nuint)(1 + (round * 100) + 4095) / 4096 * 4096, Query((void*)own).RegionSize);
                Assert.True(VirtualFree(own, 0, MEM_RELEASE));
            }
        }))]);
        Assert.Equal((MEM_RESERVE, 0u, 64 * PageBytes), StateOf((void*)shared));
        Assert.True(VirtualFree(shared, 0, MEM_RELEASE));
    }

    [Fact]
    public void Frames_move_through_a_window()
    {
        nuint[] frames = new nuint[16];
        nuint count = 16;
        nint process = ProcessThreadsApi.GetCurrentProcess();
        byte* window = (byte*)VirtualAlloc(null, 8 * PageBytes, MEM_RESERVE | MEM_PHYSICAL, PAGE_READWRITE);
        Assert.True(Expect(Untouched, () => AllocateUserPhysicalPages(process, ref count, frames)));
        Assert.Equal((nuint)16, count);
        for (int part = 0; part < 2; part++)
        {
            Assert.True(Expect(Untouched, () => MapUserPhysicalPages((nint)window, 8, frames[(part * 8)..])));
            for (int page = 0; page < 8; page++)
            {
                Memory.AssertFilled(window + (page * 4096), 0, PageBytes, 0);
                Memory.Fill(window + (page * 4096), PageBytes, (byte)((part * 8) + page));
            }
        }

        Assert.Equal((MEM_COMMIT, PAGE_READWRITE, 8 * PageBytes), StateOf(window));
        Assert.False(Expect(87, () => MapUserPhysicalPages((nint)window, 1, [frames[9]])));
        Assert.True(Expect(Untouched, () => MapUserPhysicalPages((nint)window, 8, null)));
        Assert.True(Expect(Untouched, () => MapUserPhysicalPagesScatter([(nint)window + (3 * 4096), (nint)window], 2, [frames[5], frames[12]])));
        Memory.AssertFilled(window + (3 * 4096), 0, PageBytes, 5);
        Memory.AssertFilled(window, 0, PageBytes, 12);
        Assert.Equal((MEM_RESERVE, 0u, 2 * PageBytes), StateOf(window + 4096));
        Assert.True(VirtualFree(window, 0, MEM_RELEASE));
        frames[10] = 1;
        Assert.False(Expect(87, () => FreeUserPhysicalPages(process, ref count, frames)));
        Assert.Equal((nuint)10, count);
        count = 5;
        Assert.True(FreeUserPhysicalPages(process, ref count, frames[11..]));
    }

    [Fact]
    public void An_array_that_is_too_short_is_an_exception()
    {
        nuint count = 2;
        ArgumentException exception = Assert.Throws<ArgumentException>(() => AllocateUserPhysicalPages(-1, ref count, new nuint[1]));
        Assert.Equal("PageArray", exception.ParamName);
        Assert.Throws<ArgumentException>(() => MapUserPhysicalPages(0, 2, new nuint[1]));
        Assert.Throws<ArgumentException>(() => MapUserPhysicalPagesScatter(new nint[1], 2, null));
        Assert.False(Expect(6, () => AllocateUserPhysicalPages(0, ref count, new nuint[2])));
    }

    [Fact]
    public void The_machine_is_described()
    {
        SYSTEM_INFO system = default;
        SysInfoApi.GetSystemInfo(ref system);
        Assert.Equal((uint)Environment.SystemPageSize, system.dwPageSize);
        Assert.Equal(65536u, system.dwAllocationGranularity);
        Assert.InRange(system.dwNumberOfProcessors, 1u, (uint)Environment.ProcessorCount * 1024);
        Assert.True(system.lpMinimumApplicationAddress < system.lpMaximumApplicationAddress);
        Assert.Equal((uint)Process.GetCurrentProcess().Id, ProcessThreadsApi.GetCurrentProcessId());
        Assert.Equal((nuint)0, GetLargePageMinimum());

        MEMORYSTATUSEX status = default;
        Assert.False(Expect(87, () => SysInfoApi.GlobalMemoryStatusEx(ref status)));
        status.dwLength = (uint)sizeof(MEMORYSTATUSEX);
        Assert.True(Expect(Untouched, () => SysInfoApi.GlobalMemoryStatusEx(ref status)));
        Assert.True(status.ullAvailPhys <= status.ullTotalPhys && status.ullTotalPhys != 0 && status.dwMemoryLoad <= 100);
        Assert.True(status.ullTotalPhys >= (ulong)GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
    }

    [Fact]
    public void The_structures_have_the_layout_of_the_SDK()
    {
        Assert.Equal((48, 48, 64), (sizeof(MEMORY_BASIC_INFORMATION), sizeof(SYSTEM_INFO), sizeof(MEMORYSTATUSEX)));
        AssertOffsets<MEMORY_BASIC_INFORMATION>(("AllocationBase", 8), ("AllocationProtect", 16), ("RegionSize", 24), ("State", 32), ("Type", 40));
        AssertOffsets<SYSTEM_INFO>(("dwPageSize", 4), ("dwActiveProcessorMask", 24), ("dwNumberOfProcessors", 32), ("wProcessorRevision", 46));
        AssertOffsets<MEMORYSTATUSEX>(("dwMemoryLoad", 4), ("ullTotalPhys", 8), ("ullAvailExtendedVirtual", 56));
    }

    [Fact]
    public void The_constants_have_the_values_of_the_SDK()
    {
        Dictionary<string, uint> expected = new()
        {
            ["MEM_COMMIT"] = 0x1000,
            ["MEM_RESERVE"] = 0x2000,
            ["MEM_DECOMMIT"] = 0x4000,
            ["MEM_RELEASE"] = 0x8000,
            ["MEM_FREE"] = 0x10000,
            ["MEM_PRIVATE"] = 0x20000,
            ["MEM_MAPPED"] = 0x40000,
            ["MEM_IMAGE"] = 0x1000000,
            ["MEM_RESET"] = 0x80000,
            ["MEM_RESET_UNDO"] = 0x1000000,
            ["MEM_TOP_DOWN"] = 0x100000,
            ["MEM_WRITE_WATCH"] = 0x200000,
            ["MEM_PHYSICAL"] = 0x400000,
            ["MEM_LARGE_PAGES"] = 0x20000000,
            ["PAGE_NOACCESS"] = 1,
            ["PAGE_READONLY"] = 2,
            ["PAGE_READWRITE"] = 4,
            ["PAGE_WRITECOPY"] = 8,
            ["PAGE_EXECUTE"] = 0x10,
            ["PAGE_EXECUTE_READ"] = 0x20,
            ["PAGE_EXECUTE_READWRITE"] = 0x40,
            ["PAGE_EXECUTE_WRITECOPY"] = 0x80,
            ["PAGE_GUARD"] = 0x100,
            ["PAGE_NOCACHE"] = 0x200,
            ["PAGE_WRITECOMBINE"] = 0x400,
            ["PAGE_TARGETS_INVALID"] = 0x40000000,
            ["PAGE_TARGETS_NO_UPDATE"] = 0x40000000,
        };
        Dictionary<string, uint> actual = typeof(MemoryApi).GetFields().ToDictionary(field => field.Name, field => (uint)field.GetRawConstantValue()!);
        Assert.Equal(expected.OrderBy(constant => constant.Key), actual.OrderBy(constant => constant.Key));
    }

    private static void AssertOffsets<T>(params (string Field, int Offset)[] expected) =>
        Assert.Equal(expected, expected.Select(field => (field.Field, (int)Marshal.OffsetOf<T>(field.Field))));

    private static MEMORY_BASIC_INFORMATION Query(void* address)
    {
        MEMORY_BASIC_INFORMATION information;
        Assert.Equal((nuint)sizeof(MEMORY_BASIC_INFORMATION), VirtualQuery(address, &information, (nuint)sizeof(MEMORY_BASIC_INFORMATION)));
        return information;
    }

    private static (uint State, uint Protection, nuint Bytes) StateOf(void* address)
    {
        MEMORY_BASIC_INFORMATION information = Query(address);
        return (information.State, information.Protect, information.RegionSize);
    }

    private static T Expect<T>(uint error, Func<T> call)
    {
        Marshal.SetLastPInvokeError((int)Untouched);
        T result = call();
        Assert.Equal(error, (uint)Marshal.GetLastPInvokeError());
        return result;
    }
}
