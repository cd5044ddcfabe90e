namespace PrivateHeaps.Win32;

/// <summary>
/// What a program asks of the machine, with the names of Windows, on Linux. Elsewhere every function throws
/// <see cref="PlatformNotSupportedException"/>. Any thread may call.
/// </summary>
public static unsafe class SysInfoApi
{
    /// <summary><see cref="SYSTEM_INFO.wProcessorArchitecture"/>: x86-64.</summary>
    public const ushort PROCESSOR_ARCHITECTURE_AMD64 = 9;

    /// <summary><see cref="SYSTEM_INFO.wProcessorArchitecture"/>: arm64.</summary>
    public const ushort PROCESSOR_ARCHITECTURE_ARM64 = 12;

    /// <summary>Describes the machine: pages, addresses, processors.</summary>
    /// <param name="lpSystemInfo">Filled in.</param>
    public static void GetSystemInfo(SYSTEM_INFO* lpSystemInfo)
    {
        LinuxOnly.Require();
        Win32System.GetSystemInfo(lpSystemInfo);
    }

    /// <inheritdoc cref="GetSystemInfo(SYSTEM_INFO*)"/>
    public static void GetSystemInfo(ref SYSTEM_INFO lpSystemInfo)
    {
        fixed (SYSTEM_INFO* info = &lpSystemInfo)
        {
            GetSystemInfo(info);
        }
    }

    /// <summary>Measures the memory of the machine, or of the container that the process runs in, and of the process.</summary>
    /// <param name="lpBuffer">Filled in; the caller sets <see cref="MEMORYSTATUSEX.dwLength"/> to the size of the structure first.</param>
    /// <returns>False with last error 87 for another length, 998 if there is no structure, 31 if the system does not tell.</returns>
    public static bool GlobalMemoryStatusEx(MEMORYSTATUSEX* lpBuffer)
    {
        LinuxOnly.Require();
        return Win32System.GlobalMemoryStatusEx(lpBuffer) != 0;
    }

    /// <inheritdoc cref="GlobalMemoryStatusEx(MEMORYSTATUSEX*)"/>
    public static bool GlobalMemoryStatusEx(ref MEMORYSTATUSEX lpBuffer)
    {
        fixed (MEMORYSTATUSEX* buffer = &lpBuffer)
        {
            return GlobalMemoryStatusEx(buffer);
        }
    }
}
