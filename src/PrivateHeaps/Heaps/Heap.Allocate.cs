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
///   Pop, PopLarger, PopClass           the gate is open and the magazine has a block: mark its state byte, done
///     PopAfterRefill                   the magazine has none: spare, depot, slab, in this order
/// AllocateUncommon                     the same for zeroed and medium blocks
///   AllocateSlow                       everything else, from the first call of a thread on
///     Gate.Enter                       wait while the heap stands still
///     AllocateInside
///       FittedHeap.Allocate            small bounded heap: a run of granules
///       TakeSmall                      up to 256 KiB: magazine, depot, slab, in this order
///       AllocateLarge                  a page run, or a mapping of its own
///     AllocateChecked                  all of this for a heap with checks
///     Reclaim                          no memory: collect what all magazines hold, and try once more
/// </code>
/// </summary>
internal static unsafe partial class Heap
{
    /// <summary>A block of exactly the requested size; null with NoMemory or BadHandle. Flags: ZeroMemory and NoSerialize.</summary>
    public static void* Allocate(ThreadState* thread, nint handle, uint flags, nuint bytes) =>
        Allocate<EngineSlowPath>(thread, handle, flags, bytes);

    /// <summary>As <see cref="Allocate(ThreadState*, nint, uint, nuint)"/>, inlined; the face says what it does when the fast path cannot serve.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void* Allocate<TSlowPath>(ThreadState* thread, nint handle, uint flags, nuint bytes)
        where TSlowPath : struct, ISlowPath =>
        AllocateFrom<TSlowPath>(CacheFor(thread, handle), thread, handle, flags, bytes);

    /// <summary>As <see cref="Allocate{TSlowPath}"/>, for a face that has the cache at hand, and perhaps no thread: null then.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void* AllocateFrom<TSlowPath>(ThreadCache* cache, ThreadState* thread, nint handle, uint flags, nuint bytes)
        where TSlowPath : struct, ISlowPath
    {
        if ((flags & HeapFlags.ZeroMemory) != 0)
        {
            return TSlowPath.Allocate(handle, flags, bytes, thread);
        }

        return bytes <= SizeClass.TableBytes
            ? Pop<TSlowPath>(cache, thread, handle, flags, bytes)
            : PopLarger<TSlowPath>(handle, flags, bytes, cache, thread);
    }

    /// <summary>As the other one, without flags, and with no fast path for larger blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void* AllocateFrom<TSlowPath>(ThreadCache* cache, ThreadState* thread, nint handle, nuint bytes)
        where TSlowPath : struct, ISlowPath =>
        bytes <= SizeClass.TableBytes ? Pop<TSlowPath>(cache, thread, handle, 0, bytes) : TSlowPath.Allocate(handle, 0, bytes, thread);

    /// <summary>As <see cref="Allocate{TSlowPath}"/> from the process heap, without flags.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void* AllocateProcess<TSlowPath>(ThreadCache* cache, nuint bytes)
        where TSlowPath : struct, ISlowPath =>
        bytes <= SizeClass.TableBytes
            ? Pop<TSlowPath>(cache, null, ProcessHandle, 0, bytes)
            : PopLarger<TSlowPath>(bytes, cache);

    /// <summary>
    /// As <see cref="AllocateProcess{TSlowPath}"/>, zeroed. This heap is never destroyed, so its small blocks may be cleared from outside, whatever way they came.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void* AllocateProcessZeroed<TSlowPath>(ThreadCache* cache, nuint bytes)
        where TSlowPath : struct, ISlowPath
    {
        if (bytes > SizeClass.TableBytes)
        {
            return TSlowPath.Allocate(ProcessHandle, HeapFlags.ZeroMemory, bytes, null);
        }

        void* block = Pop<TSlowPath>(cache, null, ProcessHandle, 0, bytes);
        if (block != null)
        {
            Os.Clear(block, bytes);
        }

        return block;
    }

    /// <summary><see cref="Allocate"/> without its happy case: zeroed and medium blocks have fast paths here, then comes the slow one.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void* AllocateUncommon(ThreadState* thread, nint handle, uint flags, nuint bytes)
    {
        // The process heap is never destroyed, so its blocks may be zeroed from outside.
        if ((flags & HeapFlags.ZeroMemory) != 0 && handle != ProcessHandle)
        {
            return AllocateZeroed(thread, handle, flags, bytes);
        }

        // A large block that is to be zero comes from fresh pages if it can.
        nuint most = (flags & HeapFlags.ZeroMemory) == 0 ? SizeClass.LargestBytes : SizeClass.LargestBoundedBytes;
        if (bytes <= most)
        {
            void* block = PopClass(CacheFor(thread, handle), handle, SizeClass.Of(bytes), bytes, mayBorrow: true);
            if (block != null)
            {
                if ((flags & HeapFlags.ZeroMemory) != 0)
                {
                    Os.Clear(block, bytes);
                }

                return block;
            }
        }

        return AllocateSlow(thread, handle, flags & ~HeapFlags.SettableUserValue, bytes, 0);
    }

    // For a heap that may be destroyed or emptied at any moment: its memory, which could be another block's by then, is touched only inside, in the visit that took it.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void* AllocateZeroed(ThreadState* thread, nint handle, uint flags, nuint bytes)
    {
        if (bytes <= SizeClass.LargestBoundedBytes)
        {
            ThreadCache* cache = CacheFor(thread, handle);
            if (Shared.Read(&cache->Busy) == (nuint)handle)
            {
                // Partner: Gate.CloseLocked.
                Shared.Write(&cache->Busy, ThreadCache.Nowhere);
                void* block = TakeToClear(cache, bytes);
                if (block != null)
                {
                    Os.Clear(block, bytes);
                    Shared.Write(&cache->Busy, (nuint)handle);
                    return block;
                }

                Shared.Write(&cache->Busy, (nuint)handle);
            }
        }

        return AllocateSlow(thread, handle, flags & ~HeapFlags.SettableUserValue, bytes, 0);
    }

    // As TakeInside; from a magazine of the table's by the shortest way.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* TakeToClear(ThreadCache* cache, nuint bytes)
    {
        Magazine* magazine;
        if (bytes > SizeClass.TableBytes || (magazine = ThreadCache.MagazineOfTable(cache, bytes))->Top == magazine->Base)
        {
            return TakeUncommon(cache, bytes);
        }

        Round* top = --magazine->Top;
        Shared.Write(top->State, (byte)(magazine->BlockBytesPlusOne - (uint)bytes));
        return top->Block;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static byte* TakeUncommon(ThreadCache* cache, nuint bytes) =>
        ThreadCache.IsOpenFor(cache, bytes) ? TakeInside(cache, SizeClass.Of(bytes), bytes, mayBorrow: true) : null;

    /// <summary>As <see cref="Allocate"/>, at a multiple of the alignment; BadParameter when that is not a power of two.</summary>
    public static void* AllocateAligned(ThreadState* thread, nint handle, uint flags, nuint bytes, nuint alignment)
    {
        if (!Bits.IsPowerOfTwo(alignment))
        {
            return (void*)Refuse(thread, HeapFailure.BadParameter);
        }

        if (bytes <= SizeClass.LargestBoundedBytes && alignment <= Units.PageBytes && (flags & HeapFlags.ZeroMemory) == 0)
        {
            uint index = SizeClass.OfAligned(bytes, Bits.Max(alignment, Units.GranuleBytes));
            void* block = PopClass(CacheFor(thread, handle), handle, index, bytes, mayBorrow: false);
            if (block != null)
            {
                if (((nuint)block & (alignment - 1)) == 0)
                {
                    return block;
                }

                // One that was sampled, and ends against a page that cannot be accessed.
                FreeSlow(thread, handle, flags, block);
            }
        }

        return AllocateSlow(thread, handle, flags & ~HeapFlags.SettableUserValue, bytes, alignment);
    }

    // The thread's cache for the heap, if it has one: else one that answers to another handle, or to none. Any number does for the handle.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ThreadCache* CacheFor(ThreadState* thread, nint handle) => *(ThreadCache**)((byte*)thread->Table + ((nuint)handle & thread->TableMask));

    // The happy case: no lock, no atomic instruction, no look at the caller's memory. A pair of malloc and free costs what its instructions
    // cost, measured at about 29 a nanosecond for five allocators, so each one here has a reason.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void* Pop<TSlowPath>(ThreadCache* cache, ThreadState* thread, nint handle, uint flags, nuint bytes)
        where TSlowPath : struct, ISlowPath
    {
        if (cache->Busy != (nuint)handle)
        {
            return TSlowPath.IsProcess ? TSlowPath.AllocateProcess(bytes) : TSlowPath.Allocate(handle, flags, bytes, thread);
        }

        // Partner: Gate.CloseLocked.
        Shared.Write(&cache->Busy, ThreadCache.Nowhere);
        Magazine* magazine = ThreadCache.MagazineOfTable(cache, bytes);
        Round* top = magazine->Top;
        if (top == magazine->Base)
        {
            return TSlowPath.IsProcess ? PopAfterRefill<TSlowPath>(bytes, cache) : PopAfterRefill<TSlowPath>(handle, flags, bytes, cache, thread);
        }

        // Classes of the table never need a long slack.
        Shared.Write(top[-1].State, (byte)(magazine->BlockBytesPlusOne - (uint)bytes));
        magazine->Top = top - 1;
        byte* block = top[-1].Block;
        Shared.Write(&cache->Busy, (nuint)handle);
        return block;
    }

    // Pop found the magazine empty, or the gate closed, and has said that it is inside.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void* PopAfterRefill<TSlowPath>(nint handle, uint flags, nuint bytes, ThreadCache* cache, ThreadState* thread)
        where TSlowPath : struct, ISlowPath
    {
        byte* block = TakeUncommon(cache, bytes);
        Shared.Write(&cache->Busy, (nuint)handle);
        return block != null ? block : TSlowPath.Allocate(handle, flags, bytes, thread);
    }

    // The same for the process heap.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void* PopAfterRefill<TSlowPath>(nuint bytes, ThreadCache* cache)
        where TSlowPath : struct, ISlowPath
    {
        byte* block = TakeUncommon(cache, bytes);
        Shared.Write(&cache->Busy, (nuint)ProcessHandle);
        return block != null ? block : TSlowPath.AllocateProcess(bytes);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void* PopLarger<TSlowPath>(nint handle, uint flags, nuint bytes, ThreadCache* cache, ThreadState* thread)
        where TSlowPath : struct, ISlowPath
    {
        byte* block = TryPopLarger(cache, handle, bytes);
        return block != null ? block : TSlowPath.Allocate(handle, flags, bytes, thread);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void* PopLarger<TSlowPath>(nuint bytes, ThreadCache* cache)
        where TSlowPath : struct, ISlowPath
    {
        byte* block = TryPopLarger(cache, ProcessHandle, bytes);
        return block != null ? block : TSlowPath.AllocateProcess(bytes);
    }

    // As Pop for a size beyond the table; null when the magazine has none, or anything else is in the way.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* TryPopLarger(ThreadCache* cache, nint handle, nuint bytes)
    {
        if (bytes > SizeClass.LargestBytes || cache->Busy != (nuint)handle)
        {
            return null;
        }

        // Partner: Gate.CloseLocked.
        Shared.Write(&cache->Busy, ThreadCache.Nowhere);
        Magazine* magazine = ThreadCache.MagazineOf(cache, SizeClass.OfLarger(bytes));
        Round* top;

        // The gate first: as long as it is closed, who has closed it may be emptying the magazine.
        if (!ThreadCache.HasSlabs(cache) || (top = magazine->Top) == magazine->Base)
        {
            Shared.Write(&cache->Busy, (nuint)handle);
            return null;
        }

        byte* block = top[-1].Block;

        // The next one, or what lies in front of the rounds: pages that were freed in random order come back in such, and 10,000 blocks of 4 KiB take 13 ns each in place of 16.
        // Of smaller blocks it brings nothing.
        Cpu.Fetch(top[-2].Block);
        magazine->Top = top - 1;
        BlockState.SetSlabLive(top[-1].State, magazine->BlockBytesPlusOne - 1 - bytes);
        Shared.Write(&cache->Busy, (nuint)handle);
        return block;
    }

    // As Pop for any class that holds the size; the state may take three bytes.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void* PopClass(ThreadCache* cache, nint handle, uint index, nuint bytes, bool mayBorrow)
    {
        byte* block = null;
        if (cache->Busy == (nuint)handle)
        {
            // Partner: Gate.CloseLocked.
            Shared.Write(&cache->Busy, ThreadCache.Nowhere);

            // Blocks of a fitted heap have no room for a long slack, and start anywhere.
            if (ThreadCache.HasSlabs(cache))
            {
                block = TakeInside(cache, index, bytes, mayBorrow);
            }

            Shared.Write(&cache->Busy, (nuint)handle);
        }

        return block;
    }

    // A live block through the cache of a thread that is inside the heap; null when that is not to be had so simply.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* TakeInside(ThreadCache* cache, uint index, nuint bytes, bool mayBorrow)
    {
        Magazine* magazine = ThreadCache.MagazineOf(cache, index);
        if (magazine->Top == magazine->Base)
        {
            return TakeFromBin(cache->Heap, cache, index, bytes, mayBorrow);
        }

        Round* top = --magazine->Top;
        BlockState.SetSlabLive(top->State, magazine->BlockBytesPlusOne - 1 - bytes);
        return top->Block;
    }

    // The rest of TakeInside: the magazine has none.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static byte* TakeFromBin(HeapState* heap, ThreadCache* cache, uint index, nuint bytes, bool mayBorrow)
    {
        if (mayBorrow && index >= SizeClass.TableCount)
        {
            index = LenderOf(heap, cache, index);
        }

        Magazine* magazine = ThreadCache.MagazineOf(cache, index);
        Round round = default;
        if (magazine->Top != magazine->Base)
        {
            round = *--magazine->Top;
        }
        else if (HeapState.HasBin(heap, index) && (round.Block = TakeSmall(heap, cache, index)) != null)
        {
            round.State = AddressMap.StateOf(round.Block);
            byte* sampled = heap->Checks == null ? null : TakeSampled(heap, magazine, &round, bytes);
            if (sampled != null)
            {
                return sampled;
            }
        }

        if (round.Block != null)
        {
            BlockState.SetLive(round.State, magazine->BlockBytesPlusOne - 1 - bytes);
        }

        return round.Block;
    }
}
