using System.Numerics;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>
/// Keeps the <see cref="Census"/> of this process while it runs under "pheap run". A counted heap keeps its caches closed, so every call
/// comes by the slow path and is counted here; the fast path knows nothing of it. All updates are atomic.
/// </summary>
internal static unsafe class Counting
{
    private static Census* s_census;

    /// <summary>Whether this process has a census.</summary>
    public static bool IsOpen => s_census != null;

    /// <summary>Whether the census is that of the given process.</summary>
    public static bool IsOpenFor(int process) => s_census != null && s_census->ProcessId == process;

    /// <summary>Begins to count in the given zeroed file memory. What lives already counts as allocated.</summary>
    public static void Open(Census* census, HeapState* heap)
    {
        census->ProcessId = Libc.getpid();
        census->ParentProcessId = Libc.getppid();
        census->StartNanoseconds = Libc.clock_realtime();
        WalkEntry entry = default;
        while (Walker.Next(heap, &entry) == HeapFailure.None)
        {
            if (entry.Kind is WalkKind.BusyBlock or WalkKind.LargeBlock)
            {
                census->Allocations++;
                census->AllocatedInBucket[BucketOf(entry.Bytes)]++;
                census->BytesInUse += (long)entry.Bytes;
            }
        }

        census->PeakBytesInUse = census->BytesInUse;
        s_census = census;
        NoteMemory(heap);
        NoteThreads(Threads.Count);

        // Partner: the reader takes a file without the magic for one that never began.
        Shared.Write(&census->Magic, Census.MagicValue);
    }

    public static void Allocated(HeapState* heap, nuint bytes)
    {
        Census* census = s_census;
        Shared.Increment(&census->Allocations);
        Shared.Increment(&census->AllocatedInBucket[BucketOf(bytes)]);
        AddBytes(census, (long)bytes);
        NoteMemory(heap);
    }

    public static void Freed(HeapState* heap, nuint bytes)
    {
        Census* census = s_census;
        Shared.Increment(&census->Frees);
        Shared.Increment(&census->FreedInBucket[BucketOf(bytes)]);
        AddBytes(census, -(long)bytes);
        NoteMemory(heap);
    }

    /// <summary>A block changed its size where it lies.</summary>
    public static void Resized(HeapState* heap, nuint oldBytes, nuint newBytes)
    {
        Census* census = s_census;
        Shared.Increment(&census->Reallocations);
        Shared.Increment(&census->FreedInBucket[BucketOf(oldBytes)]);
        Shared.Increment(&census->AllocatedInBucket[BucketOf(newBytes)]);
        AddBytes(census, (long)newBytes - (long)oldBytes);
        NoteMemory(heap);
    }

    /// <summary>A reallocation was carried out as an allocation and a free, which counted themselves.</summary>
    public static void Moved()
    {
        Census* census = s_census;
        Shared.Decrement(&census->Allocations);
        Shared.Decrement(&census->Frees);
        Shared.Increment(&census->Reallocations);
    }

    public static void Failed() => Shared.Increment(&s_census->FailedAllocations);

    public static void NoteThreads(uint count)
    {
        if (s_census != null && count > s_census->ThreadPeak)
        {
            s_census->ThreadPeak = count;
        }
    }

    /// <summary>The process ends in order: completes what only a walk can tell. How: 1 exit, 2 another program takes its place.</summary>
    public static void Close(HeapState* heap, uint how)
    {
        HeapTotals totals;
        Walker.Total(heap, &totals);
        s_census->LargestLiveBytes = totals.LargestBlockBytes;
        NoteMemory(heap);
        Shared.Write(&s_census->EndedInOrder, how);
    }

    /// <summary>An exec that failed: the process goes on.</summary>
    public static void Reopen() => Shared.Write(&s_census->EndedInOrder, 0);

    /// <summary>In the child of a fork: the old file is the parent's.</summary>
    public static void Forget() => s_census = null;

    private static void AddBytes(Census* census, long bytes)
    {
        long inUse = Shared.Add(&census->BytesInUse, bytes);
        for (long peak = Shared.Read(&census->PeakBytesInUse); inUse > peak;)
        {
            long seen = Shared.CompareExchange(&census->PeakBytesInUse, inUse, peak);
            if (seen == peak)
            {
                break;
            }

            peak = seen;
        }
    }

    // Approximate while other threads change the regions; exact whenever the heap is quiet.
    private static void NoteMemory(HeapState* heap)
    {
        ulong committed = 0;
        ulong reserved = 0;
        for (Region* region = heap->Regions.First; region != null; region = region->Next)
        {
            committed += region->UsableCommittedBytes;
            reserved += region->Bytes;
        }

        ulong solo = (ulong)Shared.Read(&heap->Regions.SoloPages) << Units.PageShift;
        s_census->CommittedBytes = committed + solo;
        s_census->ReservedBytes = reserved + solo;
        if (s_census->CommittedBytes > s_census->PeakCommittedBytes)
        {
            s_census->PeakCommittedBytes = s_census->CommittedBytes;
        }
    }

    private static int BucketOf(nuint bytes) => bytes <= 1 ? 0 : BitOperations.Log2((ulong)bytes - 1) + 1;
}
