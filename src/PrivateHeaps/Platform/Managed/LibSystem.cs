using System.Runtime.InteropServices;

namespace PrivateHeaps.Platform;

/// <summary>
/// The functions of macOS that the engine calls beside those of <see cref="Libc"/>. The two waits are not in Apple's documents, but the C++ library's
/// atomic waits have been built on them since macOS 10.12; the documented os_sync_wait_on_address came with 14.4.
/// </summary>
internal static unsafe class LibSystem
{
    private const string Library = "libSystem.dylib";

    [DllImport(Library)]
    public static extern int __ulock_wait(uint operation, void* address, ulong value, uint microseconds);

    [DllImport(Library)]
    public static extern int __ulock_wake(uint operation, void* address, ulong wakeValue);

    [DllImport(Library)]
    public static extern uint mach_task_self();

    [DllImport(Library)]
    public static extern int mach_vm_read_overwrite(uint task, ulong address, ulong bytes, ulong target, ulong* read);
}
