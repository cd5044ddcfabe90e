using PrivateHeaps.Heaps;
using ThreadState = PrivateHeaps.Heaps.ThreadState;

namespace PrivateHeaps.Win32;

/// <summary>
/// The heap functions of ntdll, with its spelling, over the same heaps as <see cref="HeapApi"/>: a handle of one is a handle of the other.
/// Statuses are NTSTATUS values: 0 for success, negative for errors. Any thread may call any function.
/// The behavior is that of Microsoft's driver documentation and of Windows' own callers.
/// </summary>
public static unsafe class NtRtl
{
    /// <summary>The walk has reached its end.</summary>
    public const int STATUS_NO_MORE_ENTRIES = unchecked((int)NtStatus.NoMoreEntries);

    /// <summary>The heap refuses the setting.</summary>
    public const int STATUS_UNSUCCESSFUL = unchecked((int)NtStatus.Unsuccessful);

    /// <summary>The class cannot be queried.</summary>
    public const int STATUS_INVALID_INFO_CLASS = unchecked((int)NtStatus.InvalidInfoClass);

    /// <summary>The handle names no living heap.</summary>
    public const int STATUS_INVALID_HANDLE = unchecked((int)NtStatus.InvalidHandle);

    /// <summary>An argument is out of range.</summary>
    public const int STATUS_INVALID_PARAMETER = unchecked((int)NtStatus.InvalidParameter);

    /// <summary>The buffer has fewer bytes than the answer.</summary>
    public const int STATUS_BUFFER_TOO_SMALL = unchecked((int)NtStatus.BufferTooSmall);

    /// <summary>Call of <see cref="RtlAllocateHeap"/>: a value can be attached to the block.</summary>
    public const uint HEAP_SETTABLE_USER_VALUE = HeapFlags.SettableUserValue;

    /// <summary>Call: a flag that is attached to the block.</summary>
    public const uint HEAP_SETTABLE_USER_FLAG1 = 0x200;

    /// <summary>Call: a flag that is attached to the block.</summary>
    public const uint HEAP_SETTABLE_USER_FLAG2 = 0x400;

    /// <summary>Call: a flag that is attached to the block.</summary>
    public const uint HEAP_SETTABLE_USER_FLAG3 = 0x800;

    /// <summary>All flags that can be attached.</summary>
    public const uint HEAP_SETTABLE_USER_FLAGS = HeapFlags.UserFlags;

    /// <summary>Creates a heap.</summary>
    /// <param name="Flags">
    /// <see cref="HeapApi.HEAP_GROWABLE"/> for a heap that grows; without it the reserve is the maximum. Also <see cref="HeapApi.HEAP_NO_SERIALIZE"/>,
    /// <see cref="HeapApi.HEAP_GENERATE_EXCEPTIONS"/>, <see cref="HeapApi.HEAP_CREATE_ENABLE_EXECUTE"/>. <see cref="HeapApi.HEAP_ZERO_MEMORY"/> and
    /// <see cref="HeapApi.HEAP_REALLOC_IN_PLACE_ONLY"/> then hold for every call on the heap, which has no caches. Other bits are ignored.
    /// </param>
    /// <param name="HeapBase">Must be null: the system chooses the address.</param>
    /// <param name="ReserveSize">Bytes; 0 for 256 KiB, or for what <paramref name="CommitSize"/> needs.</param>
    /// <param name="CommitSize">Bytes, cut down to the reserve; 0 for one page.</param>
    /// <param name="Lock">Must be null for a heap without serialization; otherwise ignored, since the heap has a lock of its own.</param>
    /// <param name="Parameters">More wishes, or null.</param>
    /// <returns>The handle; 0 when there is no room or an argument is refused. The last error is not touched.</returns>
    public static nint RtlCreateHeap(uint Flags, void* HeapBase, nuint ReserveSize, nuint CommitSize, void* Lock, RTL_HEAP_PARAMETERS* Parameters) =>
        RtlHeap.Create(CurrentThread.State, Flags, HeapBase, ReserveSize, CommitSize, Lock, Parameters);

    /// <summary>Destroys a heap with all its blocks.</summary>
    /// <returns>0 if that is done, also for 0; the handle if it is the process heap's or of no living heap.</returns>
    public static nint RtlDestroyHeap(nint HeapHandle) => RtlHeap.Destroy(CurrentThread.State, HeapHandle);

    /// <summary>As <see cref="HeapApi.HeapAlloc"/>.</summary>
    /// <param name="HeapHandle">The heap.</param>
    /// <param name="Flags">As there; with <see cref="HEAP_SETTABLE_USER_VALUE"/> or flags of <see cref="HEAP_SETTABLE_USER_FLAGS"/> something can be attached to the block, which then takes whole pages.</param>
    /// <param name="Size">Bytes.</param>
    /// <exception cref="OutOfMemoryException">There is no room, and the heap or the call has HEAP_GENERATE_EXCEPTIONS.</exception>
    public static void* RtlAllocateHeap(nint HeapHandle, uint Flags, nuint Size)
    {
        ThreadState* thread = CurrentThread.State;
        void* block = RtlHeap.Allocate(thread, HeapHandle, Flags, Size);
        return block != null ? block : (void*)HeapApi.NullOrRaise(thread);
    }

    /// <summary>As <see cref="HeapApi.HeapReAlloc(nint, uint, void*, nuint)"/>; when a block with attached flags grows, those of the call replace them.</summary>
    /// <exception cref="OutOfMemoryException">There is no room, and the heap or the call has HEAP_GENERATE_EXCEPTIONS.</exception>
    public static void* RtlReAllocateHeap(nint HeapHandle, uint Flags, void* BaseAddress, nuint Size)
    {
        ThreadState* thread = CurrentThread.State;
        void* block = RtlHeap.Reallocate(thread, HeapHandle, Flags, BaseAddress, Size);
        return block != null ? block : (void*)HeapApi.NullOrRaise(thread);
    }

    /// <summary>As <see cref="HeapApi.HeapFree(nint, uint, void*)"/>.</summary>
    public static bool RtlFreeHeap(nint HeapHandle, uint Flags, void* BaseAddress) => HeapApi.HeapFree(HeapHandle, Flags, BaseAddress);

    /// <summary>As <see cref="HeapApi.HeapSize(nint, uint, void*)"/>.</summary>
    public static nuint RtlSizeHeap(nint HeapHandle, uint Flags, void* BaseAddress) => HeapApi.HeapSize(HeapHandle, Flags, BaseAddress);

    /// <summary>As <see cref="HeapApi.HeapValidate(nint, uint, void*)"/>.</summary>
    public static bool RtlValidateHeap(nint HeapHandle, uint Flags, void* BaseAddress) => HeapApi.HeapValidate(HeapHandle, Flags, BaseAddress);

    /// <summary>As <see cref="HeapApi.HeapLock"/>.</summary>
    public static bool RtlLockHeap(nint HeapHandle) => HeapApi.HeapLock(HeapHandle);

    /// <summary>As <see cref="HeapApi.HeapUnlock"/>.</summary>
    public static bool RtlUnlockHeap(nint HeapHandle) => HeapApi.HeapUnlock(HeapHandle);

    /// <summary>As <see cref="HeapApi.HeapWalk(nint, PROCESS_HEAP_ENTRY*)"/>, with an entry of its own kind.</summary>
    /// <returns>0; <see cref="STATUS_NO_MORE_ENTRIES"/>, <see cref="STATUS_INVALID_PARAMETER"/> or <see cref="STATUS_INVALID_HANDLE"/>, and the entry is as it was.</returns>
    public static int RtlWalkHeap(nint HeapHandle, RTL_HEAP_WALK_ENTRY* Entry) => (int)RtlHeap.Walk(CurrentThread.State, HeapHandle, Entry);

    /// <summary>As <see cref="HeapApi.HeapCompact"/>.</summary>
    public static nuint RtlCompactHeap(nint HeapHandle, uint Flags) => HeapApi.HeapCompact(HeapHandle, Flags);

    /// <summary>Overwrites all free memory of the heap with zeros. No block changes.</summary>
    /// <returns>0 or <see cref="STATUS_INVALID_HANDLE"/>.</returns>
    public static int RtlZeroHeap(nint HeapHandle, uint Flags) => (int)RtlHeap.Zero(CurrentThread.State, HeapHandle, Flags);

    /// <summary>As <see cref="HeapApi.HeapQueryInformation(nint, HEAP_INFORMATION_CLASS, void*, nuint, nuint*)"/>.</summary>
    /// <returns>0, or the status that the last error there stands for.</returns>
    public static int RtlQueryHeapInformation(
        nint HeapHandle, HEAP_INFORMATION_CLASS HeapInformationClass, void* HeapInformation, nuint HeapInformationLength, nuint* ReturnLength) =>
        (int)RtlHeap.QueryInformation(CurrentThread.State, HeapHandle, HeapInformationClass, HeapInformation, HeapInformationLength, ReturnLength);

    /// <summary>As <see cref="HeapApi.HeapSetInformation(nint, HEAP_INFORMATION_CLASS, void*, nuint)"/>.</summary>
    /// <returns>0, or the status that the last error there stands for.</returns>
    public static int RtlSetHeapInformation(nint HeapHandle, HEAP_INFORMATION_CLASS HeapInformationClass, void* HeapInformation, nuint HeapInformationLength) =>
        (int)RtlHeap.SetInformation(CurrentThread.State, HeapHandle, HeapInformationClass, HeapInformation, HeapInformationLength);

    /// <summary>Tells what is attached to a live block: null and 0 where nothing is.</summary>
    /// <param name="HeapHandle">The heap.</param>
    /// <param name="Flags">0 or <see cref="HeapApi.HEAP_NO_SERIALIZE"/>.</param>
    /// <param name="BaseAddress">The block.</param>
    /// <param name="UserValue">Where the value is stored, or null.</param>
    /// <param name="UserFlags">Where the flags are stored, or null.</param>
    /// <returns>False with last error 87 if the address is no live block of the heap.</returns>
    public static bool RtlGetUserInfoHeap(nint HeapHandle, uint Flags, void* BaseAddress, void** UserValue, uint* UserFlags) =>
        RtlHeap.GetUserInfo(CurrentThread.State, HeapHandle, Flags, BaseAddress, UserValue, UserFlags) != 0;

    /// <summary>Attaches a value to a block that was allocated for it.</summary>
    /// <returns>False with last error 87 if it was not.</returns>
    public static bool RtlSetUserValueHeap(nint HeapHandle, uint Flags, void* BaseAddress, void* UserValue) =>
        RtlHeap.SetUserValue(CurrentThread.State, HeapHandle, Flags, BaseAddress, UserValue) != 0;

    /// <summary>Clears and sets flags of a block that was allocated for it.</summary>
    /// <param name="HeapHandle">The heap.</param>
    /// <param name="Flags">0 or <see cref="HeapApi.HEAP_NO_SERIALIZE"/>.</param>
    /// <param name="BaseAddress">The block.</param>
    /// <param name="UserFlagsReset">Bits of <see cref="HEAP_SETTABLE_USER_FLAGS"/> to clear.</param>
    /// <param name="UserFlagsSet">Bits of <see cref="HEAP_SETTABLE_USER_FLAGS"/> to set.</param>
    /// <returns>False with last error 87 for other bits, and for a block that takes none.</returns>
    public static bool RtlSetUserFlagsHeap(nint HeapHandle, uint Flags, void* BaseAddress, uint UserFlagsReset, uint UserFlagsSet) =>
        RtlHeap.SetUserFlags(CurrentThread.State, HeapHandle, Flags, BaseAddress, UserFlagsReset, UserFlagsSet) != 0;

    /// <summary>As <see cref="HeapApi.GetProcessHeaps(uint, nint*)"/>.</summary>
    public static uint RtlGetProcessHeaps(uint NumberOfHeaps, nint* ProcessHeaps) => HeapApi.GetProcessHeaps(NumberOfHeaps, ProcessHeaps);

    /// <summary>Allocates several blocks of one size.</summary>
    /// <param name="HeapHandle">The heap.</param>
    /// <param name="Flags">As for <see cref="RtlAllocateHeap"/>.</param>
    /// <param name="Size">Bytes of each block.</param>
    /// <param name="Count">How many.</param>
    /// <param name="Array">Where their addresses are stored.</param>
    /// <returns>How many there are; the first that was refused ends the call, and null is stored for it.</returns>
    /// <exception cref="OutOfMemoryException">A block was refused, and the heap or the call has HEAP_GENERATE_EXCEPTIONS.</exception>
    public static uint RtlMultipleAllocateHeap(nint HeapHandle, uint Flags, nuint Size, uint Count, void** Array)
    {
        ThreadState* thread = CurrentThread.State;
        uint allocated = RtlHeap.MultipleAllocate(thread, HeapHandle, Flags, Size, Count, Array);
        if (allocated < Count)
        {
            HeapApi.NullOrRaise(thread);
        }

        return allocated;
    }

    /// <summary>Frees several blocks.</summary>
    /// <param name="HeapHandle">The heap.</param>
    /// <param name="Flags">As for <see cref="RtlFreeHeap"/>.</param>
    /// <param name="Count">How many.</param>
    /// <param name="Array">Their addresses.</param>
    /// <returns>How many were freed; the first that is refused ends the call.</returns>
    public static uint RtlMultipleFreeHeap(nint HeapHandle, uint Flags, uint Count, void** Array) =>
        RtlHeap.MultipleFree(CurrentThread.State, HeapHandle, Flags, Count, Array);
}
