using System.Runtime.CompilerServices;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>
/// Freeing.
/// <code>
/// Free, FreeProcess                    find the thread's cache for the heap
///   Push                               a live block of this heap's slabs: clear its state byte, into the magazine, done
///     MakeRoomAfterPush                that filled the magazine: spare, depot, slab, in this order
///   FreeSlow                           everything else, wrong addresses too
///     Gate.Enter                       wait while the heap stands still
///     Locate                           is it a live block of this heap? If not: refused, nothing touched
///     FreeInside                       granules, page run, mapping; or a block for the magazine, the depot, the slab
/// </code>
/// </summary>
internal static unsafe partial class Heap
{
    /// <summary>Frees a live block of this heap; anything else is refused with BadBlock (null too) or BadHandle.</summary>
    public static bool Free(ThreadState* thread, nint handle, uint flags, void* block) =>
        Free<EngineSlowPath>(thread, handle, flags, block) != 0;

    /// <summary>As <see cref="Free(ThreadState*, nint, uint, void*)"/>, inlined; the face says what it does when the fast path cannot serve.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Free<TSlowPath>(ThreadState* thread, nint handle, uint flags, void* block)
        where TSlowPath : struct, ISlowPath =>
        SlotOf(handle) < thread->TableCount
            ? Push<TSlowPath>(thread->Table[SlotOf(handle)], thread, handle, flags, block)
            : TSlowPath.Free(handle, flags, block, thread);

    /// <summary>As <see cref="Free{TSlowPath}"/>, without flags and for a face that has the cache at hand.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int FreeTo<TSlowPath>(ThreadCache* cache, ThreadState* thread, nint handle, void* block)
        where TSlowPath : struct, ISlowPath =>
        Push<TSlowPath>(cache, thread, handle, 0, block);

    /// <summary>As <see cref="Free{TSlowPath}"/> for the process heap, without flags.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int FreeProcess<TSlowPath>(ThreadState* thread, void* block)
        where TSlowPath : struct, ISlowPath =>
        Push<TSlowPath>(thread->Process, thread, ProcessHandle, 0, block);

    // The happy case. The address may be anything: page entry and state byte are looked up by arithmetic and decide.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Push<TSlowPath>(ThreadCache* cache, ThreadState* thread, nint handle, uint flags, void* block)
        where TSlowPath : struct, ISlowPath
    {
        // Busy comes first: the closed cache is always busy, so nothing below runs before the engine has started. Who does not look comes with a
        // cache of a heap, and so after that.
        nuint turned = AddressMap.Turn(block);
        byte* window;
        if ((TSlowPath.LooksAtBusy && cache->Busy != 0) || !AddressMap.IsPossibleBlock(turned) || (window = AddressMap.WindowOfTurned(turned)) == null)
        {
            return TSlowPath.Free(handle, flags, block, thread);
        }

        if (TSlowPath.SetsBusy)
        {
            // Partner: Gate.CloseLocked.
            Shared.Write(&cache->Busy, 1);
        }

        uint index = AddressMap.EntryOfTurned(window, turned)->Tag - cache->TagBase;
        byte* state = AddressMap.StateOfTurned(window, turned);
        if (Shared.Read(&cache->OpenHandle) != handle || index >= SizeClass.Count || !BlockState.IsLive(*state))
        {
            if (TSlowPath.SetsBusy)
            {
                Shared.Write(&cache->Busy, 0);
            }

            return TSlowPath.Free(handle, flags, block, thread);
        }

        Magazine* magazine = ThreadCache.MagazineOf(cache, index);
        Round* top = magazine->Top;
        *state = BlockState.Dead;
        top->Block = (byte*)block;
        top->State = state;
        magazine->Top = top + 1;
        if (top + 1 == magazine->Limit)
        {
            return MakeRoomAfterPush(cache, index);
        }

        if (TSlowPath.SetsBusy)
        {
            Shared.Write(&cache->Busy, 0);
        }

        return 1;
    }

    /// <summary>
    /// Goes into the heap at a live block of its slabs: the magazine of the block's class, the caller clears the cache's Busy in the end. Null, and not inside, for
    /// everything that a fast path does not serve.
    /// </summary>
    private static Magazine* EnterAtBlock(ThreadState* thread, nint handle, void* block, out ThreadCache* cache, out byte* state)
    {
        nuint turned = AddressMap.Turn(block);
        byte* window;
        cache = SlotOf(handle) < thread->TableCount ? thread->Table[SlotOf(handle)] : null;
        state = null;
        if (cache == null || cache->Busy != 0 || !AddressMap.IsPossibleBlock(turned) || (window = AddressMap.WindowOfTurned(turned)) == null)
        {
            return null;
        }

        // Partner: Gate.CloseLocked.
        Shared.Write(&cache->Busy, 1);
        uint index = AddressMap.EntryOfTurned(window, turned)->Tag - cache->TagBase;
        state = AddressMap.StateOfTurned(window, turned);
        if (Shared.Read(&cache->OpenHandle) == handle && index < SizeClass.Count && BlockState.IsLive(*state))
        {
            return ThreadCache.MagazineOf(cache, index);
        }

        Shared.Write(&cache->Busy, 0);
        return null;
    }

    // Push has filled the magazine, and is still inside the heap.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int MakeRoomAfterPush(ThreadCache* cache, uint index)
    {
        HeapState* heap = cache->Heap;
        Magazine.MakeRoom(ThreadCache.MagazineOf(cache, index), HeapState.BinOf(heap, index), &heap->Depots, &heap->Regions, index);
        ReturnSurplus(heap, cache);
        Shared.Write(&cache->Busy, 0);
        return 1;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool FreeSlow(ThreadState* thread, nint handle, uint flags, void* block)
    {
        ThreadState* self = Threads.Attach(thread);
        HeapState* heap = HeapRegistry.Find(handle);
        if (heap == null || !Gate.Enter(self, heap, handle, flags, out ThreadCache* cache))
        {
            return Refuse(thread, HeapFailure.BadHandle) != 0;
        }

        nuint bytes = 0;
        bool freed = Locate(heap, block, out PageEntry* entry, out byte* state);
        if (freed)
        {
            if (heap->IsCounted)
            {
                bytes = RequestedBytes(heap, block, entry, state);
            }

            if (UserValues.IsUsed(&heap->UserValues))
            {
                UserValues.Remove(&heap->UserValues, block);
            }

            if (self->IsInterrupted && entry->Kind < SizeClass.Count)
            {
                FreeInterrupted(heap, (byte*)block, state);
            }
            else
            {
                freed = FreeInside(heap, cache, (byte*)block, entry, state);
                ReturnSurplus(heap, cache);
            }
        }

        Gate.Leave(heap, cache);
        if (!freed)
        {
            return Refuse(thread, HeapFailure.BadBlock) != 0;
        }

        if (heap->IsCounted)
        {
            Counting.Freed(heap, bytes);
        }

        return true;
    }

    private static bool FreeInside(HeapState* heap, ThreadCache* cache, byte* block, PageEntry* entry, byte* state)
    {
        switch (entry->Kind)
        {
            case PageEntry.FittedKind:
                return FreeFitted(heap, cache, block, state);
            case PageEntry.LargeKind:
                return FreeLarge(&heap->Regions, block, entry, state);
            case PageEntry.SoloKind:
                return FreeSolo(&heap->Regions, block, entry, state);
            default:
                *state = BlockState.Dead;
                GiveSmall(heap, cache, entry->Kind, block, state);
                return true;
        }
    }

    private static bool FreeFitted(HeapState* heap, ThreadCache* cache, byte* block, byte* state)
    {
        uint index = cache == null ? SizeClass.Count : FittedHeap.ClassOf(&heap->Regions, block);
        if (index < SizeClass.Count)
        {
            Magazine* magazine = ThreadCache.MagazineOf(cache, index);
            if (magazine->Top != magazine->Limit || (!Magazine.IsLoaded(magazine) && Magazine.LoadEmpty(magazine, SizeClass.FirstMagazineCapacity(index))))
            {
                *state = BlockState.Dead;
                Magazine.Push(magazine, block, state);
                return true;
            }
        }

        return FittedHeap.Free(&heap->Fitted, &heap->Regions, block);
    }

    private static void GiveSmall(HeapState* heap, ThreadCache* cache, uint index, byte* block, byte* state)
    {
        Bin* bin = HeapState.BinOf(heap, index);
        if (cache != null)
        {
            Magazine* magazine = ThreadCache.MagazineOf(cache, index);
            Magazine.Push(magazine, block, state);
            if (magazine->Top == magazine->Limit)
            {
                Magazine.MakeRoom(magazine, bin, &heap->Depots, &heap->Regions, index);
            }

            return;
        }

        Round round = new() { Block = block, State = state };
        OsLock.Enter(&bin->Lock);
        Bin.Give(bin, &heap->Regions, &round, 1);
        OsLock.Leave(&bin->Lock);
    }

    /// <summary>Whether a live block of this heap starts at the address, which may be anything; and what is known about it.</summary>
    public static bool Locate(HeapState* heap, void* block, out PageEntry* entry, out byte* state)
    {
        byte* window = AddressMap.WindowOf((nuint)block);
        if (window == null || ((nuint)block & 15) != 0)
        {
            entry = null;
            state = null;
            return false;
        }

        entry = AddressMap.EntryIn(window, (nuint)block);
        state = AddressMap.StateIn(window, (nuint)block);
        uint tag = Shared.Read(&entry->Tag);
        return (tag & ~0xFFu) == heap->Regions.TagBase && BlockState.IsLive(Shared.Read(state));
    }

    /// <summary>Bytes of a live block, slack included.</summary>
    private static nuint BlockBytes(HeapState* heap, void* block, PageEntry* entry) => entry->Kind switch
    {
        PageEntry.FittedKind => FittedHeap.BlockBytes(&heap->Regions, (byte*)block),
        PageEntry.LargeKind or PageEntry.SoloKind => (nuint)entry->Pages << Foundation.Units.PageShift,
        _ => SizeClass.BlockBytes(entry->Kind),
    };

    /// <summary>The size that was asked for a live block.</summary>
    public static nuint RequestedBytes(HeapState* heap, void* block, PageEntry* entry, byte* state) =>
        BlockBytes(heap, block, entry) - BlockState.Slack(state);
}
