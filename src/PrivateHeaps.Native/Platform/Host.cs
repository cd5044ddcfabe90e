using System.Runtime;
using System.Runtime.CompilerServices;

namespace PrivateHeaps.Platform;

/// <summary>What the engine asks of the process around it, answered by the C shim. The managed library has a file of the same name and shape.</summary>
internal static unsafe class Host
{
    /// <summary>Sets the calling thread's last error, as GetLastError of the C face reports it.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_set_last_error")]
    public static extern void SetLastError(uint code);

    /// <summary>The number of the heap contract that the environment names; 0 for none, and with a message for a wrong one.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_configured_contract")]
    public static extern int ConfiguredContract();

    /// <summary>Ends the process with a sentence on standard error; the sentence ends with a zero.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_fail_fast")]
    public static extern void FailFast(byte* sentence);

    /// <summary>
    /// Makes the state the calling thread's own: the shim passes it to every later call of this thread and to ph_thread_detach when the thread ends.
    /// May allocate from the process heap, so the state must be ready for use.
    /// </summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_thread_set")]
    public static extern void SetThread(void* thread);

    /// <summary>The state that <see cref="SetThread"/> made the calling thread's own; null before that and after its end.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_thread_attached")]
    public static extern void* AttachedThread();

    /// <summary>From now on signals wait for the calling thread, until <see cref="ReleaseSignals"/> gets what this returns.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_hold_signals")]
    public static extern ulong HoldSignals();

    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_release_signals")]
    public static extern void ReleaseSignals(ulong held);

    /// <summary>From WantsHugePages: PRIVATEHEAPS_HUGE_PAGES is not set.</summary>
    public const int HugePagesAsItGrows = 2;

    /// <summary>PRIVATEHEAPS_HUGE_PAGES, 0 or 1, or <see cref="HugePagesAsItGrows"/>; with a message for any other value, which counts as 0.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_wants_huge_pages")]
    public static extern int WantsHugePages();

    /// <summary>The calling thread's state; before its first call, and after its end, everybody's.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_thread_calling")]
    public static extern void* CallingThread();

    /// <summary>The head of the calling thread's state has changed: its table, which is the longer one then, or its cache for the process heap.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_near_set")]
    public static extern void NoteHead(void* thread);

    /// <summary>The address of the words, in one line of memory, that lead to the calling thread's state and caches.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_thread_words")]
    public static extern void* ThreadWords();

    /// <summary>
    /// Whether the calling thread has already been detached. It may still call (the C library frees its own blocks last), always with the
    /// empty state; it must be served without a state of its own, which nobody would give back.
    /// </summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_thread_ended")]
    public static extern int ThreadEnded();

    /// <summary>Ends the process as abort(3) does.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_abort")]
    public static extern void Abort();

    /// <summary>The value of an environment variable, or null; also null before the C library knows its environment.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_getenv")]
    public static extern byte* Variable(byte* name);

    /// <summary>Writes text to standard error as it is.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_write_error")]
    public static extern void WriteError(byte* text, nuint bytes);

    /// <summary>Appends text to a file in one write, making the file if need be. What fails is left out.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_append_to_file")]
    public static extern void AppendToFile(byte* path, byte* text, nuint bytes);
}
