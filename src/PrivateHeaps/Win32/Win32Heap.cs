using PrivateHeaps.Foundation;
using PrivateHeaps.Heaps;
using PrivateHeaps.Platform;
using ThreadState = PrivateHeaps.Heaps.ThreadState;

namespace PrivateHeaps.Win32;

/// <summary>
/// The heap functions of Windows over the engine: their return values and last errors, as Microsoft documents them. Called by
/// <c>HeapApi</c> in a .NET process and by the exports of the C library; freestanding, so that both can.
/// A call that must raise sets <see cref="ThreadState.PendingStatus"/> and returns its failure value; the face takes the status and raises.
/// Each function says what Windows leaves open; every decision about refusals is made in this class and nowhere else.
/// </summary>
internal static unsafe partial class Win32Heap
{
    /// <summary>BOOL values.</summary>
    private const int False = 0, True = 1;

    private const uint CreationFlags = HeapFlags.NoSerialize | HeapFlags.GenerateExceptions | HeapFlags.CreateEnableExecute
        | HeapFlags.TailChecking | HeapFlags.FreeChecking;

    /// <summary>Chooses the contract; refused with 87 for an unknown one and with 1247 when heaps were created under the other one.</summary>
    public static int SetContract(int contract)
    {
        if (contract is not ((int)HeapContract.Documented or (int)HeapContract.Observed))
        {
            return Refuse(Win32Error.InvalidParameter);
        }

        return Contract.TrySet((HeapContract)contract) ? True : Refuse(Win32Error.AlreadyInitialized);
    }

    // What Windows is seen to do in 64-bit processes: the unit in which it rounds, what it reserves ahead, and where its growth stops doubling.
    private const uint ObservedUnitBytes = 0x2000, ObservedReserveBytes = 0x10000, ObservedLargestRegionBytes = 0xFD0000;

    /// <summary>Creates a heap; 0 with last error 8 when there is no room. An initial size above the maximum raises the maximum to it.</summary>
    public static nint HeapCreate(ThreadState* thread, uint flOptions, nuint dwInitialSize, nuint dwMaximumSize)
    {
        HeapLimits limits = default;
        limits.Options = flOptions & CreationFlags;
        limits.InitialBytes = dwInitialSize;
        limits.MaximumBytes = dwMaximumSize;
        if (Contract.IsObserved)
        {
            Observe(&limits);
        }

        nint heap = Heap.Create(thread, &limits);
        if (heap == 0)
        {
            Host.SetLastError(Win32Error.NotEnoughMemory);
        }

        return heap;
    }

    // Sizes that are too large to be rounded are refused by the engine as they are.
    private static void Observe(HeapLimits* limits)
    {
        nuint initial = limits->InitialBytes;
        if (initial <= HeapLimits.LargestBytes && limits->MaximumBytes <= HeapLimits.LargestBytes)
        {
            limits->InitialBytes = Bits.RoundUp(Bits.Max(initial, 1), ObservedUnitBytes);
            limits->MaximumBytes = Bits.RoundUp(limits->MaximumBytes, ObservedUnitBytes);
            limits->ReservedBytes = ObservedReserveBytes + (initial == 0 ? 0 : limits->InitialBytes);
            limits->LargestRegionBytes = ObservedLargestRegionBytes;
        }

        limits->ReturnsMemory = true;
    }

    /// <summary>Destroys a heap with all its blocks; no heap at all (0) counts as destroyed, the process heap is refused.</summary>
    public static int HeapDestroy(ThreadState* thread, nint hHeap) =>
        hHeap == 0 || Heap.Destroy(thread, hHeap) ? True : Refuse(Win32Error.InvalidHandle);

    /// <summary>The process heap, which exists from the first call to the end of the process.</summary>
    public static nint GetProcessHeap(ThreadState* thread) => Heap.ProcessHandle;

    /// <summary>Fills in at most as many handles as asked for, the process heap first, then by age; returns how many heaps there are.</summary>
    public static uint GetProcessHeaps(ThreadState* thread, uint NumberOfHeaps, nint* ProcessHeaps) =>
        Heap.List(thread, ProcessHeaps, ProcessHeaps == null ? 0 : NumberOfHeaps);

    /// <summary>Takes the heap for this thread. Without effect on heaps that are not serialized.</summary>
    public static int HeapLock(ThreadState* thread, nint hHeap) => Heap.Lock(thread, hHeap) ? True : RefuseHandle(hHeap);

    /// <summary>Undoes one HeapLock; without one it does nothing and succeeds.</summary>
    public static int HeapUnlock(ThreadState* thread, nint hHeap) => Heap.Unlock(thread, hHeap) ? True : RefuseHandle(hHeap);

    /// <summary>Sets the last error where only the observed contract does.</summary>
    private static void SetObservedError(uint error)
    {
        if (Contract.IsObserved)
        {
            Host.SetLastError(error);
        }
    }

    private static int Refuse(uint error)
    {
        Host.SetLastError(error);
        return False;
    }

    /// <summary>Windows refuses a null handle to HeapLock and HeapUnlock without touching the last error.</summary>
    private static int RefuseHandle(nint heap) => heap == 0 ? False : Refuse(Win32Error.InvalidHandle);
}
