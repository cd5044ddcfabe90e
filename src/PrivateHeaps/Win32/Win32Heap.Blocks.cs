using System.Runtime.CompilerServices;
using PrivateHeaps.Heaps;
using PrivateHeaps.Platform;
using ThreadState = PrivateHeaps.Heaps.ThreadState;

namespace PrivateHeaps.Win32;

/// <summary>Single blocks: allocate, reallocate, free, measure, validate.</summary>
internal static unsafe partial class Win32Heap
{
    /// <summary>A heap with a maximum serves only blocks smaller than this; Microsoft documents the number.</summary>
    private const uint DocumentedBlockLimit = 0x7FFF8;

    /// <summary>The same as Windows is seen to have it in 64-bit processes, and what it keeps of such a heap's maximum for itself.</summary>
    private const uint ObservedBlockLimit = 0xFEFD9, ObservedBookkeepingBytes = 0x800;

    /// <summary>No limit is below this: Windows rounds maximums up to 8 KiB.</summary>
    private const uint SmallestBlockLimit = 0x1800;

    /// <summary>Allocates a block; null when it cannot, with the last error untouched or, as Windows is seen to do it, 8.</summary>
    public static void* HeapAlloc(ThreadState* thread, nint hHeap, uint dwFlags, nuint dwBytes) =>
        Heap.Allocate<SlowPath>(thread, hHeap, dwFlags, dwBytes);

    /// <summary><see cref="HeapAlloc"/> without its fast path.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void* AllocSlow(ThreadState* thread, nint heap, uint flags, nuint bytes)
    {
        if (bytes >= SmallestBlockLimit && IsBeyondLimit(heap, bytes))
        {
            Threads.Attach(thread)->Failure = HeapFailure.BlockTooLarge;
            return AllocFailed(thread, heap, flags);
        }

        void* block = Heap.AllocateUncommon(thread, heap, flags, bytes);
        return block != null ? block : AllocFailed(thread, heap, flags);
    }

    /// <summary>As <see cref="HeapAlloc"/>, for RtlAllocateHeap: something can be attached to the block.</summary>
    public static void* AllocSettable(ThreadState* thread, nint hHeap, uint dwFlags, nuint dwBytes)
    {
        Threads.Attach(thread)->Failure = HeapFailure.BlockTooLarge;
        void* block = IsBeyondLimit(hHeap, dwBytes) ? null : Heap.AllocateSettable(thread, hHeap, dwFlags, dwBytes);
        return block != null ? block : AllocFailed(thread, hHeap, dwFlags);
    }

    /// <summary>
    /// Resizes a block, zeroing what it gains if asked to. No block at all (null) gives null with last error 0: it does not allocate.
    /// An address that is no block gives null with last error 87; a bad handle 6; a lack of room leaves the last error untouched or, as Windows is
    /// seen to do it, sets 8.
    /// </summary>
    public static void* HeapReAlloc(ThreadState* thread, nint hHeap, uint dwFlags, void* lpMem, nuint dwBytes)
    {
        if (lpMem == null)
        {
            Host.SetLastError(Win32Error.NoError);
            return null;
        }

        void* block = dwBytes >= SmallestBlockLimit && IsTooLarge(thread, hHeap, lpMem, dwBytes)
            ? null
            : Heap.Reallocate(thread, hHeap, dwFlags, lpMem, dwBytes);
        return block != null ? block : ReAllocFailed(thread, hHeap, dwFlags, lpMem);
    }

    /// <summary>Frees a block; freeing none (null) succeeds with any handle.</summary>
    public static int HeapFree(ThreadState* thread, nint hHeap, uint dwFlags, void* lpMem) =>
        Heap.Free<SlowPath>(thread, hHeap, dwFlags, lpMem);

    /// <summary>
    /// The bytes that were requested for a block; the greatest number for anything else, with the last error untouched or, as Windows is
    /// seen to do it, 87.
    /// </summary>
    public static nuint HeapSize(ThreadState* thread, nint hHeap, uint dwFlags, void* lpMem)
    {
        nuint bytes = Heap.Size(thread, hHeap, dwFlags, lpMem);
        if (bytes == nuint.MaxValue)
        {
            SetObservedError(Win32Error.InvalidParameter);
        }

        return bytes;
    }

    /// <summary>Whether an address is a live block of the heap or, for null, whether the heap is sound. Never touches the last error.</summary>
    public static int HeapValidate(ThreadState* thread, nint hHeap, uint dwFlags, void* lpMem)
    {
        bool valid = lpMem == null ? Heap.Validate(thread, hHeap, dwFlags) : Heap.ValidateBlock(thread, hHeap, dwFlags, lpMem);
        return valid ? True : False;
    }

    private static bool IsBeyondLimit(nint heap, nuint bytes)
    {
        nuint maximum = Heap.MaximumOf(heap);
        if (maximum == 0)
        {
            return false;
        }

        return Contract.IsObserved
            ? bytes >= ObservedBlockLimit || bytes > maximum - ObservedBookkeepingBytes
            : bytes >= DocumentedBlockLimit;
    }

    // A call that raises leaves the last error alone, under either contract.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void* AllocFailed(ThreadState* thread, nint heap, uint flags)
    {
        thread = Threads.Attach(thread);
        bool badHandle = thread->Failure == HeapFailure.BadHandle;
        if (((flags | Heap.OptionsOf(heap)) & HeapFlags.GenerateExceptions) != 0)
        {
            thread->PendingStatus = badHandle ? NtStatus.AccessViolation : NtStatus.NoMemory;
        }
        else
        {
            SetObservedError(badHandle ? Win32Error.InvalidHandle : Win32Error.NotEnoughMemory);
        }

        return null;
    }

    /// <summary>Refuses a size that the heap does not serve, but only for a real block: a bad address is the more telling failure.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool IsTooLarge(ThreadState* thread, nint heap, void* block, nuint bytes)
    {
        if (!IsBeyondLimit(heap, bytes) || !Heap.ValidateBlock(thread, heap, 0, block))
        {
            return false;
        }

        Threads.Attach(thread)->Failure = HeapFailure.BlockTooLarge;
        return true;
    }

    /// <summary>Bad addresses and handles are reported by the last error and, as Windows does it, never raised.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void* ReAllocFailed(ThreadState* thread, nint heap, uint flags, void* block)
    {
        switch (Threads.Attach(thread)->Failure)
        {
            case HeapFailure.BadBlock:
                RtlHeap.StopOnCorruption("HeapReAlloc"u8, heap, block);
                Host.SetLastError(Win32Error.InvalidParameter);
                return null;
            case HeapFailure.BadHandle:
                Host.SetLastError(Win32Error.InvalidHandle);
                return null;
            default:
                return AllocFailed(thread, heap, flags);
        }
    }

    /// <summary><see cref="HeapFree"/> without its fast path.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int FreeSlow(nint heap, uint flags, void* block, ThreadState* thread) =>
        block == null || Heap.FreeSlow(thread, heap, flags, block) ? True : FreeFailed(thread, heap, block);

    /// <summary>The engine's slow paths, and last error or exception when they refuse.</summary>
    private readonly struct SlowPath : ISlowPath
    {
        public static void* Allocate(nint handle, uint flags, nuint bytes, ThreadState* thread) => AllocSlow(thread, handle, flags, bytes);

        public static int Free(nint handle, uint flags, void* block, ThreadState* thread) => FreeSlow(handle, flags, block, thread);
    }

    private static int FreeFailed(ThreadState* thread, nint heap, void* block)
    {
        HeapFailure failure = Threads.Attach(thread)->Failure;
        if (failure == HeapFailure.BadBlock)
        {
            RtlHeap.StopOnCorruption("HeapFree"u8, heap, block);
        }

        bool badHandle = failure == HeapFailure.BadHandle && heap != 0;
        return Refuse(badHandle ? Win32Error.InvalidHandle : Win32Error.InvalidParameter);
    }
}
