using System.Runtime.ExceptionServices;

namespace PrivateHeaps.Tests.Model;

/// <summary>A thread that does one thing at a time for a test that waits for it, so that many threads take part in one fixed order.</summary>
internal sealed class Worker : IDisposable
{
    private readonly SemaphoreSlim _start = new(0), _done = new(0);
    private readonly Thread _thread;
    private Action? _work;
    private ExceptionDispatchInfo? _failure;

    public Worker()
    {
        _thread = new Thread(Serve);
        _thread.Start();
    }

    public void Do(Action work)
    {
        _work = work;
        _start.Release();
        _done.Wait();
        _failure?.Throw();
    }

    /// <summary>Ends the thread.</summary>
    public void Dispose()
    {
        _work = null;
        _start.Release();
        _thread.Join();
        _start.Dispose();
        _done.Dispose();
    }

    private void Serve()
    {
        for (_start.Wait(); _work is { } work; _start.Wait())
        {
            try
            {
                work();
            }
            catch (Exception failure)
            {
                _failure = ExceptionDispatchInfo.Capture(failure);
            }

            _done.Release();
        }
    }
}
