using System.Numerics;
using System.Runtime.CompilerServices;
using PrivateHeaps.Heaps;
using ThreadState = PrivateHeaps.Heaps.ThreadState;

namespace PrivateHeaps;

/// <summary>Blocks by address.</summary>
public sealed unsafe partial class PrivateHeap
{
    /// <summary>Allocates a block. Its contents are unspecified; it starts at a multiple of 16 bytes and never moves.</summary>
    /// <param name="byteCount">The size in bytes; 0 gives a real block of size 0.</param>
    /// <returns>The block, to be freed by <see cref="Free(void*)"/>.</returns>
    /// <exception cref="OutOfMemoryException">The heap has no room for it.</exception>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public void* Alloc(nuint byteCount) =>
        TryGetCache(out ThreadCache* cache, out ThreadState* thread)
            ? Heap.AllocateFrom<SlowPath>(cache, thread, _handle, byteCount)
            : AllocUnplaced(byteCount);

    /// <summary>Allocates a block for a number of elements; otherwise as <see cref="Alloc(nuint)"/>.</summary>
    /// <param name="elementCount">How many elements.</param>
    /// <param name="elementSize">The size of each in bytes.</param>
    /// <inheritdoc cref="Alloc(nuint)"/>
    public void* Alloc(nuint elementCount, nuint elementSize) => Alloc(Product(elementCount, elementSize));

    /// <summary>Allocates a block whose bytes are all zero; otherwise as <see cref="Alloc(nuint)"/>.</summary>
    /// <inheritdoc cref="Alloc(nuint)"/>
    public void* AllocZeroed(nuint byteCount)
    {
        return AllocSlow(CurrentThread.State, _handle, HeapFlags.ZeroMemory, byteCount);
    }

    /// <summary>Allocates a block for a number of elements whose bytes are all zero; otherwise as <see cref="Alloc(nuint)"/>.</summary>
    /// <inheritdoc cref="Alloc(nuint, nuint)"/>
    public void* AllocZeroed(nuint elementCount, nuint elementSize) => AllocZeroed(Product(elementCount, elementSize));

    /// <summary>Allocates a block that starts at a multiple of a given number; otherwise as <see cref="Alloc(nuint)"/>.</summary>
    /// <param name="byteCount">The size in bytes; 0 gives a real block of size 0.</param>
    /// <param name="alignment">A power of two. Less than 16 is taken for 16.</param>
    /// <returns>The block, to be freed by <see cref="Free(void*)"/> as any other.</returns>
    /// <exception cref="ArgumentException">The alignment is not a power of two.</exception>
    /// <inheritdoc cref="Alloc(nuint)"/>
    public void* AlignedAlloc(nuint byteCount, nuint alignment)
    {
        RequirePowerOfTwo(alignment);
        ThreadState* thread = CurrentThread.State;
        void* block = Heap.AllocateAligned(thread, _handle, HeapFlags.OfLibrary, byteCount, alignment);
        if (block == null)
        {
            ThrowNoRoom(thread, byteCount);
        }

        return block;
    }

    /// <summary>Allocates a block if there is room; otherwise as <see cref="Alloc(nuint)"/>.</summary>
    /// <param name="byteCount">The size in bytes; 0 gives a real block of size 0.</param>
    /// <param name="block">The block; null if there is no room.</param>
    /// <returns>Whether there was room. The answer is no exception even on a heap with <see cref="PrivateHeapOptions.GenerateExceptions"/>.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public bool TryAlloc(nuint byteCount, out void* block)
    {
        ThreadState* thread = CurrentThread.State;
        block = Heap.Allocate(thread, _handle, HeapFlags.OfLibrary, byteCount);
        if (block == null)
        {
            ThrowIfGone(thread);
        }

        return block != null;
    }

    /// <summary>Resizes a block, moving it if need be. Its contents are kept up to the smaller of the two sizes; the rest is unspecified.</summary>
    /// <param name="block">The block; null allocates a new one.</param>
    /// <param name="byteCount">The new size in bytes; 0 keeps a real block of size 0.</param>
    /// <returns>The block, at another address if it had to move.</returns>
    /// <exception cref="ArgumentException"><paramref name="block"/> is not the start of a live block of this heap.</exception>
    /// <exception cref="OutOfMemoryException">The heap has no room for it. The block is as it was.</exception>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public void* Realloc(void* block, nuint byteCount)
    {
        if (block == null)
        {
            return Alloc(byteCount);
        }

        ThreadState* thread = CurrentThread.State;
        void* resized = Heap.Reallocate(thread, _handle, HeapFlags.OfLibrary, block, byteCount);
        if (resized == null)
        {
            ThrowRefused(thread, block, byteCount);
        }

        return resized;
    }

    /// <summary>Resizes a block to a place that starts at a multiple of a given number; otherwise as <see cref="Realloc"/>.</summary>
    /// <param name="block">The block, however it was allocated; null allocates a new one.</param>
    /// <param name="byteCount">The new size in bytes; 0 keeps a real block of size 0.</param>
    /// <param name="alignment">A power of two. Less than 16 is taken for 16.</param>
    /// <exception cref="ArgumentException">
    /// <paramref name="block"/> is not the start of a live block of this heap, or the alignment is not a power of two.
    /// </exception>
    /// <inheritdoc cref="Realloc"/>
    public void* AlignedRealloc(void* block, nuint byteCount, nuint alignment)
    {
        if (block == null)
        {
            return AlignedAlloc(byteCount, alignment);
        }

        RequirePowerOfTwo(alignment);
        ThreadState* thread = CurrentThread.State;
        void* resized = Heap.ReallocateAligned(thread, _handle, HeapFlags.OfLibrary, block, byteCount, alignment);
        if (resized == null)
        {
            ThrowRefused(thread, block, byteCount);
        }

        return resized;
    }

    /// <summary>Resizes a block if it need not move for that.</summary>
    /// <param name="block">The block.</param>
    /// <param name="byteCount">The new size in bytes.</param>
    /// <returns>Whether the block has the new size; if not, it is as it was.</returns>
    /// <exception cref="ArgumentException"><paramref name="block"/> is not the start of a live block of this heap.</exception>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public bool TryReallocInPlace(void* block, nuint byteCount)
    {
        ThreadState* thread = CurrentThread.State;
        bool resized = Heap.Reallocate(thread, _handle, HeapFlags.ReallocInPlaceOnly, block, byteCount) != null;
        if (!resized && thread->Failure is HeapFailure.BadBlock or HeapFailure.BadHandle)
        {
            ThrowRefused(thread, block, byteCount);
        }

        return resized;
    }

    /// <summary>Frees a block, however it was allocated.</summary>
    /// <param name="block">The block; null does nothing.</param>
    /// <exception cref="ArgumentException"><paramref name="block"/> is not the start of a live block of this heap.</exception>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public void Free(void* block)
    {
        if (TryGetCache(out ThreadCache* cache, out ThreadState* thread))
        {
            Heap.FreeTo<SlowPath>(cache, thread, _handle, 0, block);
        }
        else
        {
            FreeUnplaced(block);
        }
    }

    /// <summary>The size of a block.</summary>
    /// <param name="block">The block.</param>
    /// <returns>Exactly the bytes that were asked for when it was last allocated or resized.</returns>
    /// <exception cref="ArgumentException"><paramref name="block"/> is not the start of a live block of this heap.</exception>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public nuint GetSize(void* block)
    {
        ThreadState* thread = CurrentThread.State;
        nuint byteCount = Heap.Size(thread, _handle, HeapFlags.OfLibrary, block);
        if (byteCount == nuint.MaxValue)
        {
            ThrowRefused(thread, block, byteCount);
        }

        return byteCount;
    }

    /// <summary>A size that no heap can serve stands for every product that does not fit.</summary>
    private static nuint Product(nuint elementCount, nuint elementSize)
    {
        ulong high = Math.BigMul(elementCount, elementSize, out ulong low);
        return high != 0 || low > nuint.MaxValue ? nuint.MaxValue : (nuint)low;
    }

    private static void RequirePowerOfTwo(nuint alignment)
    {
        if (!BitOperations.IsPow2(alignment))
        {
            throw new ArgumentException($"The alignment must be a power of two, not {alignment}.", nameof(alignment));
        }
    }

    /// <summary>The cache that serves the caller, and the caller's state: null where all threads share a cache, since nobody looks who calls.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryGetCache(out ThreadCache* cache, out ThreadState* thread)
    {
        // Before anything is decided, so that a loop around the call computes it once: a pair then takes 3.0 ns in place of 3.6.
        nint place = CachePlaces.Here;
        cache = _shared;
        thread = null;
        return cache != null || _places.TryGet(place, out cache, out thread);
    }

    // The caller has no place: its first calls, a stack that does not tell it, another thread in its place, or a system on which there are none.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void* AllocUnplaced(nuint byteCount)
    {
        ThreadState* thread = CurrentThread.State;
        if (!CachePlaces.AreUsed)
        {
            return Heap.Allocate<SlowPath>(thread, _handle, 0, byteCount);
        }

        void* block = AllocSlow(thread, _handle, 0, byteCount);
        _places.Note(thread, _handle);
        return block;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void FreeUnplaced(void* block)
    {
        ThreadState* thread = CurrentThread.State;
        if (!CachePlaces.AreUsed)
        {
            Heap.Free<SlowPath>(thread, _handle, 0, block);
            return;
        }

        if (!Heap.Free(thread, _handle, HeapFlags.OfLibrary, block))
        {
            ThrowNotFreed(thread, block);
        }

        _places.Note(thread, _handle);
    }

    /// <summary>Ends an allocation that has no fast path, or whose fast path did not serve. The thread is null if nobody has asked which it is.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void* AllocSlow(ThreadState* thread, nint handle, uint flags, nuint byteCount)
    {
        thread = thread != null ? thread : CurrentThread.State;
        void* block = Heap.AllocateUncommon(thread, handle, flags | HeapFlags.OfLibrary, byteCount);
        if (block == null)
        {
            new PrivateHeap(handle).ThrowNoRoom(thread, byteCount);
        }

        return block;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int FreeSlow(ThreadState* thread, nint handle, uint flags, void* block)
    {
        thread = thread != null ? thread : CurrentThread.State;
        if (!Heap.FreeSlow(thread, handle, flags | HeapFlags.OfLibrary, block))
        {
            new PrivateHeap(handle).ThrowNotFreed(thread, block);
        }

        return 1;
    }

    /// <summary>
    /// The engine's slow paths, and exceptions when they refuse. Heaps with and without serialization share them, and so the code of the fast path: two would be more than the JIT inlines
    /// into one caller, and a pair of Alloc and Free would take 3.3 ns in place of 3.0. For that those without say that they are inside, though nobody waits for them: 0.3 ns.
    /// </summary>
    private readonly struct SlowPath : ISlowPath
    {
        public static void* Allocate(nint handle, uint flags, nuint bytes, ThreadState* thread) => AllocSlow(thread, handle, flags, bytes);

        public static int Free(nint handle, uint flags, void* block, ThreadState* thread) => FreeSlow(thread, handle, flags, block);
    }
}
