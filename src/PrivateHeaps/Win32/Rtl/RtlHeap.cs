using PrivateHeaps.Foundation;
using PrivateHeaps.Heaps;
using PrivateHeaps.Platform;
using ThreadState = PrivateHeaps.Heaps.ThreadState;

namespace PrivateHeaps.Win32;

/// <summary>
/// The layer of ntdll that the Win32 heap functions stand on in Windows, and some drivers and runtimes call directly: more flags at creation, statuses
/// in place of last errors, values attached to blocks. Where a function does the same in both layers the code stands in <see cref="Win32Heap"/>,
/// but for walks and information, whose statuses Win32 makes last errors of.
/// </summary>
internal static unsafe partial class RtlHeap
{
    private const uint Growable = 0x2;
    private const uint CreationFlags = HeapFlags.NoSerialize | HeapFlags.GenerateExceptions | HeapFlags.CreateEnableExecute | HeapFlags.Forced
        | HeapFlags.TailChecking | HeapFlags.FreeChecking;

    // What a heap starts with if the caller leaves it open.
    private const uint DefaultReservePages = 64, DefaultCommitPages = 1, ReserveUnitPages = 16;

    /// <summary>
    /// Creates a heap: growable only with the flag; otherwise the reserve is its maximum. 0 when there is no room, when the caller brings a base (heaps lie where
    /// the system puts them), brings a lock for a heap without serialization, or parameters that cannot be read or have the wrong length. A lock
    /// that is allowed is not used: the heap has its own.
    /// </summary>
    public static nint Create(ThreadState* thread, uint flags, void* heapBase, nuint reserveBytes, nuint commitBytes, void* heapLock, RTL_HEAP_PARAMETERS* parameters)
    {
        bool unlockable = heapLock != null && (flags & HeapFlags.NoSerialize) != 0;
        if (heapBase != null || unlockable || !TakeDefaults(parameters, ref reserveBytes, ref commitBytes))
        {
            return 0;
        }

        HeapLimits limits = default;
        limits.Options = flags & CreationFlags;
        limits.InitialBytes = commitBytes;
        limits.ReservedBytes = reserveBytes;
        limits.MaximumBytes = (flags & Growable) != 0 ? 0 : reserveBytes;
        limits.ReturnsMemory = Contract.IsObserved;
        return Heap.Create(thread, &limits);
    }

    /// <summary>Destroys a heap; 0 when that is done or there was none to destroy, else the handle.</summary>
    public static nint Destroy(ThreadState* thread, nint heap) => heap == 0 || Heap.Destroy(thread, heap) ? 0 : heap;

    /// <summary>Overwrites all free memory of a heap with zeros.</summary>
    public static uint Zero(ThreadState* thread, nint heap, uint flags) => Heap.ClearFree(thread, heap) ? NtStatus.Success : NtStatus.InvalidHandle;

    /// <summary>Allocates blocks of one size until there are as many as asked for or one is refused; returns how many.</summary>
    public static uint MultipleAllocate(ThreadState* thread, nint heap, uint flags, nuint bytes, uint count, void** blocks)
    {
        uint allocated = 0;
        while (allocated < count && (blocks[allocated] = Allocate(thread, heap, flags, bytes)) != null)
        {
            allocated++;
        }

        return allocated;
    }

    /// <summary>Frees blocks until all are freed or one is refused; returns how many.</summary>
    public static uint MultipleFree(ThreadState* thread, nint heap, uint flags, uint count, void** blocks)
    {
        uint freed = 0;
        void* block;
        while (freed < count && Os.TryRead(blocks + freed, &block, (nuint)sizeof(void*)) && Win32Heap.HeapFree(thread, heap, flags, block) != 0)
        {
            freed++;
        }

        return freed;
    }

    // The documented table: what is left open follows from the other size, and the commit is never above the reserve.
    private static bool TakeDefaults(RTL_HEAP_PARAMETERS* parameters, ref nuint reserveBytes, ref nuint commitBytes)
    {
        if (parameters != null)
        {
            RTL_HEAP_PARAMETERS wanted;
            if (!Os.TryRead(parameters, &wanted, (nuint)sizeof(RTL_HEAP_PARAMETERS)) || wanted.Length != sizeof(RTL_HEAP_PARAMETERS))
            {
                return false;
            }

            reserveBytes = reserveBytes != 0 ? reserveBytes : wanted.InitialReserve;
            commitBytes = commitBytes != 0 ? commitBytes : wanted.InitialCommit;
        }

        if (reserveBytes > HeapLimits.LargestBytes || commitBytes > HeapLimits.LargestBytes)
        {
            return false;
        }

        if (reserveBytes == 0)
        {
            reserveBytes = commitBytes == 0 ? DefaultReservePages * Units.PageBytes : Bits.RoundUp(commitBytes, ReserveUnitPages * Units.PageBytes);
        }

        commitBytes = commitBytes == 0 ? DefaultCommitPages * Units.PageBytes : Bits.Min(commitBytes, reserveBytes);
        return true;
    }
}
