using PrivateHeaps.Checks;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Heaps;

/// <summary>
/// The checks of a whole process: those from the environment begin when the library is loaded, since blocks may have been allocated before the
/// environment could be read; all end with a last look at every heap when the process ends in order.
/// </summary>
internal static unsafe class Checking
{
    private static int s_process;

    /// <summary>Whether faults on guard pages may come.</summary>
    public static bool UsesGuardPages => (CheckSettings.Checks & HeapChecks.PageHeap) != 0 || CheckSettings.SampleRate != 0;

    /// <summary>Takes the environment's wishes into force for the process heap; other heaps get them when they are created.</summary>
    public static void Start(ThreadState* thread)
    {
        if (!Engine.Start())
        {
            return;
        }

        CheckSettings.Read();
        HeapState* heap = HeapRegistry.Find(Heap.ProcessHandle);
        if (!CheckSettings.AreSet || heap->Checks != null || !Gate.BeginExclusive(Threads.Attach(thread), heap, Heap.ProcessHandle))
        {
            return;
        }

        // The caches were closed for the exclusive operation and, if every call is checked now, stay closed.
        heap->Checks = CheckState.Create(Heap.ProcessHandle, CheckSettings.Checks, CheckSettings.QuarantineBytes, CheckSettings.SampleRate, out _);
        Gate.EndExclusive(heap);
        ExpectEnd();
        Findings.Announce();
    }

    /// <summary>There is a heap with checks now, which this process is to look at when it ends.</summary>
    public static void ExpectEnd() => s_process = s_process == 0 ? Libc.getpid() : s_process;

    /// <summary>The process ends in order: verifies every heap with checks, and reports what is still allocated if they ask for that and the caller says so.</summary>
    public static void End(ThreadState* thread, bool withLeaks)
    {
        // A child that vfork made runs on its parent's memory. A signal handler may have interrupted this thread inside the heap.
        bool isExpected = s_process != 0 && s_process == Libc.getpid();
        if (!isExpected || (thread->IsAttached && !ThreadCache.IsOutside(thread->Process->Busy) && thread->Process != Threads.ClosedCache))
        {
            return;
        }

        ThreadState* self = Threads.Attach(thread);
        for (uint slot = 0; slot < HeapRegistry.SlotCount; slot++)
        {
            Heap.VerifyAtEnd(self, Shared.Read(&HeapRegistry.AtSlot(slot)->Handle), withLeaks);
        }

        s_process = 0;
        Findings.End();
        Findings.Stop();
    }

    /// <summary>In the child of a fork.</summary>
    public static void ResetAfterFork()
    {
        s_process = s_process == 0 ? 0 : Libc.getpid();
        Findings.ResetAfterFork();
    }
}
