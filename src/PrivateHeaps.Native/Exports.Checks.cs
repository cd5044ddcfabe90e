using System.Runtime;
using PrivateHeaps.Heaps;
using ThreadState = PrivateHeaps.Heaps.ThreadState;

namespace PrivateHeaps.Native;

/// <summary>The functions that shim_check.c calls in a process with PRIVATEHEAPS_CHECK.</summary>
internal static unsafe partial class Exports
{
    /// <summary>From the constructor of the library; 1 when faults on guard pages may come.</summary>
    [RuntimeExport("ph_check_start")]
    public static int CheckStart(ThreadState* thread)
    {
        Checking.Start(thread);
        return Checking.UsesGuardPages ? 1 : 0;
    }

    /// <summary>When the process ends in order.</summary>
    [RuntimeExport("ph_check_end")]
    public static void CheckEnd(ThreadState* thread, int withLeaks) => Checking.End(thread, withLeaks != 0);

    /// <summary>From the signal handler: 1 when the address lies on a guard page or in a freed block, which is reported then.</summary>
    [RuntimeExport("ph_check_fault")]
    public static int CheckFault(void* address, int isWrite) => Faults.Report((nuint)address, isWrite != 0) ? 1 : 0;
}
