using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Conformance;

/// <summary>The functions of <see cref="WinBase"/>.</summary>
public sealed class WinBaseFace(bool isLocal) : IMemoryFace
{
    public bool IsLocal => isLocal;

    public IWin32Face Heaps { get; } = new HeapApiFace();

    public override string ToString() => isLocal ? "WinBase.Local" : "WinBase.Global";

    public nint Alloc(uint flags, nuint bytes) => isLocal ? WinBase.LocalAlloc(flags, bytes) : WinBase.GlobalAlloc(flags, bytes);

    public nint ReAlloc(nint memory, nuint bytes, uint flags) =>
        isLocal ? WinBase.LocalReAlloc(memory, bytes, flags) : WinBase.GlobalReAlloc(memory, bytes, flags);

    public nint Free(nint memory) => isLocal ? WinBase.LocalFree(memory) : WinBase.GlobalFree(memory);

    public nint Lock(nint memory) => isLocal ? WinBase.LocalLock(memory) : WinBase.GlobalLock(memory);

    public bool Unlock(nint memory) => isLocal ? WinBase.LocalUnlock(memory) : WinBase.GlobalUnlock(memory);

    public nuint Size(nint memory) => isLocal ? WinBase.LocalSize(memory) : WinBase.GlobalSize(memory);

    public uint Flags(nint memory) => isLocal ? WinBase.LocalFlags(memory) : WinBase.GlobalFlags(memory);

    public nint Handle(nint block) => isLocal ? WinBase.LocalHandle(block) : WinBase.GlobalHandle(block);

    public nuint Compact(uint bytes) => isLocal ? WinBase.LocalCompact(bytes) : WinBase.GlobalCompact(bytes);
}
