using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>
/// Finds out whether this process is to be counted, and makes its <see cref="Census"/> file: DIRECTORY/PID-NANOSECONDS, where the directory
/// comes from PRIVATEHEAPS_CENSUS. Called when the library is loaded and in the child of a fork.
/// </summary>
internal static unsafe class CensusFile
{
    private const int PathCapacity = 512;

    private static ReadOnlySpan<byte> VariableName => "PRIVATEHEAPS_CENSUS\0"u8;

    private static ReadOnlySpan<byte> CommandPath => "/proc/self/comm\0"u8;

    /// <summary>Begins the count if it is asked for; a process whose file cannot be made is not counted.</summary>
    public static void OpenIfAsked(ThreadState* thread)
    {
        byte* directory = Libc.getenv(Address(VariableName));
        if (directory == null || *directory == 0 || !Engine.Start())
        {
            return;
        }

        Census* census = MakeFile(directory);
        HeapState* heap = HeapRegistry.Find(Heap.ProcessHandle);
        if (census == null || !Gate.BeginExclusive(thread, heap, Heap.ProcessHandle))
        {
            return;
        }

        nint length = Libc.read_file(Address(CommandPath), census->Command, 63);
        if (length > 0 && census->Command[length - 1] == (byte)'\n')
        {
            census->Command[length - 1] = 0;
        }

        Counting.Open(census, heap);

        // The caches were closed for the exclusive operation and, now that the heap is counted, stay closed.
        heap->IsCounted = true;
        Gate.EndExclusive(heap);
    }

    /// <summary>The process ends (1), is about to become another program (2), or that failed (0).</summary>
    public static void End(ThreadState* thread, uint how)
    {
        // A child that vfork made runs on its parent's memory; what it does is not the parent's end.
        HeapState* heap = Counting.IsOpenFor(Libc.getpid()) ? HeapRegistry.Find(Heap.ProcessHandle) : null;

        // A signal handler that ends the process may have interrupted this thread inside the heap: then nothing can be walked.
        if (heap == null || (thread->IsAttached && !ThreadCache.IsOutside(thread->Process->Busy) && thread->Process != Threads.ClosedCache))
        {
            return;
        }

        if (how == 0)
        {
            Counting.Reopen();
        }
        else if (Gate.BeginExclusive(thread, heap, Heap.ProcessHandle))
        {
            Counting.Close(heap, how);
            Gate.EndExclusive(heap);
        }
    }

    // A path on the stack would need the runtime's check for overruns.
    private static Census* MakeFile(byte* directory)
    {
        byte* path = (byte*)Metadata.Take(PathCapacity);
        if (path == null)
        {
            return null;
        }

        void* place = WritePath(path, directory, (ulong)Libc.getpid(), (ulong)Libc.clock_realtime()) ? GuardPages.Reserve((nuint)sizeof(Census)) : null;
        Census* census = place == null ? null : (Census*)Libc.map_file(path, place, (nuint)sizeof(Census));
        if (place != null && census == null)
        {
            GuardPages.Release(place, (nuint)sizeof(Census));
        }

        Metadata.Give(path, PathCapacity);
        return census;
    }

    private static bool WritePath(byte* path, byte* directory, ulong process, ulong sequence)
    {
        TextBuffer text = new(path, PathCapacity);
        text.Add(directory);
        text.Add("/"u8);
        text.AddDecimal(process);
        text.Add("-"u8);
        text.AddDecimal(sequence);
        return !text.IsFull;
    }

    // Safety: the text is constant data of the image, which never moves.
    private static byte* Address(ReadOnlySpan<byte> text) =>
        (byte*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref System.Runtime.InteropServices.MemoryMarshal.GetReference(text));
}
