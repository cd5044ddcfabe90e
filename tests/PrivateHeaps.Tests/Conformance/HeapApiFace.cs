using System.Runtime.InteropServices;
using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Conformance;

/// <summary>The functions of <see cref="HeapApi"/>.</summary>
public sealed unsafe class HeapApiFace : IWin32Face
{
    public uint LastError
    {
        get => (uint)Marshal.GetLastPInvokeError();
        set => Marshal.SetLastPInvokeError((int)value);
    }

    public override string ToString() => "HeapApi";

    public nint HeapCreate(uint options, nuint initialSize, nuint maximumSize) => HeapApi.HeapCreate(options, initialSize, maximumSize);

    public bool HeapDestroy(nint heap) => HeapApi.HeapDestroy(heap);

    public nint GetProcessHeap() => HeapApi.GetProcessHeap();

    public uint GetProcessHeaps(uint capacity, nint* heaps) => HeapApi.GetProcessHeaps(capacity, heaps);

    public void* HeapAlloc(nint heap, uint flags, nuint bytes) => (void*)HeapApi.HeapAlloc(heap, flags, bytes);

    public void* HeapReAlloc(nint heap, uint flags, void* block, nuint bytes) => HeapApi.HeapReAlloc(heap, flags, block, bytes);

    public bool HeapFree(nint heap, uint flags, void* block) => HeapApi.HeapFree(heap, flags, block);

    public nuint HeapSize(nint heap, uint flags, void* block) => HeapApi.HeapSize(heap, flags, block);

    public bool HeapValidate(nint heap, uint flags, void* block) => HeapApi.HeapValidate(heap, flags, block);

    public bool HeapLock(nint heap) => HeapApi.HeapLock(heap);

    public bool HeapUnlock(nint heap) => HeapApi.HeapUnlock(heap);

    public bool HeapWalk(nint heap, PROCESS_HEAP_ENTRY* entry) => HeapApi.HeapWalk(heap, entry);

    public nuint HeapCompact(nint heap, uint flags) => HeapApi.HeapCompact(heap, flags);

    public bool HeapSummary(nint heap, uint flags, HEAP_SUMMARY* summary) => HeapApi.HeapSummary(heap, flags, summary);

    public bool HeapQueryInformation(nint heap, HEAP_INFORMATION_CLASS kind, void* buffer, nuint length, nuint* returnLength) =>
        HeapApi.HeapQueryInformation(heap, kind, buffer, length, returnLength);

    public bool HeapSetInformation(nint heap, HEAP_INFORMATION_CLASS kind, void* buffer, nuint length) =>
        HeapApi.HeapSetInformation(heap, kind, buffer, length);
}
