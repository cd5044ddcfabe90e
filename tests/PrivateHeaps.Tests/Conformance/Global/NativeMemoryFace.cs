namespace PrivateHeaps.Tests.Conformance;

/// <summary>The functions of the C library, called by function pointers.</summary>
public sealed unsafe class NativeMemoryFace : IMemoryFace
{
    private readonly delegate* unmanaged<uint, nuint, nint> _alloc;
    private readonly delegate* unmanaged<nint, nuint, uint, nint> _reAlloc;
    private readonly delegate* unmanaged<nint, nint> _free, _lock, _handle;
    private readonly delegate* unmanaged<nint, int> _unlock;
    private readonly delegate* unmanaged<nint, nuint> _size;
    private readonly delegate* unmanaged<nint, uint> _flags;
    private readonly delegate* unmanaged<uint, nuint> _compact;

    public NativeMemoryFace(bool isLocal)
    {
        IsLocal = isLocal;
        string family = isLocal ? "Local" : "Global";
        _alloc = (delegate* unmanaged<uint, nuint, nint>)NativeFace.Find($"{family}Alloc");
        _reAlloc = (delegate* unmanaged<nint, nuint, uint, nint>)NativeFace.Find($"{family}ReAlloc");
        _free = (delegate* unmanaged<nint, nint>)NativeFace.Find($"{family}Free");
        _lock = (delegate* unmanaged<nint, nint>)NativeFace.Find($"{family}Lock");
        _handle = (delegate* unmanaged<nint, nint>)NativeFace.Find($"{family}Handle");
        _unlock = (delegate* unmanaged<nint, int>)NativeFace.Find($"{family}Unlock");
        _size = (delegate* unmanaged<nint, nuint>)NativeFace.Find($"{family}Size");
        _flags = (delegate* unmanaged<nint, uint>)NativeFace.Find($"{family}Flags");
        _compact = (delegate* unmanaged<uint, nuint>)NativeFace.Find($"{family}Compact");
    }

    public bool IsLocal { get; }

    public IWin32Face Heaps { get; } = new NativeFace();

    public override string ToString() => IsLocal ? "C, Local" : "C, Global";

    public nint Alloc(uint flags, nuint bytes) => _alloc(flags, bytes);

    public nint ReAlloc(nint memory, nuint bytes, uint flags) => _reAlloc(memory, bytes, flags);

    public nint Free(nint memory) => _free(memory);

    public nint Lock(nint memory) => _lock(memory);

    public bool Unlock(nint memory) => _unlock(memory) != 0;

    public nuint Size(nint memory) => _size(memory);

    public uint Flags(nint memory) => _flags(memory);

    public nint Handle(nint block) => _handle(block);

    public nuint Compact(uint bytes) => _compact(bytes);
}
