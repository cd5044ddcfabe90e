using PrivateHeaps.Checks;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>
/// Blocks on guard pages. In the lists of the heap each is a solo block whose block may start in the middle of its first page; so walks, sums and
/// limits know them. A heap with a maximum has none: they would lie outside of its one range. Under the lock of the heap's checks.
/// </summary>
internal static unsafe partial class Heap
{
    /// <summary>A block on pages of its own, which are zero; null when the heap's limit or the system does not let it have one.</summary>
    private static byte* AllocateGuarded(HeapState* heap, nuint bytes, nuint alignment)
    {
        RegionSet* regions = &heap->Regions;
        nuint pages = (Bits.Max(bytes, 1) + (Units.PageBytes - 1)) >> Units.PageShift;
        if (bytes > LargestHeapBytes || alignment > LargestHeapBytes || !ChargeSolo(regions, pages))
        {
            return null;
        }

        GuardedBlock* guarded = GuardedBlock.Map(bytes, alignment, heap->Checks->Has(HeapChecks.PageHeapBefore), regions->Executable);
        if (guarded == null)
        {
            UnchargeSolo(regions, pages);
            return null;
        }

        Region* region = &guarded->Region;
        OsLock.Enter(&regions->Lock);
        regions->UsedPages += region->PageCount - pages;
        regions->SoloPages += region->PageCount - pages;
        region->Index = regions->LastSolo == null ? 0 : regions->LastSolo->Index + 1;
        RegionSet.Append(&regions->FirstSolo, &regions->LastSolo, region);
        OsLock.Leave(&regions->Lock);
        SetLarge(region->FirstBlock, regions->TagBase | PageEntry.GuardedKind, region->PageCount, region, GuardedBlock.RoomBytes(guarded) - bytes);
        return region->FirstBlock;
    }

    // The last byte has to lie against the page, so only what changes nothing of that stays; what must not move may shrink.
    private static byte* ResizeGuarded(CheckState* checks, BlockRecord* record, PageEntry* entry, byte* state, nuint bytes, bool inPlaceOnly)
    {
        GuardedBlock* guarded = (GuardedBlock*)entry->Owner;
        nuint room = GuardedBlock.RoomBytes(guarded);
        bool stays = bytes <= room && (inPlaceOnly || Bits.RoundUp(bytes, Units.GranuleBytes) == Bits.RoundUp(record->Bytes, Units.GranuleBytes));
        if (!stays)
        {
            return null;
        }

        byte* block = (byte*)record->Address;
        nuint old = record->Bytes;
        SetSlack(state, room - bytes);
        GuardedBlock.FillBorders(guarded, bytes);
        FillFresh(checks, block, old, bytes, 0);
        record->Bytes = bytes;
        return block;
    }

    // Takes a freed block out of the heap and makes it inaccessible; its mapping stays until its record gives it up.
    private static void DetachGuarded(HeapState* heap, byte* block, PageEntry* entry, byte* state)
    {
        GuardedBlock* guarded = (GuardedBlock*)entry->Owner;
        Shared.Write(&entry->Tag, 0);
        nuint granules = (Units.PageBytes - ((nuint)block & (Units.PageBytes - 1))) >> Units.GranuleShift;
        Os.Clear(state, granules);
        Unlist(&heap->Regions, &guarded->Region);
        GuardedBlock.Hide(guarded);
    }

    // A block that has no place in the quarantine.
    private static bool FreeGuarded(HeapState* heap, byte* block, PageEntry* entry, byte* state)
    {
        GuardedBlock* guarded = (GuardedBlock*)entry->Owner;
        DetachGuarded(heap, block, entry, state);
        GuardedBlock.Release(guarded);
        return true;
    }

    private static void Unlist(RegionSet* regions, Region* region)
    {
        OsLock.Enter(&regions->Lock);
        RegionSet.Remove(&regions->FirstSolo, &regions->LastSolo, region);
        regions->UsedPages -= region->PageCount;
        regions->SoloPages -= region->PageCount;
        OsLock.Leave(&regions->Lock);
    }

    // As DetachGuarded, for a mapping that stays accessible.
    private static Region* DetachSolo(RegionSet* regions, PageEntry* entry, byte* state)
    {
        Region* region = (Region*)entry->Owner;
        Shared.Write(&entry->Tag, 0);
        Os.Clear(state, Units.GranulesPerPage);
        Unlist(regions, region);
        return region;
    }

    private static void ReleaseSolo(RegionSet* regions, Region* region)
    {
        OsLock.Enter(&regions->Lock);
        bool kept = SpareMappings.Keep(&regions->Spares, region, regions->SoloPages);
        OsLock.Leave(&regions->Lock);
        if (!kept)
        {
            Leftovers.Release(region->Base, region->Bytes, region->Bytes);
            GiveRegion(region);
        }
    }
}
