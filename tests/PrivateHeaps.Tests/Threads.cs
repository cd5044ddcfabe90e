using System.Runtime.ExceptionServices;

namespace PrivateHeaps.Tests;

/// <summary>Threads of their own, whose failures reach the test.</summary>
internal static class Threads
{
    // When one action has failed, another may be waiting for it.
    private static readonly TimeSpan s_patienceAfterFailure = TimeSpan.FromSeconds(5);

    /// <summary>Runs the actions at the same time, one thread each, and waits for all; once one has failed, for each other a short while only.</summary>
    public static void Run(params Action[] actions)
    {
        ExceptionDispatchInfo? failure = null;
        Thread[] threads = [.. actions.Select(action => new Thread(() =>
        {
            try
            {
                action();
            }
            catch (Exception exception)
            {
                // At once: should it have left a heap locked, the test may never come to its end.
                Console.Error.WriteLine(exception);
                Interlocked.CompareExchange(ref failure, ExceptionDispatchInfo.Capture(exception), null);
            }
        })
        {
            IsBackground = true,
        })];
        Array.ForEach(threads, thread => thread.Start());
        foreach (Thread thread in threads)
        {
            while (!thread.Join(s_patienceAfterFailure) && Volatile.Read(ref failure) == null)
            {
            }
        }

        failure?.Throw();
    }
}
