using BenchmarkDotNet.Attributes;
using static PrivateHeaps.Benchmarks.Subjects;

namespace PrivateHeaps.Benchmarks;

/// <summary>One thing to do, done by every subject.</summary>
public abstract class Scenario
{
    /// <summary>Operations of one invocation: so many that what the invocation itself costs does not show.</summary>
    protected const int Operations = Workloads.BatchCount;

    private readonly Private<Serialized> _heap = Private<Serialized>.Create();
    private readonly Handles _handles = Handles.Create();

    [Benchmark(Description = "NativeMemory", Baseline = true, OperationsPerInvoke = Operations)]
    public void WithNativeMemory() => Run<Native, Pointer>(default);

    [Benchmark(Description = "PrivateHeap", OperationsPerInvoke = Operations)]
    public void WithPrivateHeap() => Run<Private<Serialized>, Pointer>(_heap);

    [Benchmark(Description = "HeapApi", OperationsPerInvoke = Operations)]
    public void WithHeapApi() => Run<Handles, Pointer>(_handles);

    [Benchmark(Description = "Marshal.AllocHGlobal", OperationsPerInvoke = Operations)]
    public void WithHGlobal() => Run<HGlobal, Pointer>(default);

    [Benchmark(Description = "ArrayPool.Shared", OperationsPerInvoke = Operations)]
    public void WithArrayPool() => Run<Pool, ArrayBlock>(default);

    [Benchmark(Description = "MemoryPool.Shared", OperationsPerInvoke = Operations)]
    public void WithMemoryPool() => Run<OwnerPool, OwnerBlock>(default);

    [Benchmark(Description = "new byte[]", OperationsPerInvoke = Operations)]
    public void WithNewArrays() => Run<Collected, ArrayBlock>(default);

    [Benchmark(Description = "mimalloc", OperationsPerInvoke = Operations), BenchmarkCategory(MimallocLibrary.Name)]
    public void WithMimalloc() => Run<Mimalloc, Pointer>(default);

    [Benchmark(Description = "mimalloc, no GC transition", OperationsPerInvoke = Operations), BenchmarkCategory(MimallocLibrary.Name)]
    public void WithMimallocNoTransition() => Run<MimallocNoTransition, Pointer>(default);

    private protected abstract void Run<TSubject, TBlock>(TSubject subject)
        where TSubject : struct, ISubject<TBlock>
        where TBlock : struct;
}

/// <summary>A scenario in which one thread does everything, so that a heap without serialization may take part.</summary>
public abstract class OneThreadScenario : Scenario
{
    private readonly Private<Unserialized> _heap = Private<Unserialized>.Create();

    [Benchmark(Description = "PrivateHeap, unserialized", OperationsPerInvoke = Operations)]
    public void WithUnserialized() => Run<Private<Unserialized>, Pointer>(_heap);
}
