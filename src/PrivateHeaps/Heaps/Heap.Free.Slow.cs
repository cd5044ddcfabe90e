using System.Runtime.CompilerServices;
using PrivateHeaps.Checks;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>What of a free does not end in a magazine at once, and what every other call asks of a block; see Heap.Free.cs.</summary>
internal static unsafe partial class Heap
{
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
                freed = TryEnd(state, tag);
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
    /// block in the heap, or it is in the hand of the interrupted call. The kind of the tag that was found holds from then on: a slab stays as long as somebody is inside, and
    /// other blocks are claimed by their tag.
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
            bool isInterrupted = Gate.IsInterrupted(self, cache);
            if (!found || bias == Bias.Held || (isInterrupted && IsInHand(self, heap, block)))
            {
                entry = null;
                return true;
            }

            if (bias == Bias.None || (cache != null && bias == PageEntry.BiasOf(cache->TagBase)) || heap->SharesCache || isInterrupted)
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

    // The slab of the bin to which the page belongs; null when no cache has its bias, or the page is none of the bin's any more: the owner asks nobody before it ends a slab.
    private static Slab* ChangeBias(Bin* bin, PageEntry* entry, uint tag, uint bias)
    {
        OsLock.Enter(&bin->Lock);
        uint now = Shared.Read(&entry->Tag);
        Slab* slab = null;
        if (PageEntry.WithBias(now, Bias.None) == PageEntry.WithBias(tag, Bias.None) && PageEntry.BiasOf(now) is not (Bias.None or Bias.Vacant))
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
                Magazine.MakeRoom(magazine, bin, &heap->Depots, &heap->Regions, index, ThreadCache.BiasOf(cache));
            }
        }
        else
        {
            Round round = new() { Block = block, State = state };
            OsLock.Enter(&bin->Lock);
            Bin.Give(bin, &heap->Regions, &round, 1, Bias.None);
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
