using System.Runtime;
using PrivateHeaps.Heaps;
using ThreadState = PrivateHeaps.Heaps.ThreadState;

namespace PrivateHeaps.Native;

/// <summary>The functions that the shim calls when the process starts, forks or ends and when a thread ends.</summary>
internal static unsafe partial class Exports
{
    /// <summary>From the constructor of the malloc library, in a process that is to be counted.</summary>
    [RuntimeExport("ph_process_start")]
    public static void ProcessStart(ThreadState* thread) => CensusFile.OpenIfAsked(thread);

    /// <summary>
    /// From exit, _exit and exec of a counted process, on whatever thread calls them; how: 1 the process ends, 2 another program takes it
    /// over, 0 an exec failed and it goes on.
    /// </summary>
    [RuntimeExport("ph_process_end")]
    public static void ProcessEnd(ThreadState* thread, uint how) => CensusFile.End(thread, how);

    /// <summary>From the thread's last destructor; the shim has given the thread the empty state already.</summary>
    [RuntimeExport("ph_thread_detach")]
    public static void ThreadDetach(ThreadState* thread) => Threads.Detach(thread);

    /// <summary>Before fork, on the forking thread: every heap stands still until one of the next two is called.</summary>
    [RuntimeExport("ph_fork_prepare")]
    public static void ForkPrepare(ThreadState* thread) => Fork.Prepare(thread);

    [RuntimeExport("ph_fork_parent")]
    public static void ForkParent(ThreadState* thread) => Fork.Parent(thread);

    /// <summary>In the child, whose only thread is this one.</summary>
    [RuntimeExport("ph_fork_child")]
    public static void ForkChild(ThreadState* thread) => Fork.Child(thread);
}
