using System.Runtime;
using System.Runtime.CompilerServices;
using PrivateHeaps.Heaps;
using PrivateHeaps.Win32;
using ThreadState = PrivateHeaps.Heaps.ThreadState;

namespace PrivateHeaps.Native;

/// <summary>The functions that shim_heap.c calls: <see cref="Win32Heap"/>, with names that C can link to.</summary>
internal static unsafe partial class Exports
{
    [RuntimeExport("ph_HeapCreate")]
    public static nint HeapCreate(ThreadState* thread, uint options, nuint initialBytes, nuint maximumBytes) =>
        Win32Heap.HeapCreate(thread, options, initialBytes, maximumBytes);

    [RuntimeExport("ph_SetHeapContract")]
    public static int SetHeapContract(int contract) => Win32Heap.SetContract(contract);

    [RuntimeExport("ph_GetHeapContract")]
    public static int GetHeapContract() => (int)Contract.Current;

    [RuntimeExport("ph_HeapDestroy")]
    public static int HeapDestroy(ThreadState* thread, nint heap) => Win32Heap.HeapDestroy(thread, heap);

    [RuntimeExport("ph_GetProcessHeap")]
    public static nint GetProcessHeap(ThreadState* thread) => Win32Heap.GetProcessHeap(thread);

    [RuntimeExport("ph_GetProcessHeaps")]
    public static uint GetProcessHeaps(ThreadState* thread, uint capacity, nint* heaps) => Win32Heap.GetProcessHeaps(thread, capacity, heaps);

    [RuntimeExport("ph_HeapAlloc")]
    public static void* HeapAlloc(nint heap, uint flags, nuint bytes, ThreadCache* cache) => Heap.AllocateFrom<SlowPath>(cache, null, heap, flags, bytes);

    [RuntimeExport("ph_HeapAlloc_slow")]
    public static void* HeapAllocSlow(ThreadState* thread, nint heap, uint flags, nuint bytes) => Win32Heap.AllocSlow(thread, heap, flags, bytes);

    [RuntimeExport("ph_HeapReAlloc")]
    public static void* HeapReAlloc(ThreadState* thread, nint heap, uint flags, void* block, nuint bytes) =>
        Win32Heap.HeapReAlloc(thread, heap, flags, block, bytes);

    [RuntimeExport("ph_HeapFree")]
    public static int HeapFree(nint heap, uint flags, void* block, ThreadCache* cache) => Heap.FreeTo<SlowPath>(cache, null, heap, flags, block);

    [RuntimeExport("ph_HeapFree_slow")]
    public static int HeapFreeSlow(ThreadState* thread, nint heap, uint flags, void* block) => Win32Heap.FreeSlow(heap, flags, block, thread);

    [RuntimeExport("ph_HeapSize")]
    public static nuint HeapSize(ThreadState* thread, nint heap, uint flags, void* block) => Win32Heap.HeapSize(thread, heap, flags, block);

    [RuntimeExport("ph_HeapValidate")]
    public static int HeapValidate(ThreadState* thread, nint heap, uint flags, void* block) => Win32Heap.HeapValidate(thread, heap, flags, block);

    [RuntimeExport("ph_HeapLock")]
    public static int HeapLock(ThreadState* thread, nint heap) => Win32Heap.HeapLock(thread, heap);

    [RuntimeExport("ph_HeapUnlock")]
    public static int HeapUnlock(ThreadState* thread, nint heap) => Win32Heap.HeapUnlock(thread, heap);

    [RuntimeExport("ph_HeapWalk")]
    public static int HeapWalk(ThreadState* thread, nint heap, PROCESS_HEAP_ENTRY* entry) => Win32Heap.HeapWalk(thread, heap, entry);

    [RuntimeExport("ph_HeapCompact")]
    public static nuint HeapCompact(ThreadState* thread, nint heap, uint flags) => Win32Heap.HeapCompact(thread, heap, flags);

    [RuntimeExport("ph_HeapSummary")]
    public static int HeapSummary(ThreadState* thread, nint heap, uint flags, HEAP_SUMMARY* summary) =>
        Win32Heap.HeapSummary(thread, heap, flags, summary);

    [RuntimeExport("ph_HeapQueryInformation")]
    public static int HeapQueryInformation(
        ThreadState* thread, nint heap, HEAP_INFORMATION_CLASS kind, void* information, nuint bytes, nuint* returnedBytes) =>
        Win32Heap.HeapQueryInformation(thread, heap, kind, information, bytes, returnedBytes);

    [RuntimeExport("ph_HeapSetInformation")]
    public static int HeapSetInformation(ThreadState* thread, nint heap, HEAP_INFORMATION_CLASS kind, void* information, nuint bytes) =>
        Win32Heap.HeapSetInformation(thread, heap, kind, information, bytes);

    /// <summary>Leads through the shim, which knows the thread, and raises from a C frame what is to be raised.</summary>
    private readonly struct SlowPath : ISlowPath
    {
        public static void* Allocate(nint handle, uint flags, nuint bytes, ThreadState* thread) => AllocateOrRaise(handle, flags, bytes);

        public static int Free(nint handle, uint flags, void* block, ThreadState* thread) => FreeSlow(handle, flags, block);

        [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_heap_alloc_or_raise")]
        private static extern void* AllocateOrRaise(nint heap, uint flags, nuint bytes);

        [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_heap_free_slow")]
        private static extern int FreeSlow(nint heap, uint flags, void* block);
    }
}
