using PrivateHeaps.Heaps;

namespace PrivateHeaps.Win32;

/// <summary>The Local functions. Each is as its Global counterpart but for what it says.</summary>
public static unsafe partial class WinBase
{
    /// <summary>
    /// As <see cref="GlobalAlloc"/>, but a fixed block of 0 bytes has size 0; the flags are those of <see cref="LMEM_VALID_FLAGS"/>, and any
    /// bit of <see cref="LMEM_DISCARDABLE"/> is remembered.
    /// </summary>
    /// <param name="uFlags">See there.</param>
    /// <param name="uBytes">The size in bytes. 0 gives a fixed block of size 0, or a discarded handle.</param>
    /// <returns>See there.</returns>
    public static nint LocalAlloc(uint uFlags, nuint uBytes) => Win32Global.Alloc(CurrentThread.State, MemoryFamily.Local, uFlags, uBytes);

    /// <summary>
    /// As <see cref="GlobalReAlloc"/>, but a fixed block stays fixed: <see cref="LMEM_MODIFY"/> with <see cref="LMEM_MOVEABLE"/> leaves it as
    /// it is.
    /// </summary>
    /// <param name="hMem">See there.</param>
    /// <param name="uBytes">See there.</param>
    /// <param name="uFlags">See there.</param>
    /// <returns>See there.</returns>
    public static nint LocalReAlloc(nint hMem, nuint uBytes, uint uFlags) =>
        Win32Global.ReAlloc(CurrentThread.State, MemoryFamily.Local, hMem, uBytes, uFlags);

    /// <inheritdoc cref="GlobalDiscard"/>
    public static nint LocalDiscard(nint hMem) => LocalReAlloc(hMem, 0, LMEM_MOVEABLE);

    /// <inheritdoc cref="GlobalFree"/>
    public static nint LocalFree(nint hMem) => Win32Global.Free(CurrentThread.State, hMem);

    /// <summary>As <see cref="GlobalLock"/>, but the last error stays untouched for an address where no memory is.</summary>
    /// <param name="hMem">See there.</param>
    /// <returns>See there.</returns>
    public static nint LocalLock(nint hMem) => (nint)Win32Global.Lock(CurrentThread.State, MemoryFamily.Local, hMem);

    /// <summary>As <see cref="GlobalUnlock"/>, but what has no lock count is refused.</summary>
    /// <param name="hMem">A handle, or an address.</param>
    /// <returns>
    /// True if the block is still locked. False with last error 0 if it is not any more, 158 (ERROR_NOT_LOCKED) if it was not and for any
    /// address, 6 for 0 and for a handle that is not in use.
    /// </returns>
    public static bool LocalUnlock(nint hMem) => Win32Global.Unlock(CurrentThread.State, MemoryFamily.Local, hMem) != 0;

    /// <inheritdoc cref="GlobalSize"/>
    public static nuint LocalSize(nint hMem) => Win32Global.Size(CurrentThread.State, hMem);

    /// <summary>
    /// As <see cref="GlobalFlags"/>, but a discardable block shows all bits of <see cref="LMEM_DISCARDABLE"/>, and the last error is 998 for an
    /// address where no memory is.
    /// </summary>
    /// <param name="hMem">See there.</param>
    /// <returns>See there.</returns>
    public static uint LocalFlags(nint hMem) => Win32Global.Flags(CurrentThread.State, MemoryFamily.Local, hMem);

    /// <summary>As <see cref="GlobalHandle(void*)"/>, but the last error is 998 for an address where no memory is.</summary>
    /// <param name="pMem">See there.</param>
    /// <returns>See there.</returns>
    public static nint LocalHandle(void* pMem) => Win32Global.Handle(CurrentThread.State, MemoryFamily.Local, pMem);

    /// <inheritdoc cref="LocalHandle(void*)"/>
    public static nint LocalHandle(nint pMem) => LocalHandle((void*)pMem);

    /// <inheritdoc cref="GlobalCompact"/>
    public static nuint LocalCompact(uint uMinFree) => 0;

    /// <summary>Does nothing, as on Windows.</summary>
    /// <param name="hMem">Ignored.</param>
    /// <param name="cbNewSize">Ignored.</param>
    /// <returns>0.</returns>
    public static nuint LocalShrink(nint hMem, uint cbNewSize) => 0;
}
