using System.Numerics;
using PrivateHeaps.Foundation;
using PrivateHeaps.Heaps;
using ThreadState = PrivateHeaps.Heaps.ThreadState;

namespace PrivateHeaps.Malloc;

/// <summary>The functions that take an alignment. Their blocks are freed and resized like all others; resizing keeps 16 bytes of alignment.</summary>
internal static unsafe partial class MallocFamily
{
    /// <summary>posix_memalign: an error number, or 0 with the block in *result. Leaves errno alone in any case.</summary>
    public static int AllocateAlignedTo(ThreadState* thread, void** result, nuint alignment, nuint bytes)
    {
        if (!BitOperations.IsPow2(alignment) || alignment < (nuint)sizeof(void*))
            return Errno.InvalidArgument;

        void* block = Heap.AllocateAligned(thread, Heap.ProcessHandle, HeapFlags.MapsEarly, bytes, alignment);
        if (block == null)
            return Errno.NoMemory;

        *result = block;
        return 0;
    }

    /// <summary>aligned_alloc: EINVAL unless the alignment is a power of two. The size need not be a multiple of it.</summary>
    public static void* AllocateAligned(ThreadState* thread, nuint alignment, nuint bytes)
    {
        if (!BitOperations.IsPow2(alignment))
        {
            CCaller.SetErrno(Errno.InvalidArgument);
            return null;
        }

        void* block = Heap.AllocateAligned(thread, Heap.ProcessHandle, HeapFlags.MapsEarly, bytes, alignment);
        return block != null ? block : NoMemory();
    }

    /// <summary>memalign: an alignment that is no power of two is rounded up to one; EINVAL where there is none.</summary>
    public static void* AllocateAlignedUp(ThreadState* thread, nuint alignment, nuint bytes) =>
        AllocateAligned(thread, alignment == 0 ? 1 : BitOperations.RoundUpToPowerOf2(alignment), bytes);

    /// <summary>valloc: aligned to a page.</summary>
    public static void* AllocatePage(ThreadState* thread, nuint bytes) => AllocateAligned(thread, Units.PageBytes, bytes);

    /// <summary>pvalloc: whole pages.</summary>
    public static void* AllocatePages(ThreadState* thread, nuint bytes)
    {
        const nuint Mask = Units.PageBytes - 1;
        nuint rounded = (bytes + Mask) & ~Mask;
        return rounded >= bytes ? AllocateAligned(thread, Units.PageBytes, rounded) : NoMemory();
    }
}
