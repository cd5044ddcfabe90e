using System.ComponentModel;
using BenchmarkDotNet.Attributes;
using static PrivateHeaps.Benchmarks.Subjects;

namespace PrivateHeaps.Benchmarks;

[Description("allocate a block, write to it, free it; ns for each")]
public class Tight : OneThreadScenario
{
    [Params(16, 64, 256, 1024)]
    public int Bytes { get; set; }

    private protected override void Run<TSubject, TBlock>(TSubject subject) => Workloads.Pairs<TSubject, TBlock>(subject, Operations, (uint)Bytes);
}

[Description("allocate 10,000 blocks, free them in random order; ns for each. Mixed sizes go from 16 B to 64 KiB, half of them below 50 B")]
public class Batch : OneThreadScenario
{
    private readonly int[] _order = Workloads.RandomOrder();
    private uint[] _sizes = [];

    [Params(64, 1024, Workloads.Mixed)]
    public int Bytes { get; set; }

    [GlobalSetup]
    public void ChooseSizes() => _sizes = Workloads.Sizes(Bytes);

    private protected override void Run<TSubject, TBlock>(TSubject subject) =>
        Workloads.Batch(subject, Storage<TBlock>.Blocks, _sizes, _order);

    private static class Storage<TBlock>
    {
        public static readonly TBlock[] Blocks = new TBlock[Operations];
    }
}

[Description("allocate a block whose bytes are zero, write to it, free it; ns for each")]
public class Zeroed : OneThreadScenario
{
    [Params(64, 1024)]
    public int Bytes { get; set; }

    private protected override void Run<TSubject, TBlock>(TSubject subject) => Workloads.ZeroedPairs<TSubject, TBlock>(subject, Operations, (uint)Bytes);
}

[Description("a block grows by half again and again, from 16 B to 1 MiB; ns for each step")]
public class Growth : OneThreadScenario
{
    private protected override void Run<TSubject, TBlock>(TSubject subject) => Workloads.Growth<TSubject, TBlock>(subject, Operations);
}

[Description("one thread allocates blocks, another frees them, with a ring of 1,024 between them; ns for each")]
public class Handover : Scenario
{
    [Params(64)]
    public int Bytes { get; set; }

    private protected override void Run<TSubject, TBlock>(TSubject subject) => Ring<TSubject, TBlock>.Produce(subject, Operations, (uint)Bytes);
}

[Description("create a heap, allocate blocks of 64 B in it, drop it; beside it the same blocks freed one by one in a heap that stays; ns for all")]
public class WholeHeap
{
    private const int Bytes = 64;

    private readonly Private<Serialized> _heap = Private<Serialized>.Create();
    private readonly MimallocHeap _mimalloc = MimallocLibrary.IsThere ? MimallocHeap.Create() : default;
    private readonly Pointer[] _blocks = new Pointer[Workloads.BatchCount];

    [Params(1, Workloads.BatchCount)]
    public int Blocks { get; set; }

    [Benchmark(Description = "NativeMemory, one by one", Baseline = true)]
    public void NativeMemoryOneByOne() => Workloads.FillAndFree(default(Native), _blocks, Blocks, Bytes);

    [Benchmark(Description = "PrivateHeap, one by one")]
    public void PrivateHeapOneByOne() => Workloads.FillAndFree(_heap, _blocks, Blocks, Bytes);

    [Benchmark(Description = "mimalloc heap, one by one"), BenchmarkCategory(MimallocLibrary.Name)]
    public void MimallocOneByOne() => Workloads.FillAndFree(_mimalloc, _blocks, Blocks, Bytes);

    [Benchmark(Description = "PrivateHeap, dropped")]
    public void PrivateHeapDropped() => Workloads.FillAndDrop<Private<Serialized>>(_blocks, Blocks, Bytes);

    [Benchmark(Description = "PrivateHeap, unserialized, dropped")]
    public void UnserializedDropped() => Workloads.FillAndDrop<Private<Unserialized>>(_blocks, Blocks, Bytes);

    [Benchmark(Description = "HeapApi, dropped")]
    public void HeapApiDropped() => Workloads.FillAndDrop<Handles>(_blocks, Blocks, Bytes);

    [Benchmark(Description = "mimalloc heap, dropped"), BenchmarkCategory(MimallocLibrary.Name)]
    public void MimallocDropped() => Workloads.FillAndDrop<MimallocHeap>(_blocks, Blocks, Bytes);
}

[Description("pairs of 64 B in one heap, and in two heaps in turn; ns for each. The ratio is that of two heaps to one")]
public class TwoHeaps
{
    private const int Bytes = 64;

    [Params(1, 2)]
    public int Heaps { get; set; }

    [Benchmark(Description = "PrivateHeap", OperationsPerInvoke = Workloads.BatchCount)]
    public void WithPrivateHeap() => Alternate<Private<Serialized>>();

    [Benchmark(Description = "PrivateHeap, unserialized", OperationsPerInvoke = Workloads.BatchCount)]
    public void WithUnserialized() => Alternate<Private<Unserialized>>();

    [Benchmark(Description = "HeapApi", OperationsPerInvoke = Workloads.BatchCount)]
    public void WithHeapApi() => Alternate<Handles>();

    [Benchmark(Description = "mimalloc heap", OperationsPerInvoke = Workloads.BatchCount), BenchmarkCategory(MimallocLibrary.Name)]
    public void WithMimalloc() => Alternate<MimallocHeap>();

    private void Alternate<THeap>()
        where THeap : struct, IHeap<THeap> =>
        Workloads.AlternatingPairs<THeap, Pointer>(Both<THeap>.First, Heaps == 1 ? Both<THeap>.First : Both<THeap>.Second, Workloads.BatchCount, Bytes);

    private static class Both<THeap>
        where THeap : struct, IHeap<THeap>
    {
        public static readonly THeap First = THeap.Create(), Second = THeap.Create();
    }
}
