namespace PrivateHeaps.Explorer.Scheduling;

/// <summary>One thread of a model. It is a thread of the system's that runs only while it has the baton, which the scheduler hands from one to the next.</summary>
internal sealed class VirtualThread
{
    private const int Spins = 20;

    private readonly SemaphoreSlim _sleep = new(0);
    private int _hasBaton;

    public VirtualThread(int number, Action<int> body)
    {
        Number = number;
        new Thread(Run, 256 * 1024) { IsBackground = true, Name = $"virtual {number}" }.Start(body);
    }

    public int Number { get; }

    /// <summary>Stores that only this thread sees so far.</summary>
    public StoreBuffer Stores { get; } = new();

    /// <summary>The word that it sleeps on, or 0.</summary>
    public nint SleepsOn { get; set; }

    /// <summary>It sleeps for a limited time.</summary>
    public bool WakesByItself { get; set; }

    /// <summary>Gives it the baton; the caller then waits for his own.</summary>
    public void Resume()
    {
        if (Interlocked.Exchange(ref _hasBaton, 1) < 0)
        {
            _sleep.Release();
        }
    }

    public void AwaitBaton()
    {
        for (int spin = 0; spin < Spins && Volatile.Read(ref _hasBaton) == 0; spin++)
        {
            Thread.SpinWait(10);
        }

        // -1 says that it sleeps.
        if (Interlocked.CompareExchange(ref _hasBaton, -1, 0) == 0)
        {
            _sleep.Wait();
        }

        Volatile.Write(ref _hasBaton, 0);
    }

    private void Run(object? body)
    {
        for (; ; )
        {
            AwaitBaton();
            ((Action<int>)body!)(Number);
        }
    }
}
