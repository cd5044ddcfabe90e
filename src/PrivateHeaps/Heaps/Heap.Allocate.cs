using System.Runtime.CompilerServices;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>
/// Allocation.
/// <code>
/// Allocate, AllocateProcess            find the thread's cache for the heap
///   Pop, PopMedium                     the gate is open and the magazine has a block: mark its state byte, done
///   AllocateSlow                       everything else, from the first call of a thread on
///     Gate.Enter                       wait while the heap stands still
///     AllocateInside
///       FittedHeap.Allocate            small bounded heap: a run of granules
///       TakeSmall                      up to 32 KiB: magazine, depot, slab, in this order
///       AllocateLarge                  a page run, or from 1 MiB on a mapping of its own
///     Reclaim                          no memory: collect what all magazines hold, and try once more
/// </code>
/// </summary>
internal static unsafe partial class Heap
{
    /// <summary>A block of exactly the requested size; null with NoMemory or BadHandle. Flags: ZeroMemory and NoSerialize.</summary>
    public static void* Allocate(ThreadState* thread, nint handle, uint flags, nuint bytes)
    {
        void* block = TryAllocate(thread, handle, flags, bytes);
        if (block == null && bytes > SizeClass.TableBytes && (flags & HeapFlags.ZeroMemory) == 0 && SlotOf(handle) < thread->TableCount)
        {
            block = PopMedium(thread->Table[SlotOf(handle)], handle, bytes);
        }

        return block != null ? block : AllocateSlow(thread, handle, flags & ~HeapFlags.SettableUserValue, bytes, 0);
    }

    /// <summary>The happy case of <see cref="Allocate"/>, for faces that inline it; null says nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void* TryAllocate(ThreadState* thread, nint handle, uint flags, nuint bytes) =>
        bytes <= SizeClass.TableBytes && (flags & HeapFlags.ZeroMemory) == 0 && SlotOf(handle) < thread->TableCount
            ? Pop(thread->Table[SlotOf(handle)], handle, bytes)
            : null;

    /// <summary>As <see cref="Allocate"/> from the process heap, without flags: what malloc calls.</summary>
    public static void* AllocateProcess(ThreadState* thread, nuint bytes)
    {
        void* block = bytes <= SizeClass.TableBytes ? Pop(thread->Process, ProcessHandle, bytes) : PopMedium(thread->Process, ProcessHandle, bytes);
        return block != null ? block : AllocateSlow(thread, ProcessHandle, 0, bytes, 0);
    }

    /// <summary>The happy case of <see cref="AllocateProcess"/>, for faces that inline it; null says nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void* TryAllocateProcess(ThreadState* thread, nuint bytes) =>
        bytes <= SizeClass.TableBytes ? Pop(thread->Process, ProcessHandle, bytes) : null;

    /// <summary>As <see cref="Allocate"/>, at a multiple of the alignment; BadParameter when that is not a power of two.</summary>
    public static void* AllocateAligned(ThreadState* thread, nint handle, uint flags, nuint bytes, nuint alignment)
    {
        if (!Bits.IsPowerOfTwo(alignment))
        {
            return (void*)Refuse(thread, HeapFailure.BadParameter);
        }

        return AllocateSlow(thread, handle, flags & ~HeapFlags.SettableUserValue, bytes, alignment);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nuint SlotOf(nint handle) => ((nuint)handle >> HeapRegistry.SlotShift) & HeapRegistry.SlotMask;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void* Pop(ThreadCache* cache, nint handle, nuint bytes) => Pop(cache, handle, bytes, SizeClass.OfTable(bytes));

    // Between 1 KiB and 32 KiB the class is computed, and the state may take five bytes.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void* PopMedium(ThreadCache* cache, nint handle, nuint bytes) =>
        bytes <= SizeClass.LargestBytes ? Pop(cache, handle, bytes, SizeClass.Of(bytes)) : null;

    // The happy case: no lock, no atomic instruction, no look at the caller's memory.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void* Pop(ThreadCache* cache, nint handle, nuint bytes, uint index)
    {
        if (cache->Busy == 0)
        {
            // Partner: Gate.Close.
            Volatile.Write(ref cache->Busy, 1);
            if (Volatile.Read(ref cache->OpenHandle) == handle)
            {
                Magazine* magazine = ThreadCache.MagazineOf(cache, index);
                nuint* top = magazine->Top;
                if (top != magazine->Base)
                {
                    nuint block = top[-1];
                    magazine->Top = top - 1;
                    byte* state = AddressMap.StateIn(AddressMap.KnownWindowOf(block), block);

                    // Two threads that freed a block at the same instant each have it in a magazine. It is live already when the second
                    // one comes to it: then it is dropped, and the slow path serves the call.
                    if (*state == BlockState.Dead)
                    {
                        BlockState.SetLive(state, magazine->BlockBytes - bytes);
                        Volatile.Write(ref cache->Busy, 0);
                        return (void*)block;
                    }
                }
            }

            Volatile.Write(ref cache->Busy, 0);
        }

        return null;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void* AllocateSlow(ThreadState* thread, nint handle, uint flags, nuint bytes, nuint alignment)
    {
        ThreadState* self = Threads.Attach(thread);
        HeapState* heap = HeapRegistry.Find(handle);
        if (heap == null)
        {
            return (void*)Refuse(thread, HeapFailure.BadHandle);
        }

        flags |= heap->Options & HeapFlags.Forced;
        for (bool lastTry = false; ; lastTry = true)
        {
            if (!Gate.Enter(self, heap, handle, flags, out ThreadCache* cache))
            {
                return (void*)Refuse(thread, HeapFailure.BadHandle);
            }

            byte* block = AllocateInside(heap, cache, flags, bytes, alignment, lastTry);
            if ((flags & HeapFlags.SettableUserValue) != 0)
            {
                block = MakeSettable(heap, cache, block, flags);
            }

            Gate.Leave(heap, cache);
            if (block != null)
            {
                if (heap->IsCounted)
                {
                    Counting.Allocated(heap, bytes);
                }

                return block;
            }

            if (lastTry || !Reclaim(self, heap, handle, bytes))
            {
                if (heap->IsCounted)
                {
                    Counting.Failed();
                }

                return (void*)Refuse(thread, HeapFailure.NoMemory);
            }
        }
    }

    private static byte* AllocateInside(HeapState* heap, ThreadCache* cache, uint flags, nuint bytes, nuint alignment, bool lastTry)
    {
        byte* block;
        bool zero = (flags & HeapFlags.ZeroMemory) != 0;
        if (heap->IsFitted)
        {
            block = AllocateFitted(heap, cache, bytes, alignment);
        }
        else if (bytes <= SizeClass.LargestBytes && alignment <= Units.PageBytes && (flags & HeapFlags.SettableUserValue) == 0)
        {
            block = AllocateSmall(heap, cache, bytes, alignment, lastTry);
        }
        else
        {
            return AllocateLarge(&heap->Regions, bytes, alignment, zero);
        }

        if (zero && block != null)
        {
            Os.Clear(block, bytes);
        }

        return block;
    }

    private static byte* AllocateFitted(HeapState* heap, ThreadCache* cache, nuint bytes, nuint alignment)
    {
        if (cache != null && bytes <= SizeClass.TableBytes && alignment <= Units.GranuleBytes)
        {
            Magazine* magazine = ThreadCache.MagazineOf(cache, SizeClass.OfTable(bytes));
            while (magazine->Top != magazine->Base)
            {
                byte* block = (byte*)*--magazine->Top;
                if (*AddressMap.StateOf(block) == BlockState.Dead)
                {
                    BlockState.SetLive(AddressMap.StateOf(block), magazine->BlockBytes - bytes);
                    return block;
                }
            }
        }

        return FittedHeap.Allocate(&heap->Fitted, &heap->Regions, bytes, alignment);
    }

    private static byte* AllocateSmall(HeapState* heap, ThreadCache* cache, nuint bytes, nuint alignment, bool lastTry)
    {
        uint index = alignment <= Units.GranuleBytes ? SizeClass.Of(bytes) : SizeClass.OfAligned(bytes, alignment);
        nuint block;
        do
        {
            block = TakeSmall(heap, cache, index);
        }
        while (block != 0 && *AddressMap.StateOf((void*)block) != BlockState.Dead);

        // The last resort of a full heap: a block of a larger class, should one have any left.
        while (block == 0 && lastTry && ++index < SizeClass.Count)
        {
            if (alignment <= Units.GranuleBytes || (SizeClass.BlockBytes(index) & (alignment - 1)) == 0)
            {
                block = TakeSmall(heap, cache, index);
            }
        }

        if (block != 0)
        {
            BlockState.SetLive(AddressMap.StateOf((void*)block), SizeClass.BlockBytes(index) - bytes);
        }

        return (byte*)block;
    }

    private static nuint TakeSmall(HeapState* heap, ThreadCache* cache, uint index)
    {
        Bin* bin = HeapState.BinOf(heap, index);
        if (cache != null)
        {
            Magazine* magazine = ThreadCache.MagazineOf(cache, index);
            if (magazine->Top != magazine->Base || Magazine.Refill(magazine, bin, &heap->Regions, index))
            {
                return *--magazine->Top;
            }
        }

        OsLock.Enter(&bin->Lock);
        nuint block = Bin.TakeOne(bin, &heap->Regions, index);
        OsLock.Leave(&bin->Lock);
        return block;
    }

    // Puts the free blocks of every thread's magazines back, so that whole slabs become free for other sizes.
    private static bool Reclaim(ThreadState* self, HeapState* heap, nint handle, nuint bytes)
    {
        bool isCached = heap->Caches != null || heap->SharesCache || !heap->IsFitted;
        if (!isCached || bytes > LargestHeapBytes || !Gate.BeginExclusive(self, heap, handle))
        {
            return false;
        }

        FlushAll(heap);
        Gate.EndExclusive(heap);
        return true;
    }

    /// <summary>Empties all magazines and depots and gives free slabs back. The caller has the heap stand still.</summary>
    private static void FlushAll(HeapState* heap)
    {
        OsLock.Enter(&heap->CacheLock);
        for (ThreadCache* cache = heap->Caches; cache != null; cache = cache->Next)
        {
            ThreadCache.Flush(cache, heap);
        }

        OsLock.Leave(&heap->CacheLock);
        if (heap->SharesCache)
        {
            ThreadCache.Flush(heap->SharedCache, heap);
        }

        for (uint index = 0; index < SizeClass.Count && !heap->IsFitted; index++)
        {
            Bin* bin = HeapState.BinOf(heap, index);
            OsLock.Enter(&bin->Lock);
            Bin.Flush(bin, &heap->Regions);
            OsLock.Leave(&bin->Lock);
        }
    }
}
