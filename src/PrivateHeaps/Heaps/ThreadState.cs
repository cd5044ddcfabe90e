using System.Runtime.InteropServices;

namespace PrivateHeaps.Heaps;

/// <summary>
/// What the engine knows about one thread. Every operation gets it as its first argument: from a thread-static pointer in .NET, from the C
/// shim in the native library. The head is known to the shim (shim_thread.h), whose empty state serves threads that have none of their own.
/// The memory stays that of a thread's state for the life of the process: see <see cref="StackLow"/>.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = 192)]
internal unsafe struct ThreadState
{
    /// <summary>By heap slot: the thread's cache for the heap, or the closed cache. Never null. Written by this thread only.</summary>
    public ThreadCache** Table;

    /// <summary>Entry 0 of the table: the process heap's, for malloc.</summary>
    public ThreadCache* Process;

    /// <summary>
    /// What of a handle is left with this is how far into the table its slot lies, or another one, whose cache does not answer to the handle. So nobody
    /// need look first whether the table is long enough.
    /// </summary>
    public nuint TableMask;

    /// <summary>
    /// Why the last failing operation failed. Who leaves it or looks for it has the thread attached first: the state that the C shim gives with a thread's first call is
    /// everybody's.
    /// </summary>
    public HeapFailure Failure;

    /// <summary>The NTSTATUS that the face must raise now; the face clears it. 0 for none. In the thread's own state, as Failure.</summary>
    public uint PendingStatus;

    // From here on the shim knows nothing; in its empty state all of it is zero.

    public bool IsAttached;

    /// <summary>The visit to a heap that began last came from a signal handler that had interrupted this thread inside that heap.</summary>
    public bool IsInterrupted;

    /// <summary>Entries of the table, a power of two; 0 as long as it is everybody's, in which nothing is written.</summary>
    public nuint TableCount;

    /// <summary>
    /// Where the last block went that this thread resized into another slab: a block that grows from there is likely to grow on. Something else may lie there by now. That of
    /// <see cref="Threads.Nobody"/> is written by any thread, and what it says may be wrong.
    /// </summary>
    public nint LastMoved;
    public ThreadState* Next;
    public ThreadState* Previous;

    /// <summary>
    /// In .NET on Linux: the lowest address of the part of the thread's stack by which its caches know it; 0 for a state that is no living thread's.
    /// Threads that follow stale pointers to caches read it at any time; CachePlaces says why that is enough. The C library
    /// zeroes it, and in older versions fifteen words behind it, so it comes last and has that room. No ThreadCache.Busy lies fifty-six bytes into a
    /// line of memory as this does: see ThreadCache.Create.
    /// </summary>
    public nuint StackLow;
}
