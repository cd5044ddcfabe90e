using PrivateHeaps.Foundation;

namespace PrivateHeaps.Heaps;

/// <summary>The checks of a whole .NET process. In the native library the C shim has this part, and faults on guard pages are reported there alone.</summary>
internal static unsafe class ProcessChecks
{
    private static int s_begun;

    /// <summary>With the first thread that comes: takes the environment's wishes into force.</summary>
    public static void Begin(ThreadState* thread)
    {
        if (Shared.Exchange(ref s_begun, 1) == 0)
        {
            Checking.Start(thread);
            if (Checks.CheckSettings.AreSet)
            {
                AppDomain.CurrentDomain.ProcessExit += (_, _) => Checking.End(CurrentThread.State, true);
            }
        }
    }
}
