using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using PrivateHeaps.Heaps;
using ThreadState = PrivateHeaps.Heaps.ThreadState;

namespace PrivateHeaps.Win32;

/// <summary>Single blocks.</summary>
public static unsafe partial class HeapApi
{
    /// <summary>Allocates a block. It never moves until it is reallocated or freed, and starts at a multiple of 16 bytes.</summary>
    /// <param name="hHeap">The heap.</param>
    /// <param name="dwFlags">
    /// Any of <see cref="HEAP_ZERO_MEMORY"/>, <see cref="HEAP_GENERATE_EXCEPTIONS"/>, <see cref="HEAP_NO_SERIALIZE"/>, in addition to those of the
    /// heap; other bits are ignored. Without <see cref="HEAP_ZERO_MEMORY"/> the contents are unspecified.
    /// </param>
    /// <param name="dwBytes">The size in bytes. 0 gives a real block of size 0. Below 0x7FFF8 if the heap has a maximum (at most 0xFEFD8 under <see cref="HeapContract.Observed"/>).</param>
    /// <returns>The address, to be cast to a pointer in C#; 0 if the call is refused. Last error: untouched; under
    /// <see cref="HeapContract.Observed"/> 8 if there is no room and 6 if there is no such heap.</returns>
    /// <exception cref="OutOfMemoryException">There is no room, and the heap or the call has <see cref="HEAP_GENERATE_EXCEPTIONS"/>.</exception>
    /// <exception cref="AccessViolationException">There is no such heap, and the call has <see cref="HEAP_GENERATE_EXCEPTIONS"/>.</exception>
    public static nint HeapAlloc(nint hHeap, uint dwFlags, nuint dwBytes) =>
        (nint)Heap.Allocate<RaisingSlowPath>(CurrentThread.State, hHeap, dwFlags, dwBytes);

    /// <summary>
    /// Resizes a block. The contents are kept up to the smaller of the two sizes; what the block gains is zero with
    /// <see cref="HEAP_ZERO_MEMORY"/>, else unspecified. A refused call leaves the block as it was.
    /// </summary>
    /// <param name="hHeap">The heap.</param>
    /// <param name="dwFlags">As for <see cref="HeapAlloc"/>; with <see cref="HEAP_REALLOC_IN_PLACE_ONLY"/> the block does not move.</param>
    /// <param name="lpMem">The block. Null allocates nothing: the call returns null with last error 0.</param>
    /// <param name="dwBytes">The new size in bytes. 0 keeps the block, with size 0.</param>
    /// <returns>
    /// The address of the block, which is another one if it had to move; null if the call is refused. Last error: 87 if
    /// <paramref name="lpMem"/> is no block of the heap, 6 if there is no such heap, untouched (8 under <see cref="HeapContract.Observed"/>) if there is no room.
    /// </returns>
    /// <exception cref="OutOfMemoryException">
    /// There is no room (where the block lies, if it must not move), and the heap or the call has <see cref="HEAP_GENERATE_EXCEPTIONS"/>.
    /// </exception>
    public static void* HeapReAlloc(nint hHeap, uint dwFlags, void* lpMem, nuint dwBytes)
    {
        ThreadState* thread = CurrentThread.State;
        void* block = Win32Heap.HeapReAlloc(thread, hHeap, dwFlags, lpMem, dwBytes);
        return block != null ? block : (void*)NullOrRaise(thread);
    }

    /// <inheritdoc cref="HeapReAlloc(nint, uint, void*, nuint)"/>
    public static nint HeapReAlloc(nint hHeap, uint dwFlags, nint lpMem, nuint dwBytes) =>
        (nint)HeapReAlloc(hHeap, dwFlags, (void*)lpMem, dwBytes);

    /// <summary>Frees a block. Any thread may free any block.</summary>
    /// <param name="hHeap">The heap.</param>
    /// <param name="dwFlags">0 or <see cref="HEAP_NO_SERIALIZE"/>; other bits are ignored.</param>
    /// <param name="lpMem">The block. Null succeeds and does nothing.</param>
    /// <returns>
    /// False if <paramref name="lpMem"/> is not the start of a live block of this heap: last error 87, or 6 for a handle other than 0 of no
    /// living heap.
    /// </returns>
    public static bool HeapFree(nint hHeap, uint dwFlags, void* lpMem) => Heap.Free<RaisingSlowPath>(CurrentThread.State, hHeap, dwFlags, lpMem) != 0;

    /// <inheritdoc cref="HeapFree(nint, uint, void*)"/>
    public static bool HeapFree(nint hHeap, uint dwFlags, nint lpMem) => HeapFree(hHeap, dwFlags, (void*)lpMem);

    /// <summary>The size of a block: exactly what was asked for when it was last allocated or reallocated.</summary>
    /// <param name="hHeap">The heap.</param>
    /// <param name="dwFlags">0 or <see cref="HEAP_NO_SERIALIZE"/>; other bits are ignored.</param>
    /// <param name="lpMem">The block.</param>
    /// <returns>
    /// Bytes; <see cref="nuint.MaxValue"/> if <paramref name="lpMem"/> is not the start of a live block of this heap. Last error: untouched; 87
    /// under <see cref="HeapContract.Observed"/>.
    /// </returns>
    public static nuint HeapSize(nint hHeap, uint dwFlags, void* lpMem) => Win32Heap.HeapSize(CurrentThread.State, hHeap, dwFlags, lpMem);

    /// <inheritdoc cref="HeapSize(nint, uint, void*)"/>
    public static nuint HeapSize(nint hHeap, uint dwFlags, nint lpMem) => HeapSize(hHeap, dwFlags, (void*)lpMem);

    /// <summary>Checks a block, or the heap with all its blocks.</summary>
    /// <param name="hHeap">The heap.</param>
    /// <param name="dwFlags">0 or <see cref="HEAP_NO_SERIALIZE"/>; other bits are ignored.</param>
    /// <param name="lpMem">An address; null for the whole heap.</param>
    /// <returns>
    /// Whether <paramref name="lpMem"/> is the start of a live block of this heap or, for null, whether the heap is sound.
    /// False for a bad handle. The last error is never touched.
    /// </returns>
    public static bool HeapValidate(nint hHeap, uint dwFlags, void* lpMem) =>
        Win32Heap.HeapValidate(CurrentThread.State, hHeap, dwFlags, lpMem) != 0;

    /// <inheritdoc cref="HeapValidate(nint, uint, void*)"/>
    public static bool HeapValidate(nint hHeap, uint dwFlags, nint lpMem) => HeapValidate(hHeap, dwFlags, (void*)lpMem);

    /// <summary>Ends a refused allocation: throws if the heap or the call asked for that, else returns 0.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static nint NullOrRaise(ThreadState* thread)
    {
        uint status = thread->PendingStatus;
        if (status == 0)
        {
            return 0;
        }

        thread->PendingStatus = 0;
        Raise(status);
        return 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void* AllocSlow(ThreadState* thread, nint heap, uint flags, nuint bytes)
    {
        void* block = Win32Heap.AllocSlow(thread, heap, flags, bytes);
        return block != null ? block : (void*)NullOrRaise(thread);
    }

    /// <summary>The slow paths of the Win32 face, and exceptions for those who asked for them.</summary>
    private readonly struct RaisingSlowPath : ISlowPath
    {
        public static void* Allocate(nint handle, uint flags, nuint bytes, ThreadState* thread) => AllocSlow(thread, handle, flags, bytes);

        public static int Free(nint handle, uint flags, void* block, ThreadState* thread) => Win32Heap.FreeSlow(handle, flags, block, thread);
    }

    [DoesNotReturn]
    private static void Raise(uint status)
    {
        int result = unchecked((int)status);
        throw status == NtStatus.NoMemory
            ? new OutOfMemoryException("The heap has no room for the block (STATUS_NO_MEMORY).") { HResult = result }
            : new AccessViolationException("There is no such heap (STATUS_ACCESS_VIOLATION).") { HResult = result };
    }
}
