using System.Runtime.InteropServices;
using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Conformance;

/// <summary>The C library, called by function pointers. It has an engine of its own beside the one of this process.</summary>
public sealed unsafe class NativeFace : IWin32Face
{
    private static readonly nint s_library = Load();

    private static readonly delegate* unmanaged<uint> s_getLastError = (delegate* unmanaged<uint>)Find("GetLastError");
    private static readonly delegate* unmanaged<uint, void> s_setLastError = (delegate* unmanaged<uint, void>)Find("SetLastError");
    private static readonly delegate* unmanaged<uint, nuint, nuint, nint> s_create = (delegate* unmanaged<uint, nuint, nuint, nint>)Find("HeapCreate");
    private static readonly delegate* unmanaged<nint, int> s_destroy = (delegate* unmanaged<nint, int>)Find("HeapDestroy");
    private static readonly delegate* unmanaged<nint> s_processHeap = (delegate* unmanaged<nint>)Find("GetProcessHeap");
    private static readonly delegate* unmanaged<uint, nint*, uint> s_processHeaps = (delegate* unmanaged<uint, nint*, uint>)Find("GetProcessHeaps");
    private static readonly delegate* unmanaged<nint, uint, nuint, void*> s_alloc = (delegate* unmanaged<nint, uint, nuint, void*>)Find("HeapAlloc");
    private static readonly delegate* unmanaged<nint, uint, void*, nuint, void*> s_reAlloc = (delegate* unmanaged<nint, uint, void*, nuint, void*>)Find("HeapReAlloc");
    private static readonly delegate* unmanaged<nint, uint, void*, int> s_free = (delegate* unmanaged<nint, uint, void*, int>)Find("HeapFree");
    private static readonly delegate* unmanaged<nint, uint, void*, nuint> s_size = (delegate* unmanaged<nint, uint, void*, nuint>)Find("HeapSize");
    private static readonly delegate* unmanaged<nint, uint, void*, int> s_validate = (delegate* unmanaged<nint, uint, void*, int>)Find("HeapValidate");
    private static readonly delegate* unmanaged<nint, int> s_lock = (delegate* unmanaged<nint, int>)Find("HeapLock");
    private static readonly delegate* unmanaged<nint, int> s_unlock = (delegate* unmanaged<nint, int>)Find("HeapUnlock");
    private static readonly delegate* unmanaged<nint, PROCESS_HEAP_ENTRY*, int> s_walk = (delegate* unmanaged<nint, PROCESS_HEAP_ENTRY*, int>)Find("HeapWalk");
    private static readonly delegate* unmanaged<nint, uint, nuint> s_compact = (delegate* unmanaged<nint, uint, nuint>)Find("HeapCompact");
    private static readonly delegate* unmanaged<nint, uint, HEAP_SUMMARY*, int> s_summary = (delegate* unmanaged<nint, uint, HEAP_SUMMARY*, int>)Find("HeapSummary");
    private static readonly delegate* unmanaged<nint, int, void*, nuint, nuint*, int> s_query =
        (delegate* unmanaged<nint, int, void*, nuint, nuint*, int>)Find("HeapQueryInformation");
    private static readonly delegate* unmanaged<nint, int, void*, nuint, int> s_set = (delegate* unmanaged<nint, int, void*, nuint, int>)Find("HeapSetInformation");

    public uint LastError
    {
        get => s_getLastError();
        set => s_setLastError(value);
    }

    public override string ToString() => "C";

    public nint HeapCreate(uint options, nuint initialSize, nuint maximumSize) => s_create(options, initialSize, maximumSize);

    public bool HeapDestroy(nint heap) => s_destroy(heap) != 0;

    public nint GetProcessHeap() => s_processHeap();

    public uint GetProcessHeaps(uint capacity, nint* heaps) => s_processHeaps(capacity, heaps);

    public void* HeapAlloc(nint heap, uint flags, nuint bytes) => s_alloc(heap, flags, bytes);

    public void* HeapReAlloc(nint heap, uint flags, void* block, nuint bytes) => s_reAlloc(heap, flags, block, bytes);

    public bool HeapFree(nint heap, uint flags, void* block) => s_free(heap, flags, block) != 0;

    public nuint HeapSize(nint heap, uint flags, void* block) => s_size(heap, flags, block);

    public bool HeapValidate(nint heap, uint flags, void* block) => s_validate(heap, flags, block) != 0;

    public bool HeapLock(nint heap) => s_lock(heap) != 0;

    public bool HeapUnlock(nint heap) => s_unlock(heap) != 0;

    public bool HeapWalk(nint heap, PROCESS_HEAP_ENTRY* entry) => s_walk(heap, entry) != 0;

    public nuint HeapCompact(nint heap, uint flags) => s_compact(heap, flags);

    public bool HeapSummary(nint heap, uint flags, HEAP_SUMMARY* summary) => s_summary(heap, flags, summary) != 0;

    public bool HeapQueryInformation(nint heap, HEAP_INFORMATION_CLASS kind, void* buffer, nuint length, nuint* returnLength) =>
        s_query(heap, (int)kind, buffer, length, returnLength) != 0;

    public bool HeapSetInformation(nint heap, HEAP_INFORMATION_CLASS kind, void* buffer, nuint length) =>
        s_set(heap, (int)kind, buffer, length) != 0;

    private static nint Load()
    {
        string path = Repository.PathTo("out", "native", "libprivateheaps.so");
        return File.Exists(path)
            ? NativeLibrary.Load(path)
            : throw new FileNotFoundException("The C library is not built; ./test builds it.", path);
    }

    internal static nint Find(string name) => NativeLibrary.GetExport(s_library, name);
}
