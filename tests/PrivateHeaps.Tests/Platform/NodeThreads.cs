namespace PrivateHeaps.Tests.Platform;

/// <summary>Threads that take turns, the first on node 0, the second on node 1 and so on round: what they do is the same in every run.</summary>
internal sealed class NodeThreads : IDisposable
{
    private readonly SemaphoreSlim[] _turns;
    private readonly SemaphoreSlim _done = new(0);
    private readonly Thread[] _threads;
    private Action<int>? _work;
    private Exception? _failure;

    public NodeThreads(int count, int nodeCount)
    {
        _turns = [.. Enumerable.Range(0, count).Select(_ => new SemaphoreSlim(0))];
        _threads = [.. Enumerable.Range(0, count).Select(number => new Thread(() => Serve(number, (uint)(number % nodeCount))) { IsBackground = true })];
        Array.ForEach(_threads, thread => thread.Start());
    }

    public int Count => _threads.Length;

    /// <summary>Each thread does the work once, one after the other; it is given the thread's number.</summary>
    public void TakeTurns(Action<int> work)
    {
        for (int number = 0; number < _threads.Length; number++)
        {
            Run(number, work);
        }
    }

    /// <summary>One thread does it.</summary>
    public void Run(int number, Action<int> work)
    {
        _work = work;
        _turns[number].Release();
        _done.Wait();
        if (_failure != null)
        {
            throw new AggregateException(_failure);
        }
    }

    public void Dispose()
    {
        _work = null;
        foreach ((SemaphoreSlim turn, Thread thread) in _turns.Zip(_threads))
        {
            turn.Release();
            thread.Join();
            turn.Dispose();
        }

        _done.Dispose();
    }

    private void Serve(int number, uint node)
    {
        SimulatedNodes.Here = node;
        for (_turns[number].Wait(); _work != null; _turns[number].Wait())
        {
            try
            {
                _work(number);
            }
            catch (Exception exception)
            {
                _failure = exception;
            }

            _done.Release();
        }
    }
}
