namespace PrivateHeaps.Win32;

/// <summary>
/// The virtual memory functions of Windows, under their own names, on Linux: for programs that called them in kernel32. Addresses are pointers
/// or <see cref="nint"/>, sizes in bytes; a range of bytes stands for all pages that it touches. Behavior is the one that Microsoft documents.
/// <para>
/// The last error is read by <see cref="System.Runtime.InteropServices.Marshal.GetLastPInvokeError"/>. Success leaves it alone. No address, however
/// wrong, crashes the process: the call is refused. All functions may be called by several threads at once.
/// </para>
/// <para>On systems other than Linux every function throws <see cref="PlatformNotSupportedException"/>; Windows has them itself, in kernel32.</para>
/// </summary>
public static unsafe partial class MemoryApi
{
    /// <summary>Reserves pages, commits them, or both; or says that their contents do not matter any more.</summary>
    /// <param name="lpAddress">
    /// Where; null to let the system choose. Rounded down to a multiple of 64 KiB if the pages are to be reserved, else to a page.
    /// </param>
    /// <param name="dwSize">Bytes, at least 1.</param>
    /// <param name="flAllocationType">
    /// <see cref="MEM_RESERVE"/>, <see cref="MEM_COMMIT"/> or both; <see cref="MEM_RESERVE"/> and <see cref="MEM_PHYSICAL"/>;
    /// <see cref="MEM_RESET"/>; or <see cref="MEM_RESET_UNDO"/>. <see cref="MEM_COMMIT"/> without an address reserves too.
    /// </param>
    /// <param name="flProtect">
    /// One of the PAGE_ constants, and at most one modifier. Committing pages that are committed changes their protection and keeps their
    /// contents.
    /// </param>
    /// <returns>
    /// The address of the first page; null if the call is refused. Last error: 87 for no bytes, more bytes than there are addresses, an address
    /// below 64 KiB, or constants that do not go together; 487 if the addresses to be reserved are not free, or those to be committed not all in
    /// one reservation; 8 if there is no room.
    /// </returns>
    public static void* VirtualAlloc(void* lpAddress, nuint dwSize, uint flAllocationType, uint flProtect)
    {
        LinuxOnly.Require();
        return Win32Virtual.VirtualAlloc(lpAddress, dwSize, flAllocationType, flProtect);
    }

    /// <inheritdoc cref="VirtualAlloc(void*, nuint, uint, uint)"/>
    public static nint VirtualAlloc(nint lpAddress, nuint dwSize, uint flAllocationType, uint flProtect) =>
        (nint)VirtualAlloc((void*)lpAddress, dwSize, flAllocationType, flProtect);

    /// <summary>Decommits pages, or releases a whole reservation with everything in it.</summary>
    /// <param name="lpAddress">The first page; for <see cref="MEM_RELEASE"/> the first of the reservation.</param>
    /// <param name="dwSize">Bytes; 0 for <see cref="MEM_RELEASE"/>, or to decommit the whole reservation that starts at the address.</param>
    /// <param name="dwFreeType"><see cref="MEM_DECOMMIT"/> or <see cref="MEM_RELEASE"/>. Pages that are not committed may be decommitted.</param>
    /// <returns>
    /// False with last error 87 for other sizes or types, for a range that leaves its reservation, and for decommitting in a window; with
    /// 487 if there is no reservation, or if it starts elsewhere.
    /// </returns>
    public static bool VirtualFree(void* lpAddress, nuint dwSize, uint dwFreeType)
    {
        LinuxOnly.Require();
        return Win32Virtual.VirtualFree(lpAddress, dwSize, dwFreeType) != 0;
    }

    /// <inheritdoc cref="VirtualFree(void*, nuint, uint)"/>
    public static bool VirtualFree(nint lpAddress, nuint dwSize, uint dwFreeType) => VirtualFree((void*)lpAddress, dwSize, dwFreeType);

    /// <summary>
    /// Changes the protection of committed pages of one reservation. Memory that VirtualAlloc did not reserve can be protected too; a heap's pages
    /// may hold more than one block.
    /// </summary>
    /// <param name="lpAddress">An address in the first page.</param>
    /// <param name="dwSize">Bytes, at least 1.</param>
    /// <param name="flNewProtect">One of the PAGE_ constants, and at most one modifier.</param>
    /// <param name="lpflOldProtect">Set to the protection that the first page had. On failure it stays as it was.</param>
    /// <returns>
    /// False, and no page changed, with last error 998 for no variable, 87 for no bytes or constants that do not go together, 487 if not all
    /// pages are committed pages of one reservation; pages of a window cannot be protected.
    /// </returns>
    public static bool VirtualProtect(void* lpAddress, nuint dwSize, uint flNewProtect, uint* lpflOldProtect)
    {
        LinuxOnly.Require();
        return Win32Virtual.VirtualProtect(lpAddress, dwSize, flNewProtect, lpflOldProtect) != 0;
    }

    /// <inheritdoc cref="VirtualProtect(void*, nuint, uint, uint*)"/>
    public static bool VirtualProtect(nint lpAddress, nuint dwSize, uint flNewProtect, ref uint lpflOldProtect)
    {
        fixed (uint* old = &lpflOldProtect)
        {
            return VirtualProtect((void*)lpAddress, dwSize, flNewProtect, old);
        }
    }

    /// <summary>
    /// Describes the pages from an address on that are in the same state. That is exact for what VirtualAlloc reserved; of other memory it is
    /// what the system shows at this moment, where inaccessible pages count as reserved.
    /// </summary>
    /// <param name="lpAddress">Any address.</param>
    /// <param name="lpBuffer">Filled in.</param>
    /// <param name="dwLength">The size of the structure in bytes.</param>
    /// <returns>
    /// The bytes filled in; 0 with last error 24 for a smaller buffer, 998 for none, 87 for an address that no program can have, 31 if the system
    /// does not tell.
    /// </returns>
    public static nuint VirtualQuery(void* lpAddress, MEMORY_BASIC_INFORMATION* lpBuffer, nuint dwLength)
    {
        LinuxOnly.Require();
        return Win32Virtual.VirtualQuery(lpAddress, lpBuffer, dwLength);
    }

    /// <inheritdoc cref="VirtualQuery(void*, MEMORY_BASIC_INFORMATION*, nuint)"/>
    public static nuint VirtualQuery(nint lpAddress, ref MEMORY_BASIC_INFORMATION lpBuffer, nuint dwLength)
    {
        fixed (MEMORY_BASIC_INFORMATION* buffer = &lpBuffer)
        {
            return VirtualQuery((void*)lpAddress, buffer, dwLength);
        }
    }

    /// <summary>The size of the smallest large page, if there were any.</summary>
    /// <returns>Always 0: there are no large pages here.</returns>
    public static nuint GetLargePageMinimum() => 0;
}
