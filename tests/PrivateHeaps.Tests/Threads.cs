using System.Runtime.ExceptionServices;

namespace PrivateHeaps.Tests;

/// <summary>Threads of their own, whose failures reach the test.</summary>
internal static class Threads
{
    /// <summary>Runs the actions at the same time, one thread each, and waits for all.</summary>
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
                failure ??= ExceptionDispatchInfo.Capture(exception);
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        failure?.Throw();
    }
}
