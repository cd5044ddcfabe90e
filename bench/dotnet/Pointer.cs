namespace PrivateHeaps.Benchmarks;

/// <summary>A block that is known by its address.</summary>
internal readonly unsafe struct Pointer(void* address)
{
    public void* Address { get; } = address;

    public void Touch() => *(byte*)Address = 1;
}
