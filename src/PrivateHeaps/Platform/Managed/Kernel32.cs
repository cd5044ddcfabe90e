using System.Runtime.InteropServices;

namespace PrivateHeaps.Platform;

/// <summary>The Windows functions that the engine calls. A thread that waits in one of them does not hold up a garbage collection.</summary>
internal static unsafe class Kernel32
{
    private const string Library = "kernel32.dll";
    private const string Synchronization = "api-ms-win-core-synch-l1-2-0.dll";

    [DllImport(Library)]
    public static extern void* VirtualAlloc(void* address, nuint bytes, uint kind, uint protection);

    [DllImport(Library)]
    public static extern int VirtualFree(void* address, nuint bytes, uint kind);

    [DllImport(Library)]
    public static extern nuint VirtualQuery(void* address, MemoryInformation* information, nuint informationBytes);

    [DllImport(Library)]
    public static extern int SwitchToThread();

    [DllImport(Synchronization)]
    public static extern int WaitOnAddress(void* address, void* compared, nuint bytes, uint milliseconds);

    [DllImport(Synchronization)]
    public static extern void WakeByAddressSingle(void* address);

    [DllImport(Synchronization)]
    public static extern void WakeByAddressAll(void* address);
}
