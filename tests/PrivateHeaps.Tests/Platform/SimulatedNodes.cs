using PrivateHeaps.Platform;

namespace PrivateHeaps.Tests.Platform;

/// <summary>A machine of several nodes, as long as this lives: each thread says on which one it runs.</summary>
internal sealed unsafe class SimulatedNodes : IDisposable
{
    [ThreadStatic]
    private static uint t_here;

    private readonly delegate*<uint> _before = Os.NodeSource;

    public SimulatedNodes() => Os.NodeSource = &OfThisThread;

    /// <summary>The node of the calling thread; 0 to begin with.</summary>
    public static uint Here
    {
        get => t_here;
        set => t_here = value;
    }

    public void Dispose()
    {
        // A finalizer that gives a heap back may be asking.
        GC.WaitForPendingFinalizers();
        Os.NodeSource = _before;
    }

    private static uint OfThisThread() => t_here;
}
