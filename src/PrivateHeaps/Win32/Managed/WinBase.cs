using PrivateHeaps.Heaps;

namespace PrivateHeaps.Win32;

/// <summary>
/// The Global and Local functions of Windows, under their own names, on every operating system: for programs that called them in kernel32.
/// Handles and addresses are <see cref="nint"/> (IntPtr), sizes <see cref="nuint"/> (UIntPtr), BOOL is <see cref="bool"/>.
/// <para>
/// All blocks lie in the process heap (<see cref="HeapApi.GetProcessHeap"/>). A fixed block is known by its address, a multiple of 16.
/// A moveable one (<see cref="GMEM_MOVEABLE"/>) is known by a handle and may change its address while its lock count is 0. Its handle points
/// to where that address is stored, as on Windows; what a program writes there has no effect. 65,536 handles can be in use at once. Both
/// families share them, and a handle of one may be given to the other. They differ in little: each Local function says in what.
/// <see cref="HeapApi"/> tells the size of a moveable block by its address, and refuses to free or to resize it.
/// </para>
/// <para>
/// The last error is read by <see cref="System.Runtime.InteropServices.Marshal.GetLastPInvokeError"/>, or by Err.LastDllError in Visual
/// Basic. Success leaves it alone, except where a function says otherwise.
/// </para>
/// <para>
/// No number, however wrong, crashes the process or harms another block: what is neither a handle in use nor a live block of the process
/// heap is refused. All functions may be called by several threads at once, on one handle too. Calls that need the heap wait while
/// another thread holds <see cref="HeapApi.HeapLock"/> of it.
/// </para>
/// </summary>
public static unsafe partial class WinBase
{
    /// <summary>Allocates a block. A fixed one never moves until it is reallocated or freed.</summary>
    /// <param name="uFlags">
    /// <see cref="GMEM_MOVEABLE"/> for a moveable block; <see cref="GMEM_ZEROINIT"/> to have it zeroed, else the contents are unspecified.
    /// <see cref="GMEM_DISCARDABLE"/> and <see cref="GMEM_DDESHARE"/> are remembered for moveable blocks. Other bits of
    /// <see cref="GMEM_VALID_FLAGS"/> are ignored.
    /// </param>
    /// <param name="dwBytes">The size in bytes. 0 gives a fixed block of 1 byte, or a discarded handle: one that has no block yet.</param>
    /// <returns>
    /// The address of a fixed block, the handle of a moveable one; 0 with last error 8 (ERROR_NOT_ENOUGH_MEMORY) if there is no room or no
    /// handle left, with 87 (ERROR_INVALID_PARAMETER) for bits outside of <see cref="GMEM_VALID_FLAGS"/>.
    /// </returns>
    public static nint GlobalAlloc(uint uFlags, nuint dwBytes) => Win32Global.Alloc(CurrentThread.State, MemoryFamily.Global, uFlags, dwBytes);

    /// <summary>
    /// Resizes a block or changes its attributes. The contents are kept up to the smaller of the two sizes; what the block gains is zero with
    /// <see cref="GMEM_ZEROINIT"/>, else unspecified. A refused call leaves everything as it was.
    /// </summary>
    /// <param name="hMem">The block: a handle, or the address of a fixed block. Not the address of a moveable one.</param>
    /// <param name="dwBytes">
    /// The new size in bytes; ignored with <see cref="GMEM_MODIFY"/>. 0 with <see cref="GMEM_MOVEABLE"/> discards a moveable block that is not
    /// locked: the handle stays valid, and a later call gives it a block again.
    /// </param>
    /// <param name="uFlags">
    /// <see cref="GMEM_MOVEABLE"/> lets a fixed block and a locked one move, which they otherwise do not; locked blocks move only if they must.
    /// <see cref="GMEM_MODIFY"/> changes attributes instead: with <see cref="GMEM_DISCARDABLE"/> a moveable block becomes discardable, with
    /// <see cref="GMEM_MOVEABLE"/> a fixed block becomes moveable (its contents move). Without it <see cref="GMEM_DISCARDABLE"/> is refused.
    /// </param>
    /// <returns>
    /// The same handle; for a fixed block its address, which is another one if it moved, or its new handle. 0 if the call is refused.
    /// Last error: 87 for the flags, 6 (ERROR_INVALID_HANDLE) for what is no block, 998 (ERROR_NOACCESS) for an address where no memory is, 8 if
    /// there is no room or the block must not move, untouched if a locked block was to be discarded.
    /// </returns>
    public static nint GlobalReAlloc(nint hMem, nuint dwBytes, uint uFlags) =>
        Win32Global.ReAlloc(CurrentThread.State, MemoryFamily.Global, hMem, dwBytes, uFlags);

    /// <summary>Discards a moveable block that is not locked: <see cref="GlobalReAlloc"/> with size 0 and <see cref="GMEM_MOVEABLE"/>.</summary>
    /// <param name="hMem">The handle, which stays valid.</param>
    /// <returns>The handle; 0 if the block is locked (last error untouched) or is none (6).</returns>
    public static nint GlobalDiscard(nint hMem) => GlobalReAlloc(hMem, 0, GMEM_MOVEABLE);

    /// <summary>Frees a block, locked or not, and ends its handle.</summary>
    /// <param name="hMem">A handle or an address. 0 succeeds and does nothing.</param>
    /// <returns>0 on success; otherwise <paramref name="hMem"/>, with last error 6, or 998 for an address where no memory is.</returns>
    public static nint GlobalFree(nint hMem) => Win32Global.Free(CurrentThread.State, hMem);

    /// <summary>Adds one to the lock count of a moveable block, up to 255. The block does not move while it is locked.</summary>
    /// <param name="hMem">A handle, or the address of a fixed block, which has no lock count.</param>
    /// <returns>
    /// The block's address, to be cast to a pointer in C#; 0 if the call is refused. Last error: 157 (ERROR_DISCARDED) for a discarded block,
    /// 6 for what is no block, untouched for 0.
    /// </returns>
    public static nint GlobalLock(nint hMem) => (nint)Win32Global.Lock(CurrentThread.State, MemoryFamily.Global, hMem);

    /// <summary>Takes one from the lock count of a moveable block.</summary>
    /// <param name="hMem">A handle, or an address, which has no lock count and always succeeds.</param>
    /// <returns>
    /// True if the block is still locked. False with last error 0 if it is not any more, 158 (ERROR_NOT_LOCKED) if it was not, 6 for 0.
    /// For a handle that is not in use, true with last error 6.
    /// </returns>
    public static bool GlobalUnlock(nint hMem) => Win32Global.Unlock(CurrentThread.State, MemoryFamily.Global, hMem) != 0;

    /// <summary>The size of a block: exactly what was asked for when it was last allocated or reallocated.</summary>
    /// <param name="hMem">A handle, or the address of any block of the process heap.</param>
    /// <returns>Bytes; 0 for a discarded block, and with last error 6 for what is no block.</returns>
    public static nuint GlobalSize(nint hMem) => Win32Global.Size(CurrentThread.State, hMem);

    /// <summary>The attributes and the lock count of a block.</summary>
    /// <param name="hMem">A handle, or the address of any block of the process heap.</param>
    /// <returns>
    /// 0 for a fixed block. Otherwise the lock count (<see cref="GMEM_LOCKCOUNT"/>) and any of <see cref="GMEM_DISCARDED"/>,
    /// <see cref="GMEM_DISCARDABLE"/>, <see cref="GMEM_DDESHARE"/>; or <see cref="GMEM_INVALID_HANDLE"/> with last error 6 for what is no block.
    /// </returns>
    public static uint GlobalFlags(nint hMem) => Win32Global.Flags(CurrentThread.State, MemoryFamily.Global, hMem);

    /// <summary>From the address of a block to its handle.</summary>
    /// <param name="pMem">Where a block of the process heap starts.</param>
    /// <returns>The handle of a moveable block, the address itself for any other; 0 with last error 87 for null, 6 for what is no block.</returns>
    public static nint GlobalHandle(void* pMem) => Win32Global.Handle(CurrentThread.State, MemoryFamily.Global, pMem);

    /// <inheritdoc cref="GlobalHandle(void*)"/>
    public static nint GlobalHandle(nint pMem) => GlobalHandle((void*)pMem);

    /// <summary>Does nothing, as on Windows; <see cref="HeapApi.HeapCompact"/> is what puts free memory together.</summary>
    /// <param name="dwMinFree">Ignored.</param>
    /// <returns>0.</returns>
    public static nuint GlobalCompact(uint dwMinFree) => 0;

    /// <summary>An old name of <see cref="GlobalLock"/>.</summary>
    /// <param name="hMem">See there.</param>
    public static void GlobalFix(nint hMem) => GlobalLock(hMem);

    /// <summary>An old name of <see cref="GlobalUnlock"/>.</summary>
    /// <param name="hMem">See there.</param>
    public static void GlobalUnfix(nint hMem) => GlobalUnlock(hMem);

    /// <inheritdoc cref="GlobalLock"/>
    public static nint GlobalWire(nint hMem) => GlobalLock(hMem);

    /// <inheritdoc cref="GlobalUnlock"/>
    public static bool GlobalUnWire(nint hMem) => GlobalUnlock(hMem);
}
