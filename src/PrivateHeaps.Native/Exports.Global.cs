using System.Runtime;
using PrivateHeaps.Win32;
using ThreadState = PrivateHeaps.Heaps.ThreadState;

namespace PrivateHeaps.Native;

/// <summary>The functions that shim_global.c calls: <see cref="Win32Global"/>, with names that C can link to. The family is a number there.</summary>
internal static unsafe partial class Exports
{
    [RuntimeExport("ph_MemoryAlloc")]
    public static nint MemoryAlloc(ThreadState* thread, MemoryFamily family, uint flags, nuint bytes) =>
        Win32Global.Alloc(thread, family, flags, bytes);

    [RuntimeExport("ph_MemoryReAlloc")]
    public static nint MemoryReAlloc(ThreadState* thread, MemoryFamily family, nint memory, nuint bytes, uint flags) =>
        Win32Global.ReAlloc(thread, family, memory, bytes, flags);

    [RuntimeExport("ph_MemoryFree")]
    public static nint MemoryFree(ThreadState* thread, nint memory) => Win32Global.Free(thread, memory);

    [RuntimeExport("ph_MemoryLock")]
    public static void* MemoryLock(ThreadState* thread, MemoryFamily family, nint memory) => Win32Global.Lock(thread, family, memory);

    [RuntimeExport("ph_MemoryUnlock")]
    public static int MemoryUnlock(ThreadState* thread, MemoryFamily family, nint memory) => Win32Global.Unlock(thread, family, memory);

    [RuntimeExport("ph_MemorySize")]
    public static nuint MemorySize(ThreadState* thread, nint memory) => Win32Global.Size(thread, memory);

    [RuntimeExport("ph_MemoryFlags")]
    public static uint MemoryFlags(ThreadState* thread, MemoryFamily family, nint memory) => Win32Global.Flags(thread, family, memory);

    [RuntimeExport("ph_MemoryHandle")]
    public static nint MemoryHandle(ThreadState* thread, MemoryFamily family, void* block) => Win32Global.Handle(thread, family, block);
}
