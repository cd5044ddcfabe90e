using System.Diagnostics;
using static PrivateHeaps.Benchmarks.Subjects;

namespace PrivateHeaps.Benchmarks;

/// <summary>
/// The figures that matter while the engine is being made faster, in seconds: three subjects take turns in passes of a few milliseconds, in one
/// process. Prints the median of the passes and the median of the ratios to the pass of NativeMemory in the same turn.
/// </summary>
internal static class Quick
{
    private const int Turns = 150, WarmUps = 4;
    private const uint Bytes = 64;

    // Tiered compilation begins a stage when nothing new was called for a tenth of a second.
    private const int TierMilliseconds = 150;
    private static readonly TimeSpan s_pass = TimeSpan.FromMilliseconds(5);

    private static readonly int[] s_order = Workloads.RandomOrder();
    private static readonly uint[] s_sizes = Workloads.Sizes((int)Bytes);
    private static readonly Pointer[] s_blocks = new Pointer[Workloads.BatchCount];

    public static void Run()
    {
        Private<Serialized> heap = Private<Serialized>.Create();
        Private<Unserialized> unserialized = Private<Unserialized>.Create();
        Compare("tight", ("NativeMemory", () => Pairs(default(Native))), ("PrivateHeap", () => Pairs(heap)), ("PrivateHeap, unserialized", () => Pairs(unserialized)));
        Compare("batch", ("NativeMemory", () => Batch(default(Native))), ("PrivateHeap", () => Batch(heap)), ("PrivateHeap, unserialized", () => Batch(unserialized)));
    }

    private static void Pairs<TSubject>(TSubject subject)
        where TSubject : struct, ISubject<Pointer> => Workloads.Pairs<TSubject, Pointer>(subject, Workloads.BatchCount, Bytes);

    private static void Batch<TSubject>(TSubject subject)
        where TSubject : struct, ISubject<Pointer> => Workloads.Batch(subject, s_blocks, s_sizes, s_order);

    private static void Compare(string workload, params (string Name, Action Run)[] subjects)
    {
        for (int warmUp = 0; warmUp < WarmUps; warmUp++)
        {
            foreach ((_, Action run) in subjects)
            {
                Pass(run);
            }

            Thread.Sleep(TierMilliseconds);
        }

        double[][] figures = [.. subjects.Select(_ => new double[Turns])];
        for (int turn = 0; turn < Turns; turn++)
        {
            for (int index = 0; index < subjects.Length; index++)
            {
                // Another begins each time, so that none always comes after the same.
                int subject = (turn + index) % subjects.Length;
                figures[subject][turn] = Pass(subjects[subject].Run);
            }
        }

        for (int subject = 0; subject < subjects.Length; subject++)
        {
            double ratio = Median(figures[subject].Zip(figures[0], (mine, baseline) => mine / baseline));
            Console.WriteLine($"{workload,-8}{subjects[subject].Name,-28}{Median(figures[subject]),8:F2} ns {ratio,8:F3}");
        }
    }

    // The nanoseconds of one operation.
    private static double Pass(Action run)
    {
        long began = Stopwatch.GetTimestamp();
        int runs = 0;
        TimeSpan elapsed;
        do
        {
            run();
            runs++;
            elapsed = Stopwatch.GetElapsedTime(began);
        }
        while (elapsed < s_pass);
        return elapsed.TotalNanoseconds / (runs * (double)Workloads.BatchCount);
    }

    private static double Median(IEnumerable<double> figures) => figures.Order().ElementAt(figures.Count() / 2);
}
