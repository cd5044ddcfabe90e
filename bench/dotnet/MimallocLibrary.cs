using System.Runtime.InteropServices;

namespace PrivateHeaps.Benchmarks;

/// <summary>Debian's mimalloc, if it is there. It is measured beside the others and never linked.</summary>
internal static unsafe class MimallocLibrary
{
    public const string Name = "libmimalloc.so.2.0", Package = "libmimalloc2.0";

    public static bool IsThere { get; } = NativeLibrary.TryLoad(Name, out _);

    [DllImport(Name, EntryPoint = "mi_malloc")]
    public static extern void* Malloc(nuint bytes);

    [DllImport(Name, EntryPoint = "mi_zalloc")]
    public static extern void* Zalloc(nuint bytes);

    [DllImport(Name, EntryPoint = "mi_realloc")]
    public static extern void* Realloc(void* block, nuint bytes);

    [DllImport(Name, EntryPoint = "mi_free")]
    public static extern void Free(void* block);

    [DllImport(Name, EntryPoint = "mi_malloc"), SuppressGCTransition]
    public static extern void* MallocNoTransition(nuint bytes);

    [DllImport(Name, EntryPoint = "mi_zalloc"), SuppressGCTransition]
    public static extern void* ZallocNoTransition(nuint bytes);

    [DllImport(Name, EntryPoint = "mi_realloc"), SuppressGCTransition]
    public static extern void* ReallocNoTransition(void* block, nuint bytes);

    [DllImport(Name, EntryPoint = "mi_free"), SuppressGCTransition]
    public static extern void FreeNoTransition(void* block);

    [DllImport(Name, EntryPoint = "mi_heap_new"), SuppressGCTransition]
    public static extern void* HeapNew();

    [DllImport(Name, EntryPoint = "mi_heap_malloc"), SuppressGCTransition]
    public static extern void* HeapMalloc(void* heap, nuint bytes);

    [DllImport(Name, EntryPoint = "mi_heap_zalloc"), SuppressGCTransition]
    public static extern void* HeapZalloc(void* heap, nuint bytes);

    [DllImport(Name, EntryPoint = "mi_heap_realloc"), SuppressGCTransition]
    public static extern void* HeapRealloc(void* heap, void* block, nuint bytes);

    [DllImport(Name, EntryPoint = "mi_heap_destroy"), SuppressGCTransition]
    public static extern void HeapDestroy(void* heap);
}
