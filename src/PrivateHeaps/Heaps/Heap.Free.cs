using System.Runtime.CompilerServices;
using PrivateHeaps.Checks;
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
///   PushCommon                         a live block of a slab that several threads free from: the same by compare-exchange
///   PushLarger, PushLargerCommon       a live block of a page or more, as Push and as PushCommon
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

    /// <summary>As <see cref="Free{TSlowPath}"/>, without flags and for a face that has the cache at hand.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int FreeTo<TSlowPath>(ThreadCache* cache, ThreadState* thread, nint handle, void* block)
        where TSlowPath : struct, ISlowPath =>
        Push<TSlowPath>(cache, thread, handle, 0, block);

    /// <summary>As <see cref="Free{TSlowPath}"/> for the process heap, without flags.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int FreeProcess<TSlowPath>(ThreadCache* cache, void* block)
        where TSlowPath : struct, ISlowPath =>
        Push<TSlowPath>(cache, null, ProcessHandle, 0, block);

    // The happy case. The address may be anything: page entry and state byte are looked up by arithmetic and decide. A tag with the bias of the cache says that no
    // other thread changes the state of a live block here, so plain stores do; see Bias.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Push<TSlowPath>(ThreadCache* cache, ThreadState* thread, nint handle, uint flags, void* block)
        where TSlowPath : struct, ISlowPath
    {
        // Busy comes first: the closed cache is always busy, so nothing below runs before the engine has started. Who does not look comes with a
        // cache of a heap, and so after that.
        nuint turned = AddressMap.Turn(block);
        byte* window;
        if ((TSlowPath.LooksAtBusy && cache->Busy != ThreadCache.Idle) || !AddressMap.IsPossibleBlock(turned) || (window = AddressMap.WindowOfTurned(turned)) == null)
        {
            return TSlowPath.Free(block, thread, handle, flags);
        }

        // Partners: Gate.CloseLocked; and, for the slab in which the block lies, Gate.TakeWatched and Gate.AwaitOwner.
        Shared.Write(&cache->Busy, (nuint)block);
        nuint below = Shared.Read(&cache->OpenTag) - Shared.Read(&AddressMap.EntryOfTurned(window, turned)->Tag);
        byte* state = AddressMap.StateOfTurned(window, turned);

        // Of larger blocks the state lies elsewhere.
        if ((!TSlowPath.IsProcess && Shared.Read(&cache->OpenHandle) != handle) || below >= PageEntry.FirstStateKind || !BlockState.IsLive(Shared.Read(state)))
        {
            Shared.Write(&cache->Busy, ThreadCache.Idle);
            return PushCommon<TSlowPath>(block, cache, thread, handle, flags);
        }

        Shared.Write(state, BlockState.Dead);
        return PushDead(cache, ThreadCache.MagazineBelow(cache, below), block, state);
    }

    /// <summary>
    /// Goes into the heap at a live block of its slabs, of any bias: the magazine of the block's class, the caller clears the cache's Busy in the end. Null, and not
    /// inside, for everything that a fast path does not serve.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Magazine* EnterAtBlock(ThreadState* thread, nint handle, void* block, out ThreadCache* cache, out byte* state, out uint bias)
    {
        nuint turned = AddressMap.Turn(block);
        byte* window;
        cache = CacheFor(thread, handle);
        state = null;
        bias = 0;
        if (cache->Busy != ThreadCache.Idle || !AddressMap.IsPossibleBlock(turned) || (window = AddressMap.WindowOfTurned(turned)) == null)
        {
            return null;
        }

        // Partner: Gate.CloseLocked.
        Shared.Write(&cache->Busy, (nuint)block);
        uint tag = Shared.Read(&AddressMap.EntryOfTurned(window, turned)->Tag);
        uint index = (tag - cache->TagBase) & PageEntry.UnbiasedMask;
        bias = PageEntry.BiasOf(tag);
        state = index < PageEntry.FirstStateKind ? AddressMap.StateOfTurned(window, turned) : AddressMap.StateIn(window, (nuint)block, tag);
        if (Shared.Read(&cache->OpenHandle) == handle && index < SizeClass.Count && BlockState.IsLive(Shared.Read(state)))
        {
            return ThreadCache.MagazineOf(cache, index);
        }

        Shared.Write(&cache->Busy, ThreadCache.Idle);
        return null;
    }

    // Push has filled the magazine, and is still inside the heap.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int MakeRoomAfterPush(ThreadCache* cache, Magazine* magazine)
    {
        HeapState* heap = cache->Heap;
        uint index = ThreadCache.IndexOf(cache, magazine);
        Bin* bin = HeapState.BinOf(heap, index);
        Magazine.MakeRoom(magazine, bin, &heap->Depots, &heap->Regions, index);
        if (Shared.Read(&bin->HasFreeSlab))
        {
            DropFreeSlabs(heap, cache, bin);
        }

        ReturnSurplus(heap, cache);
        Shared.Write(&cache->Busy, ThreadCache.Idle);
        return 1;
    }

    // As Push for a live block of a common slab, by compare-exchange. Push has looked at the address and left the heap again: to stay inside would keep a register of its
    // happy case for that. The arguments come in the order in which free has them, so that the jump here moves none. This one and the next two are too long to be
    // inlined; were they marked so, their last calls would not be jumps.
    private static int PushCommon<TSlowPath>(void* block, ThreadCache* cache, ThreadState* thread, nint handle, uint flags)
        where TSlowPath : struct, ISlowPath
    {
        byte* window = AddressMap.KnownWindowOf((nuint)block);

        // Partners: those of Push.
        Shared.Write(&cache->Busy, (nuint)block);
        PageEntry* entry = AddressMap.EntryIn(window, (nuint)block);
        uint index = Shared.Read(&entry->Tag) - PageEntry.WithBias(cache->TagBase, Bias.None);
        if (index >= PageEntry.FirstStateKind)
        {
            return PushLarger<TSlowPath>(block, cache, thread, handle, flags, entry);
        }

        byte* state = AddressMap.StateIn(window, (nuint)block);
        if (Shared.Read(&cache->OpenHandle) == handle && BlockState.TryKillAtOnce(state))
        {
            return PushDead(cache, ThreadCache.MagazineOf(cache, index), block, state);
        }

        Shared.Write(&cache->Busy, ThreadCache.Idle);
        return TSlowPath.Free(block, thread, handle, flags);
    }

    // The rest of PushCommon, still inside: as Push for a block of a page or more, whose state lies in its page entry.
    private static int PushLarger<TSlowPath>(void* block, ThreadCache* cache, ThreadState* thread, nint handle, uint flags, PageEntry* entry)
        where TSlowPath : struct, ISlowPath
    {
        uint index = Shared.Read(&entry->Tag) - cache->TagBase;
        byte* state = PageEntry.StateOf(entry);
        if (Shared.Read(&cache->OpenHandle) == handle
            && index - PageEntry.FirstStateKind < SizeClass.Count - PageEntry.FirstStateKind
            && PageEntry.IsStart(entry, (nuint)block)
            && BlockState.IsLive(Shared.Read(state)))
        {
            Shared.Write(state, BlockState.Dead);
            return PushDead(cache, ThreadCache.MagazineOf(cache, index), block, state);
        }

        return PushLargerCommon<TSlowPath>(block, cache, thread, handle, flags, entry);
    }

    // As PushCommon for such a block, still inside.
    private static int PushLargerCommon<TSlowPath>(void* block, ThreadCache* cache, ThreadState* thread, nint handle, uint flags, PageEntry* entry)
        where TSlowPath : struct, ISlowPath
    {
        uint index = Shared.Read(&entry->Tag) - PageEntry.WithBias(cache->TagBase, Bias.None);
        byte* state = PageEntry.StateOf(entry);
        if (Shared.Read(&cache->OpenHandle) == handle
            && index - PageEntry.FirstStateKind < SizeClass.Count - PageEntry.FirstStateKind
            && PageEntry.IsStart(entry, (nuint)block)
            && BlockState.TryKillAtOnce(state))
        {
            return PushDead(cache, ThreadCache.MagazineOf(cache, index), block, state);
        }

        Shared.Write(&cache->Busy, ThreadCache.Idle);
        return TSlowPath.Free(block, thread, handle, flags);
    }

    // Leaves the heap with a block that has just been made dead in the magazine of its class.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int PushDead(ThreadCache* cache, Magazine* magazine, void* block, byte* state)
    {
        Round* top = magazine->Top;
        top->Block = (byte*)block;
        top->State = state;
        magazine->Top = top + 1;
        if (top + 1 == magazine->Limit)
        {
            return MakeRoomAfterPush(cache, magazine);
        }

        Shared.Write(&cache->Busy, ThreadCache.Idle);
        return 1;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool FreeSlow(ThreadState* thread, nint handle, uint flags, void* block)
    {
        ThreadState* self = Threads.Attach(thread);
        HeapState* heap = HeapRegistry.Find(handle);
        if (heap != null && heap->Checks != null)
        {
            return FreeChecked(thread, self, handle, flags, block);
        }

        if (heap == null || !EnterToChange(self, heap, handle, flags, block, out ThreadCache* cache, out PageEntry* entry, out byte* state, out uint tag))
        {
            return RefuseHandle(thread, handle, HeapCall.Free, flags, false) != 0;
        }

        nuint bytes = 0;
        bool freed = entry != null;
        if (freed)
        {
            if (heap->IsCounted)
            {
                bytes = RequestedBytes(heap, block, entry, state);
            }

            if (UserValues.IsUsed(&heap->UserValues))
            {
                tag = HoldWithoutValue(heap, block, entry, state, tag);
            }

            if (tag == 0)
            {
                freed = false;
            }
            else if (Gate.IsInterrupted(self, cache) && PageEntry.KindOf(tag) < SizeClass.Count)
            {
                freed = !IsInHand(self, heap, block) && TryEnd(state, tag);
                if (freed)
                {
                    FreeInterrupted(heap, (byte*)block, state);
                }
            }
            else
            {
                freed = FreeInside(heap, cache, (byte*)block, entry, state, tag);
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

    /// <summary>
    /// As <see cref="Gate.Enter"/>, for who may change the state of the live block at an address, which may be anything: its slab has the bias of the cache, or is
    /// common. Not so for a signal handler that has interrupted its own thread inside the heap, which can wait for nobody. The entry is null when there is no such
    /// block in the heap. The kind of the tag that was found holds from then on: a slab stays as long as somebody is inside, and other blocks are claimed by their tag.
    /// </summary>
    private static bool EnterToChange(
        ThreadState* self,
        HeapState* heap,
        nint handle,
        uint flags,
        void* block,
        out ThreadCache* cache,
        out PageEntry* entry,
        out byte* state,
        out uint tag)
    {
        entry = null;
        state = null;
        tag = 0;
        while (Gate.Enter(self, heap, handle, flags, Gate.At(block), out cache))
        {
            bool found = Locate(heap, block, out entry, out state, out tag);
            uint bias = PageEntry.BiasOf(tag);
            if (!found || bias == Bias.Held)
            {
                entry = null;
                return true;
            }

            if (bias == Bias.None || (cache != null && bias == PageEntry.BiasOf(cache->TagBase)) || heap->SharesCache || Gate.IsInterrupted(self, cache))
            {
                return true;
            }

            // Nobody frees such blocks by plain stores as long as no cache has the number, which none gets while there is a visitor.
            if (bias == Bias.First && cache == null && Shared.Read((nint*)&heap->CacheOfNumber + Bias.First) == 0)
            {
                return true;
            }

            MakeCommon(heap, cache, entry, tag);
        }

        return false;
    }

    // Makes a slab that is biased to another thread's cache common, and leaves the heap. From the first change of its tag on every thread comes here; the second one is
    // made when the other thread cannot be between its look at the tag and its plain store any more. Where the first finds no such slab, it was made common by another, or
    // its owner has taken it out of its bin: then nothing is done, and the caller looks again.
    private static void MakeCommon(HeapState* heap, ThreadCache* cache, PageEntry* entry, uint tag)
    {
        Bin* bin = HeapState.BinOf(heap, PageEntry.KindOf(tag));
        Slab* slab = ChangeBias(bin, entry, tag, Bias.Changing);
        if (slab != null)
        {
            Gate.AwaitOwner(heap, cache, slab);
            ChangeBias(bin, entry, tag, Bias.None);
        }

        Gate.Leave(heap, cache);
    }

    // The slab of the bin to which the page belongs; null when it has no bias, or the page is none of the bin's any more: the owner asks nobody before it ends a slab.
    private static Slab* ChangeBias(Bin* bin, PageEntry* entry, uint tag, uint bias)
    {
        OsLock.Enter(&bin->Lock);
        uint now = Shared.Read(&entry->Tag);
        Slab* slab = null;
        if (PageEntry.WithBias(now, Bias.None) == PageEntry.WithBias(tag, Bias.None) && PageEntry.BiasOf(now) != Bias.None)
        {
            slab = (Slab*)entry->Owner;
            if (bias == Bias.None)
            {
                slab->Bias = bias;
                Bin.NoteShared(bin);
            }

            Slab.SetTag(slab, PageEntry.WithBias(now, bias));
        }

        OsLock.Leave(&bin->Lock);
        return slab;
    }

    // The tag is the one that the block was found by: by now another thread may have freed it, and something else may lie there.
    private static bool FreeInside(HeapState* heap, ThreadCache* cache, byte* block, PageEntry* entry, byte* state, uint tag)
    {
        switch (PageEntry.KindOf(tag))
        {
            case PageEntry.FittedKind:
                return FreeFitted(heap, cache, block, state, tag);
            case PageEntry.LargeKind:
                return FreeLarge(&heap->Regions, block, entry, state, tag);
            case PageEntry.SoloKind:
                return FreeSolo(&heap->Regions, block, entry, state, tag);
            case PageEntry.GuardedKind:
                return FreeGuarded(heap, block, entry, state);
            default:
                bool freed = TryEnd(state, tag);
                if (freed)
                {
                    GiveSmall(heap, cache, PageEntry.KindOf(tag), block, state);
                }

                return freed;
        }
    }

    private static bool FreeFitted(HeapState* heap, ThreadCache* cache, byte* block, byte* state, uint tag)
    {
        // Dead, it is the calling thread's alone, and its length stays what it is.
        if (!TryEnd(state, tag))
        {
            return false;
        }

        Round round = new() { Block = block, State = state };
        uint index = cache == null ? SizeClass.Count : FittedHeap.ClassOf(&heap->Regions, block);
        if (index < SizeClass.Count)
        {
            Magazine* magazine = ThreadCache.MagazineOf(cache, index);
            if (magazine->Top != magazine->Limit || (!Magazine.IsLoaded(magazine) && Magazine.LoadEmpty(magazine, SizeClass.FirstMagazineCapacity(index))))
            {
                Magazine.Push(magazine, block, state);
                return true;
            }
        }

        FittedHeap.Give(&heap->Fitted, &heap->Regions, &round, 1);
        return true;
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
        }
        else
        {
            Round round = new() { Block = block, State = state };
            OsLock.Enter(&bin->Lock);
            Bin.Give(bin, &heap->Regions, &round, 1);
            OsLock.Leave(&bin->Lock);
        }

        if (Shared.Read(&bin->HasFreeSlab))
        {
            DropFreeSlabs(heap, cache, bin);
        }
    }

    /// <summary>Whether a live block of this heap starts at the address, which may be anything; and what is known about it.</summary>
    public static bool Locate(HeapState* heap, void* block, out PageEntry* entry, out byte* state) => Locate(heap, block, out entry, out state, out _);

    /// <summary>As the other one, and by which tag it was found.</summary>
    private static bool Locate(HeapState* heap, void* block, out PageEntry* entry, out byte* state, out uint tag)
    {
        byte* window = AddressMap.WindowOf((nuint)block);
        if (window == null || ((nuint)block & 15) != 0)
        {
            entry = null;
            state = null;
            tag = 0;
            return false;
        }

        entry = AddressMap.EntryIn(window, (nuint)block);
        tag = Shared.Read(&entry->Tag);
        state = AddressMap.StateIn(window, (nuint)block, tag);
        return PageEntry.TagBaseOf(tag) == heap->Regions.TagBase && BlockState.IsLive(Shared.Read(state));
    }

    /// <summary>Bytes of a live block, slack included.</summary>
    private static nuint BlockBytes(HeapState* heap, void* block, PageEntry* entry) => entry->Kind switch
    {
        PageEntry.FittedKind => FittedHeap.BlockBytes(&heap->Regions, (byte*)block),
        PageEntry.LargeKind or PageEntry.SoloKind => (nuint)entry->Pages << Units.PageShift,
        PageEntry.GuardedKind => GuardedBlock.RoomBytes((GuardedBlock*)entry->Owner),
        _ => SizeClass.BlockBytes(entry->Kind),
    };

    /// <summary>The size that was asked for a live block.</summary>
    public static nuint RequestedBytes(HeapState* heap, void* block, PageEntry* entry, byte* state) =>
        BlockBytes(heap, block, entry) - BlockState.Slack(state);
}
