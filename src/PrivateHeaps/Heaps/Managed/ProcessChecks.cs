namespace PrivateHeaps.Heaps;

/// <summary>The checks of a whole .NET process. In the native library the C shim has this part.</summary>
internal static unsafe class ProcessChecks
{
    private static readonly Lock s_beginning = new();
    private static bool s_begun;

    /// <summary>With the first thread that comes: takes the environment's wishes into force, and waits for the end of the process. Other threads wait for that, since the wishes hold for their heaps, too.</summary>
    public static void Begin(ThreadState* thread)
    {
        lock (s_beginning)
        {
            if (!s_begun)
            {
                s_begun = true;
                Checking.Start(thread);
                if (Checking.UsesGuardPages)
                {
                    GuardFaults.Expect();
                }

                AppDomain.CurrentDomain.ProcessExit += (_, _) => Checking.End(CurrentThread.State, true);
            }
        }
    }
}
