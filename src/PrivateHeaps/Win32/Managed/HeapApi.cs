using PrivateHeaps.Heaps;

namespace PrivateHeaps.Win32;

/// <summary>
/// The heap functions of Windows, under their own names, on every operating system: for programs that called them in kernel32.
/// Handles and addresses are <see cref="nint"/> (IntPtr), sizes <see cref="nuint"/> (UIntPtr), BOOL is <see cref="bool"/>; C# may pass
/// pointers instead. A handle is opaque and no address. Behavior is the one that Microsoft documents.
/// <para>
/// The last error is read by <see cref="System.Runtime.InteropServices.Marshal.GetLastPInvokeError"/>, or by Err.LastDllError in Visual
/// Basic. Success leaves it alone, except where a function says otherwise.
/// </para>
/// <para>
/// No address and no handle, however wrong, crashes the process or harms another block: the call is refused. All functions may be called
/// by several threads at once, except on heaps created with <see cref="HEAP_NO_SERIALIZE"/>.
/// </para>
/// </summary>
public static unsafe partial class HeapApi
{
    /// <summary>
    /// Which reading of Windows the functions follow where documents and Windows differ. Without an assignment the AppContext switch
    /// <c>PrivateHeaps.ObservedContract</c> decides (true: <see cref="HeapContract.Observed"/>), else the environment variable
    /// <c>PRIVATEHEAPS_CONTRACT</c> (<c>observed</c> or <c>documented</c>), else it is <see cref="HeapContract.Documented"/>.
    /// Assign it before the first heap is created; it holds for the process.
    /// </summary>
    /// <exception cref="InvalidOperationException">Heaps were created under the other contract already.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The value is neither of the two.</exception>
    public static HeapContract Contract
    {
        get => Win32.Contract.Current;
        set
        {
            if (value is not (HeapContract.Documented or HeapContract.Observed))
            {
                throw new ArgumentOutOfRangeException(nameof(value), value, "The contract is Documented or Observed.");
            }

            if (!Win32.Contract.TrySet(value))
            {
                throw new InvalidOperationException($"Heaps were created under the contract {Win32.Contract.Current} already; choose before the first one.");
            }
        }
    }

    /// <summary>Creates a heap. It lives until <see cref="HeapDestroy"/>; nothing frees it by itself.</summary>
    /// <param name="flOptions">
    /// Any of <see cref="HEAP_NO_SERIALIZE"/>, <see cref="HEAP_GENERATE_EXCEPTIONS"/>, <see cref="HEAP_CREATE_ENABLE_EXECUTE"/>; other bits are ignored.
    /// </param>
    /// <param name="dwInitialSize">Bytes committed from the start, rounded up to whole pages; 0 for the default, which is 4 MiB
    /// (8 KiB under <see cref="HeapContract.Observed"/>). Above the maximum it raises that.</param>
    /// <param name="dwMaximumSize">
    /// 0 for a heap that grows as long as there is memory. Otherwise the bytes, rounded up to whole pages, of the one range of addresses
    /// that ever holds its blocks; each single block must then be smaller than 0x7FFF8 bytes
    /// (at most 0xFEFD8, and 2 KiB below the maximum, under <see cref="HeapContract.Observed"/>, which also rounds up to 8 KiB).
    /// </param>
    /// <returns>The handle; 0 if there is no room, with last error 8 (ERROR_NOT_ENOUGH_MEMORY).</returns>
    public static nint HeapCreate(uint flOptions, nuint dwInitialSize, nuint dwMaximumSize) =>
        Win32Heap.HeapCreate(CurrentThread.State, flOptions, dwInitialSize, dwMaximumSize);

    /// <summary>Frees all blocks of a heap at once and ends it. Its handle stays invalid for good.</summary>
    /// <param name="hHeap">The heap. 0 succeeds and does nothing.</param>
    /// <returns>False, with last error 6 (ERROR_INVALID_HANDLE), for the process heap and for a handle of no living heap.</returns>
    public static bool HeapDestroy(nint hHeap) => Win32Heap.HeapDestroy(CurrentThread.State, hHeap) != 0;

    /// <summary>The heap that the process has from the start. It cannot be destroyed.</summary>
    /// <returns>Always the same handle, never 0.</returns>
    public static nint GetProcessHeap() => Win32Heap.GetProcessHeap(CurrentThread.State);

    /// <summary>Lists the living heaps: the process heap first, then the others by age.</summary>
    /// <param name="NumberOfHeaps">How many handles fit in <paramref name="ProcessHeaps"/>; not more are stored.</param>
    /// <param name="ProcessHeaps">Where the handles are stored; null to ask only how many there are.</param>
    /// <returns>How many heaps there are, which may be more than were stored.</returns>
    [System.Runtime.CompilerServices.OverloadResolutionPriority(1)]
    public static uint GetProcessHeaps(uint NumberOfHeaps, nint* ProcessHeaps) =>
        Win32Heap.GetProcessHeaps(CurrentThread.State, NumberOfHeaps, ProcessHeaps);

    /// <inheritdoc cref="GetProcessHeaps(uint, nint*)"/>
    /// <exception cref="ArgumentException">The array has fewer elements than <paramref name="NumberOfHeaps"/>.</exception>
    public static uint GetProcessHeaps(uint NumberOfHeaps, nint[]? ProcessHeaps)
    {
        if (ProcessHeaps is not null && (uint)ProcessHeaps.Length < NumberOfHeaps)
        {
            throw new ArgumentException($"The array holds {ProcessHeaps.Length} handles, but the call asks for {NumberOfHeaps}.", nameof(ProcessHeaps));
        }

        fixed (nint* heaps = ProcessHeaps)
        {
            return GetProcessHeaps(NumberOfHeaps, heaps);
        }
    }

    /// <summary>
    /// Makes all other threads wait in their calls on the heap until <see cref="HeapUnlock"/>, except in calls with <see cref="HEAP_NO_SERIALIZE"/>.
    /// The owner may lock again, and must unlock as often. Without effect on heaps that are not serialized.
    /// </summary>
    /// <param name="hHeap">The heap.</param>
    /// <returns>False for 0 (last error untouched) and, with last error 6, for a handle of no living heap.</returns>
    public static bool HeapLock(nint hHeap) => Win32Heap.HeapLock(CurrentThread.State, hHeap) != 0;

    /// <summary>Undoes one <see cref="HeapLock"/> of this thread; without one it does nothing and succeeds.</summary>
    /// <param name="hHeap">The heap.</param>
    /// <returns>False for 0 (last error untouched) and, with last error 6, for a handle of no living heap.</returns>
    public static bool HeapUnlock(nint hHeap) => Win32Heap.HeapUnlock(CurrentThread.State, hHeap) != 0;
}
