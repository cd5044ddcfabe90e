using PrivateHeaps.Heaps;
using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Explorer;

/// <summary>No block of a heap is lost and none is in two places, at the end of a schedule.</summary>
internal static unsafe class Conservation
{
    /// <summary>Checks the heap, which holds so many live blocks.</summary>
    public static void Check(ThreadState* self, nint handle, int liveBlocks)
    {
        HeapState* heap = HeapRegistry.Find(handle);
        Finding.Unless(heap != null, "the heap is there");
        Finding.Unless(heap->Gate == 0 && heap->Visitors == 0, "the gate is open and nobody is inside");
        HashSet<nint> free = [];
        for (ThreadCache* cache = heap->Caches; cache != null; cache = cache->Next)
        {
            Finding.Unless(ThreadCache.IsOutside(cache->Busy), "nobody says that he is inside");
            Finding.Unless(cache->Handle == handle && ThreadCache.IsOpenFor(cache, 0), "every cache of the heap is open");
            for (uint index = 0; index < SizeClass.Count; index++)
            {
                Magazine* magazine = ThreadCache.MagazineOf(cache, index);
                Add(free, heap, index, magazine->Base, Magazine.Count(magazine));
                AddAll(free, heap, index, magazine->Spare, onlyFirst: true);
            }
        }

        foreach (nint left in new ReadOnlySpan<nint>(&heap->Left, HeapState.LeftBlocks))
        {
            Finding.Unless(left == 0 || free.Add(left), "a free block is in one magazine only");
        }

        for (uint index = 0; index < HeapState.BinCount(heap); index++)
        {
            AddAll(free, heap, index, HeapState.BinOf(heap, index)->Depot, onlyFirst: false);
            AddAll(free, heap, index, heap->Depots == null ? null : ((Depot*)heap->Depots + index)->Full, onlyFirst: false);
        }

        HeapTotals totals = default;
        Finding.Unless(Heap.Validate(self, handle, 0) && Heap.Summarize(self, handle, &totals), "the heap is sound");
        Finding.Unless((int)totals.BlockCount == liveBlocks, "as many blocks live as the threads hold");
        CheckSlabs(heap, free);
        nuint largest;
        Finding.Unless(Heap.Compact(self, handle, 0, &largest) && Heap.Validate(self, handle, 0), "the heap is sound when its magazines are empty");
    }

    private static void CheckSlabs(HeapState* heap, HashSet<nint> free)
    {
        for (Region* region = heap->Regions.First; region != null; region = region->Next)
        {
            for (uint page = Region.HeaderPages; page < region->TouchedPages; page++)
            {
                PageEntry* entry = AddressMap.EntryOf(region->Base + page * 4096);
                if (entry->Tag == 0 || entry->Kind >= PageEntry.FirstSpecialKind)
                {
                    continue;
                }

                Slab* slab = (Slab*)entry->Owner;
                for (uint slot = 0; slot < slab->SlotCount; slot++)
                {
                    byte* block = slab->Base + slot * slab->BlockBytes;
                    bool isLive = BlockState.IsBlock(*AddressMap.StateOf(block));
                    bool isFree = Slab.IsFreeInSlab(slab, slot);
                    int places = (isLive ? 1 : 0) + (isFree ? 1 : 0) + (free.Contains((nint)block) ? 1 : 0);
                    Finding.Unless(places >= 1, "no block is lost");
                    Finding.Unless(places == 1, "a block is live or free, and in one place");
                }

                page += slab->PageCount - 1;
            }
        }
    }

    private static void AddAll(HashSet<nint> free, HeapState* heap, uint index, Rounds* rounds, bool onlyFirst)
    {
        for (; rounds != null; rounds = onlyFirst ? null : rounds->Next)
        {
            Add(free, heap, index, Rounds.Items(rounds), rounds->Count);
        }
    }

    private static void Add(HashSet<nint> free, HeapState* heap, uint index, Round* rounds, uint count)
    {
        for (uint i = 0; i < count; i++)
        {
            Finding.Unless(free.Add((nint)rounds[i].Block), "a free block is in one magazine only");
            Finding.Unless(heap->IsFitted || AddressMap.EntryOf(rounds[i].Block)->Kind == index, "a magazine has blocks of its class");
        }
    }
}
