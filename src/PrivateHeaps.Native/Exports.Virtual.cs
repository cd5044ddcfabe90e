using System.Runtime;
using PrivateHeaps.Win32;

namespace PrivateHeaps.Native;

/// <summary>
/// The functions of memoryapi.h, sysinfoapi.h and processthreadsapi.h. They need no thread's state, so C calls them without a shim.
/// </summary>
internal static unsafe partial class Exports
{
    [RuntimeExport("VirtualAlloc")]
    public static void* VirtualAlloc(void* address, nuint bytes, uint type, uint protection) =>
        Win32Virtual.VirtualAlloc(address, bytes, type, protection);

    [RuntimeExport("VirtualFree")]
    public static int VirtualFree(void* address, nuint bytes, uint type) => Win32Virtual.VirtualFree(address, bytes, type);

    [RuntimeExport("VirtualProtect")]
    public static int VirtualProtect(void* address, nuint bytes, uint protection, uint* oldProtection) =>
        Win32Virtual.VirtualProtect(address, bytes, protection, oldProtection);

    [RuntimeExport("VirtualQuery")]
    public static nuint VirtualQuery(void* address, MEMORY_BASIC_INFORMATION* information, nuint bytes) =>
        Win32Virtual.VirtualQuery(address, information, bytes);

    [RuntimeExport("GetLargePageMinimum")]
    public static nuint GetLargePageMinimum() => 0;

    [RuntimeExport("AllocateUserPhysicalPages")]
    public static int AllocateUserPhysicalPages(nint process, nuint* count, nuint* numbers) =>
        Win32PhysicalPages.AllocateUserPhysicalPages(process, count, numbers);

    [RuntimeExport("FreeUserPhysicalPages")]
    public static int FreeUserPhysicalPages(nint process, nuint* count, nuint* numbers) =>
        Win32PhysicalPages.FreeUserPhysicalPages(process, count, numbers);

    [RuntimeExport("MapUserPhysicalPages")]
    public static int MapUserPhysicalPages(void* address, nuint count, nuint* numbers) =>
        Win32PhysicalPages.MapUserPhysicalPages(address, count, numbers);

    [RuntimeExport("MapUserPhysicalPagesScatter")]
    public static int MapUserPhysicalPagesScatter(void** addresses, nuint count, nuint* numbers) =>
        Win32PhysicalPages.MapUserPhysicalPagesScatter(addresses, count, numbers);

    [RuntimeExport("GetSystemInfo")]
    public static void GetSystemInfo(SYSTEM_INFO* info) => Win32System.GetSystemInfo(info);

    [RuntimeExport("GlobalMemoryStatusEx")]
    public static int GlobalMemoryStatusEx(MEMORYSTATUSEX* status) => Win32System.GlobalMemoryStatusEx(status);

    [RuntimeExport("GetCurrentProcess")]
    public static nint GetCurrentProcess() => Win32PhysicalPages.CurrentProcess;

    [RuntimeExport("GetCurrentProcessId")]
    public static uint GetCurrentProcessId() => Win32System.GetCurrentProcessId();
}
