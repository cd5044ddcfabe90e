using System.Runtime;
using PrivateHeaps.Win32;
using ThreadState = PrivateHeaps.Heaps.ThreadState;

namespace PrivateHeaps.Native;

/// <summary>The functions that shim_rtl.c calls: <see cref="RtlHeap"/>, with names that C can link to.</summary>
internal static unsafe partial class Exports
{
    [RuntimeExport("ph_RtlCreateHeap")]
    public static nint RtlCreateHeap(ThreadState* thread, uint flags, void* heapBase, nuint reserve, nuint commit, void* heapLock, RTL_HEAP_PARAMETERS* parameters) =>
        RtlHeap.Create(thread, flags, heapBase, reserve, commit, heapLock, parameters);

    [RuntimeExport("ph_RtlDestroyHeap")]
    public static nint RtlDestroyHeap(ThreadState* thread, nint heap) => RtlHeap.Destroy(thread, heap);

    [RuntimeExport("ph_RtlAllocateHeap")]
    public static void* RtlAllocateHeap(ThreadState* thread, nint heap, uint flags, nuint bytes) => RtlHeap.Allocate(thread, heap, flags, bytes);

    [RuntimeExport("ph_RtlReAllocateHeap")]
    public static void* RtlReAllocateHeap(ThreadState* thread, nint heap, uint flags, void* block, nuint bytes) =>
        RtlHeap.Reallocate(thread, heap, flags, block, bytes);

    [RuntimeExport("ph_RtlWalkHeap")]
    public static uint RtlWalkHeap(ThreadState* thread, nint heap, RTL_HEAP_WALK_ENTRY* entry) => RtlHeap.Walk(thread, heap, entry);

    [RuntimeExport("ph_RtlZeroHeap")]
    public static uint RtlZeroHeap(ThreadState* thread, nint heap, uint flags) => RtlHeap.Zero(thread, heap, flags);

    [RuntimeExport("ph_RtlQueryHeapInformation")]
    public static uint RtlQueryHeapInformation(
        ThreadState* thread, nint heap, HEAP_INFORMATION_CLASS kind, void* information, nuint bytes, nuint* returnedBytes) =>
        RtlHeap.QueryInformation(thread, heap, kind, information, bytes, returnedBytes);

    [RuntimeExport("ph_RtlSetHeapInformation")]
    public static uint RtlSetHeapInformation(ThreadState* thread, nint heap, HEAP_INFORMATION_CLASS kind, void* information, nuint bytes) =>
        RtlHeap.SetInformation(thread, heap, kind, information, bytes);

    [RuntimeExport("ph_RtlGetUserInfoHeap")]
    public static byte RtlGetUserInfoHeap(ThreadState* thread, nint heap, uint flags, void* block, void** value, uint* userFlags) =>
        RtlHeap.GetUserInfo(thread, heap, flags, block, value, userFlags);

    [RuntimeExport("ph_RtlSetUserValueHeap")]
    public static byte RtlSetUserValueHeap(ThreadState* thread, nint heap, uint flags, void* block, void* value) =>
        RtlHeap.SetUserValue(thread, heap, flags, block, value);

    [RuntimeExport("ph_RtlSetUserFlagsHeap")]
    public static byte RtlSetUserFlagsHeap(ThreadState* thread, nint heap, uint flags, void* block, uint reset, uint set) =>
        RtlHeap.SetUserFlags(thread, heap, flags, block, reset, set);

    [RuntimeExport("ph_RtlMultipleAllocateHeap")]
    public static uint RtlMultipleAllocateHeap(ThreadState* thread, nint heap, uint flags, nuint bytes, uint count, void** blocks) =>
        RtlHeap.MultipleAllocate(thread, heap, flags, bytes, count, blocks);

    [RuntimeExport("ph_RtlMultipleFreeHeap")]
    public static uint RtlMultipleFreeHeap(ThreadState* thread, nint heap, uint flags, uint count, void** blocks) =>
        RtlHeap.MultipleFree(thread, heap, flags, count, blocks);
}
