using PrivateHeaps.Heaps;

namespace PrivateHeaps.Win32;

/// <summary>A heap as a whole.</summary>
public static unsafe partial class HeapApi
{
    /// <summary>
    /// Lists the contents of a heap, one entry for each call: for each region the region itself, its blocks, busy and free, by address, and
    /// its uncommitted rest; after all regions the blocks with a mapping of their own. Hold <see cref="HeapLock"/> around a walk if other
    /// threads use the heap.
    /// </summary>
    /// <param name="hHeap">The heap.</param>
    /// <param name="lpEntry">
    /// Set <see cref="PROCESS_HEAP_ENTRY.lpData"/> to 0 for the first entry; then hand the structure back unchanged for the next one.
    /// </param>
    /// <returns>
    /// False with last error 259 (ERROR_NO_MORE_ITEMS) at the end; 87 if the entry is null or not of this heap; 6 for a bad handle. The entry
    /// then stays as it was.
    /// </returns>
    public static bool HeapWalk(nint hHeap, PROCESS_HEAP_ENTRY* lpEntry) => Win32Heap.HeapWalk(CurrentThread.State, hHeap, lpEntry) != 0;

    /// <inheritdoc cref="HeapWalk(nint, PROCESS_HEAP_ENTRY*)"/>
    public static bool HeapWalk(nint hHeap, ref PROCESS_HEAP_ENTRY lpEntry)
    {
        fixed (PROCESS_HEAP_ENTRY* entry = &lpEntry)
        {
            return HeapWalk(hHeap, entry);
        }
    }

    /// <summary>Puts the heap's free memory together and measures it. Gives nothing back to the operating system.</summary>
    /// <param name="hHeap">The heap.</param>
    /// <param name="dwFlags">0 or <see cref="HEAP_NO_SERIALIZE"/>; other bits are ignored.</param>
    /// <returns>
    /// The size in bytes of the largest committed free block; 0 with last error 0 if there is none, 0 with last error 6 for a bad handle.
    /// </returns>
    public static nuint HeapCompact(nint hHeap, uint dwFlags) => Win32Heap.HeapCompact(CurrentThread.State, hHeap, dwFlags);

    /// <summary>Measures a heap.</summary>
    /// <param name="hHeap">The heap.</param>
    /// <param name="dwFlags">Must be 0.</param>
    /// <param name="lpSummary">Filled in; the caller sets <see cref="HEAP_SUMMARY.cb"/> to the size of the structure first.</param>
    /// <returns>False with last error 87 for wrong flags or a wrong structure, 6 for a bad handle.</returns>
    public static bool HeapSummary(nint hHeap, uint dwFlags, HEAP_SUMMARY* lpSummary) =>
        Win32Heap.HeapSummary(CurrentThread.State, hHeap, dwFlags, lpSummary) != 0;

    /// <inheritdoc cref="HeapSummary(nint, uint, HEAP_SUMMARY*)"/>
    public static bool HeapSummary(nint hHeap, uint dwFlags, ref HEAP_SUMMARY lpSummary)
    {
        fixed (HEAP_SUMMARY* summary = &lpSummary)
        {
            return HeapSummary(hHeap, dwFlags, summary);
        }
    }

    /// <summary>Asks about a heap. Only <see cref="HEAP_INFORMATION_CLASS.HeapCompatibilityInformation"/> is answered.</summary>
    /// <param name="HeapHandle">The heap.</param>
    /// <param name="HeapInformationClass">The question.</param>
    /// <param name="HeapInformation">Where the answer, a 32-bit number, is stored.</param>
    /// <param name="HeapInformationLength">The size of that buffer in bytes, at least 4.</param>
    /// <param name="ReturnLength">Set to the size of the answer, even if the buffer is too small; may be null.</param>
    /// <returns>
    /// False with last error 87 for another class, 998 for a null handle or buffer, 6 for a handle of no living heap, 122 for a buffer that is
    /// too small.
    /// </returns>
    public static bool HeapQueryInformation(
        nint HeapHandle,
        HEAP_INFORMATION_CLASS HeapInformationClass,
        void* HeapInformation,
        nuint HeapInformationLength,
        nuint* ReturnLength) =>
        Win32Heap.HeapQueryInformation(
            CurrentThread.State, HeapHandle, HeapInformationClass, HeapInformation, HeapInformationLength, ReturnLength) != 0;

    /// <inheritdoc cref="HeapQueryInformation(nint, HEAP_INFORMATION_CLASS, void*, nuint, nuint*)"/>
    public static bool HeapQueryInformation(
        nint HeapHandle,
        HEAP_INFORMATION_CLASS HeapInformationClass,
        nint HeapInformation,
        nuint HeapInformationLength,
        ref nuint ReturnLength)
    {
        fixed (nuint* returnLength = &ReturnLength)
        {
            return HeapQueryInformation(HeapHandle, HeapInformationClass, (void*)HeapInformation, HeapInformationLength, returnLength);
        }
    }

    /// <inheritdoc cref="HeapQueryInformation(nint, HEAP_INFORMATION_CLASS, void*, nuint, nuint*)"/>
    public static bool HeapQueryInformation(
        nint HeapHandle,
        HEAP_INFORMATION_CLASS HeapInformationClass,
        ref uint HeapInformation,
        nuint HeapInformationLength,
        ref nuint ReturnLength)
    {
        fixed (uint* information = &HeapInformation)
        {
            return HeapQueryInformation(HeapHandle, HeapInformationClass, (nint)information, HeapInformationLength, ref ReturnLength);
        }
    }

    /// <summary>
    /// Changes a heap. <see cref="HEAP_INFORMATION_CLASS.HeapCompatibilityInformation"/> accepts 2, the low-fragmentation front end, for heaps
    /// that grow and are serialized (else last error 87), and nothing else afterwards (31). Such a heap turns it on by itself when a thread has
    /// used it for a while. <see cref="HEAP_INFORMATION_CLASS.HeapEnableTerminationOnCorruption"/> holds for the process and cannot be taken back:
    /// the next <see cref="HeapFree(nint, uint, void*)"/> or <see cref="HeapReAlloc(nint, uint, void*, nuint)"/> of an address that is no block of
    /// its heap ends the process with a sentence that says what is wrong with the address.
    /// <see cref="HEAP_INFORMATION_CLASS.HeapOptimizeResources"/> gives free memory back. Other classes are accepted without effect.
    /// </summary>
    /// <param name="HeapHandle">The heap; 0 for all heaps where the class allows it.</param>
    /// <param name="HeapInformationClass">What is changed.</param>
    /// <param name="HeapInformation">The buffer that the class asks for.</param>
    /// <param name="HeapInformationLength">The size of that buffer in bytes.</param>
    /// <returns>False with last error 6 for a bad handle, 122 for a buffer that is too small, 998 for one that is null or cannot be read, 87 or 31 for a value that is refused.</returns>
    public static bool HeapSetInformation(
        nint HeapHandle, HEAP_INFORMATION_CLASS HeapInformationClass, void* HeapInformation, nuint HeapInformationLength) =>
        Win32Heap.HeapSetInformation(CurrentThread.State, HeapHandle, HeapInformationClass, HeapInformation, HeapInformationLength) != 0;

    /// <inheritdoc cref="HeapSetInformation(nint, HEAP_INFORMATION_CLASS, void*, nuint)"/>
    public static bool HeapSetInformation(
        nint HeapHandle, HEAP_INFORMATION_CLASS HeapInformationClass, nint HeapInformation, nuint HeapInformationLength) =>
        HeapSetInformation(HeapHandle, HeapInformationClass, (void*)HeapInformation, HeapInformationLength);

    /// <inheritdoc cref="HeapSetInformation(nint, HEAP_INFORMATION_CLASS, void*, nuint)"/>
    public static bool HeapSetInformation(
        nint HeapHandle, HEAP_INFORMATION_CLASS HeapInformationClass, ref uint HeapInformation, nuint HeapInformationLength)
    {
        fixed (uint* information = &HeapInformation)
        {
            return HeapSetInformation(HeapHandle, HeapInformationClass, (void*)information, HeapInformationLength);
        }
    }

    /// <inheritdoc cref="HeapSetInformation(nint, HEAP_INFORMATION_CLASS, void*, nuint)"/>
    public static bool HeapSetInformation(
        nint HeapHandle,
        HEAP_INFORMATION_CLASS HeapInformationClass,
        ref HEAP_OPTIMIZE_RESOURCES_INFORMATION HeapInformation,
        nuint HeapInformationLength)
    {
        fixed (HEAP_OPTIMIZE_RESOURCES_INFORMATION* information = &HeapInformation)
        {
            return HeapSetInformation(HeapHandle, HeapInformationClass, (void*)information, HeapInformationLength);
        }
    }
}
