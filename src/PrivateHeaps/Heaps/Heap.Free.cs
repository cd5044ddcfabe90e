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
///   PushAbroad                         as Push for a block that is not at home
///   PushCommon                         a live block of a slab that several threads free from: the same by compare-exchange
///   PushLarger, PushLargerCommon       a live block of a page or more, as Push and as PushCommon
///   PushFitted                         a live block of a small bounded heap
///   FreeSlow                           everything else, wrong addresses too
///     Gate.Enter                       wait while the heap stands still
///     Locate                           is it a live block of this heap? If not: refused, nothing touched
///     MakeCommon                       a live block of a slab that another thread frees from without that: not from now on
///     FreeInside                       granules, page run, mapping; or a block for the magazine, the depot, the slab
///     FreeChecked                      all of this for a heap with checks
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
        Push<TSlowPath>(CacheFor(thread, handle), thread, handle, flags, block);

    /// <summary>As <see cref="Free{TSlowPath}"/>, for a face that has the cache at hand, and perhaps no thread: null then.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int FreeTo<TSlowPath>(ThreadCache* cache, ThreadState* thread, nint handle, uint flags, void* block)
        where TSlowPath : struct, ISlowPath =>
        Push<TSlowPath>(cache, thread, handle, flags, block);

    /// <summary>As <see cref="Free{TSlowPath}"/> for the process heap, without flags.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int FreeProcess<TSlowPath>(ThreadCache* cache, void* block)
        where TSlowPath : struct, ISlowPath =>
        Push<TSlowPath>(cache, null, ProcessHandle, 0, block);

    // The happy case: a block at home. What is for the process heap alone has jumps of its own, whose arguments are those of free; a conditional expression would cost a register.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Push<TSlowPath>(ThreadCache* cache, ThreadState* thread, nint handle, uint flags, void* block)
        where TSlowPath : struct, ISlowPath
    {
        // Busy comes first: that of the closed cache is no handle, so nothing below runs before the engine has started.
        Home* home = Home.Current;
        nuint granule;
        if (cache->Busy != (nuint)handle || !Home.Holds(granule = Home.GranuleOf(home, AddressMap.Turn(block))))
        {
            if (TSlowPath.IsProcess)
            {
                return PushAbroad<TSlowPath>(block, cache);
            }

            return PushAbroad<TSlowPath>(handle, flags, block, cache, thread);
        }

        // Partners: Gate.CloseLocked; and, for the slab in which the block lies, Gate.TakeWatched and Gate.AwaitOwner.
        Shared.Write(&cache->Busy, (nuint)block);
        return PushInside<TSlowPath>(handle, flags, block, cache, thread, Home.StateAt(home, granule), BelowOpen(cache, AddressMap.EntryIn(home->Window, (nuint)block)));
    }

    // How far the tag of the page is below the cache's: a class if the block lies in a slab with the bias of this cache.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nuint BelowOpen(ThreadCache* cache, PageEntry* entry) => Shared.Read(&cache->OpenTag) - Shared.Read(&entry->Tag);

    // The address may be anything: page entry and state byte are looked up by arithmetic and decide. A tag with the bias of the cache says that no
    // other thread changes the state of a live block here, so plain stores do; see Bias.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int PushInside<TSlowPath>(nint handle, uint flags, void* block, ThreadCache* cache, ThreadState* thread, byte* state, nuint below)
        where TSlowPath : struct, ISlowPath
    {
        // Of larger blocks the state lies elsewhere.
        if (below >= PageEntry.FirstStateKind || !BlockState.IsLive(Shared.Read(state)))
        {
            void* given = (void*)Shared.Read(&cache->Busy);
            Shared.Write(&cache->Busy, (nuint)handle);
            if (TSlowPath.IsProcess)
            {
                // The same block, but not by way of a register that the happy case would then keep for it.
                return PushCommon<TSlowPath>(handle, flags, given, cache, thread);
            }

            return PushCommon<TSlowPath>(handle, flags, block, cache, thread);
        }

        Shared.Write(state, BlockState.Dead);
        return PushDead(cache, handle, ThreadCache.MagazineBelow(cache, below), block, state);
    }

    // As Push for an address in any other window, or in none. The arguments come in the order in which HeapFree has them, so that the jump here moves none, those of the second
    // in that of free.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int PushAbroad<TSlowPath>(nint handle, uint flags, void* block, ThreadCache* cache, ThreadState* thread)
        where TSlowPath : struct, ISlowPath
    {
        if (cache->Busy != (nuint)handle || !AddressMap.TryFindAbroad(block, out PageEntry* entry, out byte* state))
        {
            return TSlowPath.Free(handle, flags, block, thread);
        }

        // Partners: those of Push.
        Shared.Write(&cache->Busy, (nuint)block);
        return PushInside<TSlowPath>(handle, flags, block, cache, thread, state, BelowOpen(cache, entry));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int PushAbroad<TSlowPath>(void* block, ThreadCache* cache)
        where TSlowPath : struct, ISlowPath =>
        PushAbroad<TSlowPath>(ProcessHandle, 0, block, cache, null);

    /// <summary>
    /// Goes into the heap at a live block of its slabs, of any bias: the magazine of the block's class, the caller clears the cache's Busy in the end. Null, and not
    /// inside, for everything that a fast path does not serve.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Magazine* EnterAtBlock(ThreadState* thread, nint handle, void* block, out ThreadCache* cache, out byte* state, out uint bias)
    {
        cache = CacheFor(thread, handle);
        state = null;
        bias = 0;
        if (cache->Busy != (nuint)handle || !AddressMap.TryFind(block, out PageEntry* entry, out state))
        {
            return null;
        }

        // Partner: Gate.CloseLocked.
        Shared.Write(&cache->Busy, (nuint)block);
        uint tag = Shared.Read(&entry->Tag);
        nuint below = Shared.Read(&cache->OpenTag) - tag;
        bias = PageEntry.BiasOf(tag);
        if (below < PageEntry.FirstStateKind && BlockState.IsLive(Shared.Read(state)))
        {
            return ThreadCache.MagazineBelow(cache, below);
        }

        // Of another bias, or larger.
        uint index = (tag - cache->TagBase) & PageEntry.UnbiasedMask;
        state = index < PageEntry.FirstStateKind ? state : AddressMap.StateIn(entry, state, (nuint)block, tag);
        if (ThreadCache.HasSlabs(cache) && index < SizeClass.Count && BlockState.IsLive(Shared.Read(state)))
        {
            return ThreadCache.MagazineOf(cache, index);
        }

        Shared.Write(&cache->Busy, (nuint)handle);
        return null;
    }

    // Push has filled the magazine, and is still inside the heap.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int MakeRoomAfterPush(ThreadCache* cache, Magazine* magazine)
    {
        HeapState* heap = cache->Heap;
        uint index = ThreadCache.IndexOf(cache, magazine);
        Bin* bin = HeapState.BinOf(heap, index);
        Magazine.MakeRoom(magazine, bin, &heap->Depots, &heap->Regions, index, ThreadCache.BiasOf(cache));
        if (Shared.Read(&bin->HasFreeSlab))
        {
            DropFreeSlabs(heap, cache, bin);
        }

        ReturnSurplus(heap, cache);
        ThreadCache.Leave(cache);
        return 1;
    }

    // As Push for a live block of a common slab, by compare-exchange. Push has looked at the address and left the heap again: to stay inside would keep a register of its
    // happy case for that. The arguments come in the order in which HeapFree has them. This one and the next two are too long to be inlined; were they marked so, their last calls
    // would not be jumps.
    private static int PushCommon<TSlowPath>(nint handle, uint flags, void* block, ThreadCache* cache, ThreadState* thread)
        where TSlowPath : struct, ISlowPath
    {
        if (!AddressMap.TryFind(block, out PageEntry* entry, out byte* state))
        {
            return TSlowPath.Free(handle, flags, block, thread);
        }

        // Partners: those of Push.
        Shared.Write(&cache->Busy, (nuint)block);
        if (!ThreadCache.HasSlabs(cache))
        {
            return PushFitted<TSlowPath>(handle, flags, block, cache, thread, entry);
        }

        uint index = Shared.Read(&entry->Tag) - PageEntry.WithBias(cache->TagBase, Bias.None);
        if (index >= PageEntry.FirstStateKind)
        {
            return PushLarger<TSlowPath>(handle, flags, block, cache, thread, entry);
        }

        if (BlockState.TryKillAtOnce(state))
        {
            return PushDead(cache, handle, ThreadCache.MagazineOf(cache, index), block, state);
        }

        Shared.Write(&cache->Busy, (nuint)handle);
        return TSlowPath.Free(handle, flags, block, thread);
    }

    // The rest of PushCommon, still inside: as Push for a block of a page or more, whose state lies in its page entry.
    private static int PushLarger<TSlowPath>(nint handle, uint flags, void* block, ThreadCache* cache, ThreadState* thread, PageEntry* entry)
        where TSlowPath : struct, ISlowPath
    {
        uint index = Shared.Read(&entry->Tag) - cache->TagBase;
        byte* state = PageEntry.StateOf(entry);
        if (index - PageEntry.FirstStateKind < SizeClass.Count - PageEntry.FirstStateKind
            && PageEntry.IsStart(entry, (nuint)block)
            && BlockState.IsLive(Shared.Read(state)))
        {
            Shared.Write(state, BlockState.Dead);
            return PushDead(cache, handle, ThreadCache.MagazineOf(cache, index), block, state);
        }

        return PushLargerCommon<TSlowPath>(handle, flags, block, cache, thread, entry);
    }

    // As PushCommon for such a block, still inside.
    private static int PushLargerCommon<TSlowPath>(nint handle, uint flags, void* block, ThreadCache* cache, ThreadState* thread, PageEntry* entry)
        where TSlowPath : struct, ISlowPath
    {
        uint index = Shared.Read(&entry->Tag) - PageEntry.WithBias(cache->TagBase, Bias.None);
        byte* state = PageEntry.StateOf(entry);
        if (index - PageEntry.FirstStateKind < SizeClass.Count - PageEntry.FirstStateKind
            && PageEntry.IsStart(entry, (nuint)block)
            && BlockState.TryKillAtOnce(state))
        {
            return PushDead(cache, handle, ThreadCache.MagazineOf(cache, index), block, state);
        }

        Shared.Write(&cache->Busy, (nuint)handle);
        return TSlowPath.Free(handle, flags, block, thread);
    }

    // As PushCommon for a block of a fitted heap, still inside; or the gate is closed.
    private static int PushFitted<TSlowPath>(nint handle, uint flags, void* block, ThreadCache* cache, ThreadState* thread, PageEntry* entry)
        where TSlowPath : struct, ISlowPath
    {
        bool isFreed = ThreadCache.IsOpenFor(cache, 0)
            && Shared.Read(&entry->Tag) == PageEntry.WithBias(cache->TagBase, Bias.None) + PageEntry.FittedKind
            && !UserValues.IsUsed(&cache->Heap->UserValues)
            && FreeFitted(cache->Heap, cache, (byte*)block, AddressMap.ArrayStateOf(block), PageEntry.FittedKind);
        Shared.Write(&cache->Busy, (nuint)handle);
        return isFreed ? 1 : TSlowPath.Free(handle, flags, block, thread);
    }

    // Leaves the heap with a block that has just been made dead in the magazine of its class.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int PushDead(ThreadCache* cache, nint handle, Magazine* magazine, void* block, byte* state)
    {
        Round* top = magazine->Top;
        top->Block = (byte*)block;
        top->State = state;
        magazine->Top = top + 1;
        if (top + 1 == magazine->Limit)
        {
            return MakeRoomAfterPush(cache, magazine);
        }

        Shared.Write(&cache->Busy, (nuint)handle);
        return 1;
    }
}
