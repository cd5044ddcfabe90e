using PrivateHeaps.Checks;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>
/// Free blocks that nobody comes for: each time a heap has grown by a sixteenth, depots, spare mappings and the growing thread's own magazines that were not used since
/// the last time give theirs back to the slabs, so that a program which goes from one size to another grows by the largest of them and not by their sum.
/// </summary>
internal static unsafe partial class Heap
{
    // The heap grows at least this much between two times.
    private const uint ReapPages = 128;
    private const uint ReapFraction = 16;

    // What a class may keep in wholly free slabs while there are other threads: 64 KiB, and 256 KiB in those that take a process barrier to end.
    private const uint KeptOwnPages = 16;
    private const uint KeptFreePages = 64;

    // The calling thread is inside the heap, and holds no lock. Several threads may do this at once, which costs a little and harms nothing.
    private static void ReapIfGrown(HeapState* heap, ThreadCache* cache)
    {
        nuint taken = Shared.Read(&heap->Regions.TakenPages);
        if (taken >= heap->ReapAtPages)
        {
            bool isFirst = heap->ReapAtPages == 0;
            heap->ReapAtPages = taken + Bits.Max(ReapPages, heap->Regions.UsedPages / ReapFraction);
            if (isFirst)
            {
                return;
            }

            Reap(heap, cache, toSystem: false);
            OsLock.Enter(&heap->Regions.Lock);
            SpareMappings.ReleaseIdle(&heap->Regions.Spares, heap->Regions.SoloPages);
            OsLock.Leave(&heap->Regions.Lock);
            ReturnSurplus(heap, cache);
        }
    }

    // Gives what is free beyond what is worth keeping back to the system, under the same conditions.
    private static void ReturnSurplus(HeapState* heap, ThreadCache* cache)
    {
        if (!RegionSet.TakeSurplus(&heap->Regions))
        {
            return;
        }

        Reap(heap, cache, toSystem: true);
        OsLock.Enter(&heap->Regions.Lock);
        nuint kept = RegionSet.KeptPages(&heap->Regions);
        RegionSet.DecommitFree(&heap->Regions, kept);
        nuint left = heap->Regions.Retention.FreePages;
        OsLock.Leave(&heap->Regions.Lock);

        // What lies between live blocks of busy classes counts as used, and goes only from a heap that misses nothing.
        for (uint index = HeapState.BinCount(heap); index-- != 0 && (left > kept || kept == 0);)
        {
            Bin* bin = HeapState.BinOf(heap, index);
            if (Shared.Read(&bin->FreeCount) != 0 && (kept == 0 || SizeClass.PagesOfBlock(index) != 0))
            {
                OsLock.Enter(&bin->Lock);
                left -= Bits.Min(left, Bin.ReturnFree(bin, &heap->Regions));
                OsLock.Leave(&bin->Lock);
            }
        }
    }

    private static void Reap(HeapState* heap, ThreadCache* cache, bool toSystem)
    {
        Slab* free = null;
        uint own = cache == null ? Bias.None : ThreadCache.BiasOf(cache);
        for (uint index = 0; index < HeapState.BinCount(heap); index++)
        {
            Bin* bin = HeapState.BinOf(heap, index);
            if (cache != null)
            {
                Magazine.FlushIfIdle(ThreadCache.MagazineOf(cache, index), bin, &heap->Regions, own);
            }

            bool isBusy = Depots.Flush(&heap->Depots, bin, &heap->Regions, index, own, onlyIdle: true);
            if (Bin.IsEmpty(bin))
            {
                continue;
            }

            bool isIdle = false;
            OsLock.Enter(&bin->Lock);
            if (bin->IsBusy || isBusy)
            {
                bin->IsBusy = false;
                Bin.FlushDepot(bin, &heap->Regions, own);
            }
            else
            {
                Bin.Flush(bin, &heap->Regions, own);
                isIdle = true;
            }

            free = TakeFreeSlabs(heap, cache, bin, free, onlySurplus: !isIdle, takesAll: toSystem);
            if (isIdle && toSystem)
            {
                Bin.ReturnFree(bin, &heap->Regions);
            }

            OsLock.Leave(&bin->Lock);
        }

        DropSlabs(heap, cache, free);
    }

    // Puts the free blocks of every thread's magazines back, so that whole slabs become free for other sizes, and gives spare mappings back: their addresses may be all that is
    // wanting.
    private static bool Reclaim(ThreadState* self, HeapState* heap, nint handle, nuint bytes)
    {
        bool isCached = heap->Caches != null || heap->SharesCache || !heap->IsFitted || heap->Checks != null;
        if (!isCached || bytes > LargestHeapBytes || !Gate.BeginExclusive(self, heap, handle))
        {
            return false;
        }

        FlushAll(heap);
        OsLock.Enter(&heap->Regions.Lock);
        SpareMappings.ReleaseAll(&heap->Regions.Spares);
        OsLock.Leave(&heap->Regions.Lock);
        Gate.EndExclusive(heap);
        Findings.Stop();
        return true;
    }

    /// <summary>Empties all magazines and depots and gives free slabs back. The caller has the heap stand still.</summary>
    private static void FlushAll(HeapState* heap)
    {
        if (heap->Checks != null)
        {
            EmptyQuarantine(heap, HeapCall.Compact);
        }

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

        Slab* free = null;
        for (uint index = 0; index < HeapState.BinCount(heap); index++)
        {
            Bin* bin = HeapState.BinOf(heap, index);
            Depots.Flush(&heap->Depots, bin, &heap->Regions, index, Bias.None, onlyIdle: false);
            OsLock.Enter(&bin->Lock);
            Bin.Flush(bin, &heap->Regions, Bias.None);
            free = Bin.TakeFree(bin, free, onlySurplus: false);
            OsLock.Leave(&bin->Lock);
        }

        DropSlabs(heap, null, free);
    }

    // Whether no other thread uses the heap through a cache. The calling thread is inside with this one.
    private static bool IsAlone(HeapState* heap, ThreadCache* cache) => heap->SharesCache || (cache != null && heap->Caches == cache && cache->Next == null);

    // Gives the wholly free slabs back that a bin can do without. The calling thread is inside the heap with the cache, or without one, or has it stand still, and holds no lock.
    private static void DropFreeSlabs(HeapState* heap, ThreadCache* cache, Bin* bin)
    {
        if (Shared.Read(&bin->FreePages) <= KeptOwnPages && !IsAlone(heap, cache))
        {
            return;
        }

        OsLock.Enter(&bin->Lock);
        Slab* free = TakeFreeSlabs(heap, cache, bin, null, onlySurplus: true, takesAll: false);
        OsLock.Leave(&bin->Lock);
        DropSlabs(heap, cache, free);
    }

    // Takes wholly free slabs out of the bin, in front of a list: those that may end without a process barrier, and all if the bin would keep many of the others, or if no other
    // thread is there. The caller holds the bin's lock.
    private static Slab* TakeFreeSlabs(HeapState* heap, ThreadCache* cache, Bin* bin, Slab* list, bool onlySurplus, bool takesAll)
    {
        list = Bin.TakeFree(bin, list, onlySurplus, cache == null ? Bias.None : ThreadCache.BiasOf(cache));
        return takesAll || bin->FreePages > KeptFreePages || IsAlone(heap, cache) ? Bin.TakeFree(bin, list, onlySurplus) : list;
    }

    // Ends slabs that were taken out of their bins. Nobody may be left who looked at an address in one when it counted as a block's: or he could take what lies
    // there next for a block of the slab, if the program frees a block that it has freed already. To know that takes a process barrier, so it is done for
    // many slabs at once; those that somebody looks into go back into their bins.
    private static void DropSlabs(HeapState* heap, ThreadCache* cache, Slab* list)
    {
        Slab* watched = Gate.TakeWatched(heap, cache, &list);
        for (Slab* slab = list, next; slab != null; slab = next)
        {
            next = slab->Next;
            Slab.Drop(slab, &heap->Regions);
        }

        for (Slab* slab = watched, next; slab != null; slab = next)
        {
            next = slab->Next;
            Bin* bin = HeapState.BinOf(heap, slab->Class);
            OsLock.Enter(&bin->Lock);
            Bin.GiveFree(bin, &heap->Regions, slab);
            OsLock.Leave(&bin->Lock);
        }
    }
}
