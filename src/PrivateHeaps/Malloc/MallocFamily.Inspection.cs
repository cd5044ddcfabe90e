using PrivateHeaps.Heaps;
using ThreadState = PrivateHeaps.Heaps.ThreadState;

namespace PrivateHeaps.Malloc;

/// <summary>What the process heap says about itself, in the terms of malloc.h.</summary>
internal static unsafe partial class MallocFamily
{
    /// <summary>malloc_trim: 1 if memory went back to the system, else 0. The pad is not kept: the heap does not end at a top.</summary>
    public static int Trim(ThreadState* thread)
    {
        nuint returnedBytes = 0;
        return Heap.Trim(thread, Heap.ProcessHandle, &returnedBytes) && returnedBytes != 0 ? 1 : 0;
    }

    /// <summary>mallinfo2.</summary>
    public static void Describe(ThreadState* thread, MallocInfo* info)
    {
        HeapTotals totals = default;
        Heap.Summarize(thread, Heap.ProcessHandle, &totals);
        *info = default;
        info->CommittedBytes = totals.CommittedBytes;
        info->AllocatedBytes = totals.AllocatedBytes;
        info->FreeBytes = totals.CommittedBytes - totals.AllocatedBytes;
        info->TrimmableBytes = info->FreeBytes;
    }
}
