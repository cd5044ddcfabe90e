using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Slabs;

namespace PrivateHeaps.Heaps;

/// <summary>
/// Who looks into a slab. Busy holds the address that a thread was given, so a slab that ends or becomes common waits for those alone who look into it, and
/// not for all who are inside.
/// </summary>
internal static unsafe partial class Gate
{
    /// <summary>
    /// Of a list of slabs that were taken out of their bins, takes those into which another thread may be looking that came when their addresses counted as blocks;
    /// all of them when that cannot be told at once. The calling thread is inside with the cache, or as a visitor, or has the heap stand still; it may hold any
    /// lock but CacheLock. Slabs with its own bias need no barrier.
    /// </summary>
    public static Slab* TakeWatched(HeapState* heap, ThreadCache* cache, Slab** list)
    {
        Slab* all = *list;
        if (all == null || heap->SharesCache)
        {
            return null;
        }

        *list = null;

        // Who closes the gate holds CacheLock while he waits for the calling thread.
        if (!OsLock.TryEnter(&heap->CacheLock))
        {
            return all;
        }

        if ((heap->Caches != cache || (cache != null && cache->Next != null)) && !AreOwn(all, cache))
        {
            // Partner: the plain store to Busy in Enter and on the fast paths, and what is read after it there.
            Os.ProcessBarrier();
        }

        Slab* watched = null;
        bool isQuiet = Shared.Read(&heap->Visitors) == (cache == null ? 1 : 0);
        for (Slab* slab = all, next; slab != null; slab = next)
        {
            next = slab->Next;
            Slab** to = isQuiet && (IsOwn(slab, cache) || !IsWatched(heap, cache, slab)) ? list : &watched;
            slab->Next = *to;
            *to = slab;
        }

        OsLock.Leave(&heap->CacheLock);
        return watched;
    }

    private static bool AreOwn(Slab* slab, ThreadCache* cache)
    {
        while (slab != null && IsOwn(slab, cache))
        {
            slab = slab->Next;
        }

        return slab == null;
    }

    // Whether the slab has the bias of the cache: another thread who comes to one of its blocks changes nothing before he has made it common, and looks again for that.
    private static bool IsOwn(Slab* slab, ThreadCache* cache) => slab->Bias == Bias.Vacant || (cache != null && slab->Bias != Bias.None && slab->Bias == ThreadCache.BiasOf(cache));

    // Whether a thread other than the cache's is inside and may be looking into the slab. The caller holds CacheLock.
    private static bool IsWatched(HeapState* heap, ThreadCache* cache, Slab* slab)
    {
        bool isWatched = false;
        for (ThreadCache* other = heap->Caches; other != null && !isWatched; other = other->Next)
        {
            isWatched = other != cache && LooksInto(other, slab);
        }

        return isWatched;
    }

    private static bool LooksInto(ThreadCache* cache, Slab* slab)
    {
        nuint view = Shared.Read(&cache->Busy);
        return view == ThreadCache.Anywhere || (!ThreadCache.IsOutside(view) && view - (nuint)slab->Base < slab->Bytes);
    }

    /// <summary>
    /// Waits until the thread to whose cache the slab is biased was seen not to look into it after this began. The calling thread must be a visitor, or be
    /// inside with the cache and look into the slab, so that it does not go meanwhile. Nobody waits for himself, and the biased thread waits for nobody here, so it leaves.
    /// </summary>
    public static void AwaitOwner(HeapState* heap, ThreadCache* cache, Slab* slab)
    {
        // Partner: the plain store to Busy on the fast paths.
        Os.ProcessBarrier();
        ThreadCache* owner = (ThreadCache*)Shared.Read((nint*)&heap->CacheOfNumber + slab->Bias);
        for (int spin = 0; owner != cache && owner != null && LooksInto(owner, slab); spin++)
        {
            Pause(spin);
        }
    }
}
