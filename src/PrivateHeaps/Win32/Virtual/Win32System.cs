using System.Runtime.Intrinsics.X86;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Win32;

/// <summary>What a program asks of the machine and of its process. Called as <see cref="Win32Virtual"/> is.</summary>
internal static unsafe class Win32System
{
    private const ushort ArchitectureAmd64 = 9, ArchitectureArm64 = 12;
    private const uint ProcessorAmd64 = 8664;

    /// <summary>Fills in the whole structure; never fails.</summary>
    public static void GetSystemInfo(SYSTEM_INFO* lpSystemInfo)
    {
        SYSTEM_INFO info = default;
        bool amd64 = X86Base.IsSupported;
        info.wProcessorArchitecture = amd64 ? ArchitectureAmd64 : ArchitectureArm64;
        info.dwPageSize = (uint)LinuxPages.PageBytes;
        info.lpMinimumApplicationAddress = (nint)PageRange.GranularityBytes;
        info.lpMaximumApplicationAddress = (nint)(LinuxPages.EndOfAddresses - 1);
        info.dwNumberOfProcessors = LinuxMachine.Processors(out ulong mask);
        info.dwActiveProcessorMask = (nuint)mask;
        info.dwProcessorType = amd64 ? ProcessorAmd64 : 0;
        info.dwAllocationGranularity = (uint)PageRange.GranularityBytes;
        SetProcessorKind(&info, LinuxMachine.ProcessorSignature);
        *lpSystemInfo = info;
    }

    /// <summary>Measures the memory; refuses a structure of another size with 87.</summary>
    public static int GlobalMemoryStatusEx(MEMORYSTATUSEX* lpBuffer)
    {
        uint length;
        uint error = !Os.TryRead(lpBuffer, &length, sizeof(uint)) ? Win32Error.NoAccess
            : length != sizeof(MEMORYSTATUSEX) ? Win32Error.InvalidParameter
            : Win32Error.NoError;
        MemoryTotals totals = default;
        if (error == Win32Error.NoError && !LinuxMachine.TryMeasure(out totals))
        {
            error = Win32Error.GenFailure;
        }

        if (error != Win32Error.NoError)
        {
            Host.SetLastError(error);
            return 0;
        }

        lpBuffer->dwMemoryLoad = (uint)((totals.Physical - totals.AvailablePhysical) * 100 / totals.Physical);
        lpBuffer->ullTotalPhys = totals.Physical;
        lpBuffer->ullAvailPhys = totals.AvailablePhysical;
        lpBuffer->ullTotalPageFile = totals.Physical + totals.Swap;
        lpBuffer->ullAvailPageFile = totals.AvailablePhysical + totals.AvailableSwap;
        lpBuffer->ullTotalVirtual = totals.Addresses;
        lpBuffer->ullAvailVirtual = totals.AvailableAddresses;
        lpBuffer->ullAvailExtendedVirtual = 0;
        return 1;
    }

    /// <summary>The number of the process, as everybody knows it.</summary>
    public static uint GetCurrentProcessId() => (uint)Libc.getpid();

    /// <summary>As the processor's makers count: a family or a model that does not fit in four bits goes on in other bits.</summary>
    private static void SetProcessorKind(SYSTEM_INFO* info, uint signature)
    {
        uint family = (signature >> 8) & 0xF;
        uint model = (signature >> 4) & 0xF;
        model |= family is 6 or 15 ? (signature >> 12) & 0xF0 : 0;
        family += family == 15 ? (signature >> 20) & 0xFF : 0;
        info->wProcessorLevel = (ushort)family;
        info->wProcessorRevision = (ushort)((model << 8) | (signature & 0xF));
    }
}
