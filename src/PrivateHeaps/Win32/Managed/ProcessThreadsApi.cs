namespace PrivateHeaps.Win32;

/// <summary>The calling process, with the names of Windows. Any thread may call.</summary>
public static class ProcessThreadsApi
{
    /// <summary>A handle of the calling process, for functions that ask for one. It needs no closing.</summary>
    /// <returns>Always -1, a constant that stands for whichever process uses it.</returns>
    public static nint GetCurrentProcess() => Win32PhysicalPages.CurrentProcess;

    /// <summary>The number of the calling process.</summary>
    /// <returns>The same as <see cref="Environment.ProcessId"/>.</returns>
    public static uint GetCurrentProcessId() => (uint)Environment.ProcessId;
}
