// Collections without a pause, while threads that .NET does not know and threads of its own are in malloc and free: the runtime stops the latter by signals.
using System.Diagnostics;
using System.Runtime.InteropServices;

const int nativeThreads = 4, managedThreads = 4;
TimeSpan duration = TimeSpan.FromSeconds(double.Parse(args[0]));
Stopwatch clock = Stopwatch.StartNew();
Churn.Start(nativeThreads);
long kept = 0;
Thread[] threads = [.. Enumerable.Range(1, managedThreads).Select(number => new Thread(() =>
{
    uint seed = (uint)number * 1000;
    List<byte[]> garbage = [];
    while (clock.Elapsed < duration)
    {
        for (int turn = 0; turn < 200; turn++)
        {
            Churn.Once(ref seed);
        }

        garbage.Add(new byte[1 + (seed % 5000)]);
        if (garbage.Count > 100)
        {
            Interlocked.Add(ref kept, garbage.Sum(array => array[array.Length / 2]));
            garbage.Clear();
        }
    }
}))];
Array.ForEach(threads, thread => thread.Start());
int collections = 0;
while (clock.Elapsed < duration)
{
    GC.Collect(collections++ % 3, GCCollectionMode.Forced, blocking: collections % 2 == 0);
}

Array.ForEach(threads, thread => thread.Join());
long operations = Churn.Stop(nativeThreads);
Console.WriteLine($"server {System.Runtime.GCSettings.IsServerGC}: {(operations > 1000 && collections > 2 && kept == 0 ? "right" : $"{operations} operations, {collections} collections")}");

internal static partial class Churn
{
    [DllImport("churn", EntryPoint = "churn_start")]
    public static extern void Start(int count);

    [DllImport("churn", EntryPoint = "churn_once")]
    public static extern void Once(ref uint seed);

    [DllImport("churn", EntryPoint = "churn_stop")]
    public static extern long Stop(int count);
}
