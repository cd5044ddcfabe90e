using PrivateHeaps.Foundation;
using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>Checks the conservation laws that the structures state, over a whole heap that stands still.</summary>
internal static unsafe class Verification
{
    public static bool IsSound(HeapState* heap)
    {
        for (Region* region = heap->Regions.First; region != null; region = region->Next)
        {
            if (!(heap->IsFitted ? IsFittedSound(heap, region) : IsRegionSound(heap, region)))
            {
                return false;
            }
        }

        for (Region* solo = heap->Regions.FirstSolo; solo != null; solo = solo->Next)
        {
            PageEntry* entry = AddressMap.EntryOf(solo->FirstBlock);
            byte state = *AddressMap.StateOf(solo->FirstBlock);
            uint kind = solo->Kind == RegionKind.Guarded ? PageEntry.GuardedKind : PageEntry.SoloKind;
            bool sound = (entry->Tag & PageEntry.UnbiasedMask) == (heap->Regions.TagBase | kind)
                && IsMarkSound(kind, entry, state)
                && entry->Owner == solo
                && entry->Pages == solo->PageCount
                && BlockState.IsBlock(state);
            if (!sound)
            {
                return false;
            }
        }

        return UserValues.AreSound(heap) && (heap->IsFitted || AreBinsSound(heap));
    }

    private static bool IsRegionSound(HeapState* heap, Region* region)
    {
        bool counted = region->TouchedPages <= region->CommittedPages
            && region->CommittedPages <= region->PageCount
            && region->PageCount - RunMap.CountSet(region->Pages.Words, 0, region->PageCount) == region->Pages.FreeCount
            && RunMap.UsedEnd(&region->Pages, 0, region->PageCount) >= region->Pages.Hint;
        for (uint page = Region.HeaderPages; counted && page < region->TouchedPages;)
        {
            byte* address = region->Base + ((nuint)page << Units.PageShift);
            PageEntry* entry = AddressMap.EntryOf(address);
            if (RunMap.IsFreeAt(&region->Pages, page))
            {
                counted = entry->Tag == 0;
                page++;
                continue;
            }

            uint pages = RunPages(heap, region, address, entry);
            counted = pages != 0 && RunMap.UsedEnd(&region->Pages, page, page + pages) == page + pages;
            page += pages;
        }

        return counted;
    }

    // Pages of the slab or large block that starts at the address; 0 when something is wrong with it.
    private static uint RunPages(HeapState* heap, Region* region, byte* address, PageEntry* entry)
    {
        if (PageEntry.TagBaseOf(entry->Tag) != heap->Regions.TagBase)
        {
            return 0;
        }

        if (entry->Kind == PageEntry.LargeKind)
        {
            byte first = *AddressMap.StateOf(address);
            bool sound = entry->Owner == region
                && entry->Pages != 0
                && (BlockState.IsBlock(first) ? IsMarkSound(entry->Kind, entry, first) : heap->IsChecked);
            return sound ? entry->Pages : 0;
        }

        Slab* slab = (Slab*)entry->Owner;
        bool counted = slab->Base == address
            && slab->Region == region
            && slab->Class == entry->Kind
            && Slab.CountFree(slab) == slab->FreeCount
            && IsBiasSound(slab, PageEntry.BiasOf(entry->Tag))
            && (slab->FreeCount != 0) == (slab->Previous != null);
        for (uint slot = 0; counted && slot < slab->SlotCount; slot++)
        {
            byte* state = AddressMap.StateOf(slab->Base + (nuint)slot * slab->BlockBytes);
            counted = !BlockState.IsBlock(*state)
                || (!Slab.IsFreeInSlab(slab, slot) && BlockState.Slack(state) <= slab->BlockBytes);
        }

        return counted ? slab->PageCount : 0;
    }

    // A vacant slab has no block in use; and the pages say what the slab says, unless a thread that a fork left behind was making it common.
    private static bool IsBiasSound(Slab* slab, uint bias) =>
        (bias == slab->Bias || bias == Bias.Changing) && (bias != Bias.Vacant || slab->FreeCount == slab->SlotCount);

    // A large block is held by its tag and its state, or by neither. One on guard pages is by its state alone.
    private static bool IsMarkSound(uint kind, PageEntry* entry, byte state) =>
        kind == PageEntry.GuardedKind || (PageEntry.BiasOf(entry->Tag) == Bias.Held) == BlockState.IsHeld(state);

    private static bool AreBinsSound(HeapState* heap)
    {
        for (uint index = 0; index < HeapState.BinCount(heap); index++)
        {
            Bin* bin = HeapState.BinOf(heap, index);
            uint free = 0;
            Slab* previous = bin->Partial == null ? null : bin->Partial->Previous;
            bool sawWhole = false;
            for (Slab* slab = bin->Partial; slab != null; slab = slab->Next)
            {
                bool isWhole = slab->FreeCount == slab->SlotCount;
                if (slab->Class != index || slab->FreeCount == 0 || slab->Previous != previous || (sawWhole && !isWhole))
                {
                    return false;
                }

                sawWhole = isWhole;
                free += slab->FreeCount;
                previous = slab;
            }

            uint rounds = 0;
            for (Rounds* full = bin->Depot; full != null; full = full->Next)
            {
                rounds++;
            }

            if (free != bin->FreeCount || rounds != bin->DepotCount || Depots.CountFull(&heap->Depots, index) < 0)
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsFittedSound(HeapState* heap, Region* region)
    {
        RunMap* granules = &heap->Fitted.Granules;
        bool sound = granules->Count - RunMap.CountSet(granules->Words, 0, granules->Count) == granules->FreeCount;
        uint touched = Bits.Max(region->TouchedPages * Units.GranulesPerPage, 1);
        sound &= RunMap.FreeEnd(granules, touched, granules->Count) == granules->Count;
        for (uint granule = 1; sound && granule < touched;)
        {
            byte* address = region->Base + ((nuint)granule << Units.GranuleShift);
            byte* state = AddressMap.StateOf(address);
            if (RunMap.IsFreeAt(granules, granule))
            {
                sound = *state == BlockState.Dead;
                granule++;
                continue;
            }

            uint length = *state < BlockState.FollowingBase ? (uint)(FittedHeap.BlockBytes(&heap->Regions, address) >> Units.GranuleShift) : 0;
            sound = length != 0 && length <= granules->Count - granule && RunMap.UsedEnd(granules, granule, granule + length) == granule + length;
            granule += length;
        }

        return sound;
    }
}
