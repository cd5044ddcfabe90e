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

    // The calling thread is inside the heap, and holds no lock. Several threads may do this at once, which costs a little and harms nothing.
    private static void ReapIfGrown(HeapState* heap, ThreadCache* cache)
    {
        nuint fresh = Shared.Read(&heap->Regions.FreshPages);
        if (fresh >= heap->ReapAtPages)
        {
            bool isFirst = heap->ReapAtPages == 0;
            heap->ReapAtPages = fresh + Bits.Max(ReapPages, heap->Regions.UsedPages / ReapFraction);
            if (isFirst)
            {
                return;
            }

            Reap(heap, cache, toSystem: false);
            OsLock.Enter(&heap->Regions.Lock);
            SpareMappings.ReleaseIdle(&heap->Regions.Spares);
            OsLock.Leave(&heap->Regions.Lock);
        }
    }

    // Gives what is free beyond what is worth keeping back to the system, under the same conditions.
    private static void ReturnSurplus(HeapState* heap, ThreadCache* cache)
    {
        if (!Shared.Read(&heap->Regions.HasSurplus))
        {
            return;
        }

        heap->Regions.HasSurplus = false;
        Reap(heap, cache, toSystem: true);
        OsLock.Enter(&heap->Regions.Lock);
        RegionSet.DecommitFree(&heap->Regions);
        OsLock.Leave(&heap->Regions.Lock);
    }

    private static void Reap(HeapState* heap, ThreadCache* cache, bool toSystem)
    {
        for (uint index = 0; index < HeapState.BinCount(heap); index++)
        {
            Bin* bin = HeapState.BinOf(heap, index);
            if (cache != null)
            {
                Magazine.FlushIfIdle(ThreadCache.MagazineOf(cache, index), bin, &heap->Regions);
            }

            bool isBusy = Depots.Flush(&heap->Depots, bin, &heap->Regions, index, onlyIdle: true);
            if (bin->Depot == null && bin->FreeCount == 0)
            {
                continue;
            }

            OsLock.Enter(&bin->Lock);
            if (bin->IsBusy || isBusy)
            {
                bin->IsBusy = false;
                Bin.FlushDepot(bin, &heap->Regions);
            }
            else
            {
                Bin.Flush(bin, &heap->Regions);
            }

            if (toSystem)
            {
                Bin.ReturnFree(bin, &heap->Regions);
            }

            OsLock.Leave(&bin->Lock);
        }
    }
}
