using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>Goes through a heap that stands still. Page entries, states and bitmaps say everything; no memory of the caller's is read.</summary>
internal static unsafe partial class Walker
{
    /// <summary>Replaces the entry by the one that follows it; NoMoreEntries, or BadParameter when its address is not of this heap.</summary>
    public static HeapFailure Next(HeapState* heap, WalkEntry* entry)
    {
        RegionSet* regions = &heap->Regions;
        if (entry->Kind == WalkKind.Start)
        {
            return Describe(regions->First, regions, entry);
        }

        Region* region = RegionSet.RegionOf(regions, entry->Address);
        if (region == null)
        {
            Region* solo = entry->Kind is WalkKind.BusyBlock or WalkKind.LargeBlock ? FindSolo(regions, entry->Address) : null;
            return solo == null ? HeapFailure.BadParameter : DescribeSolo(regions, solo->Next, entry);
        }

        switch (entry->Kind)
        {
            case WalkKind.Region:
                return DescribeAt(heap, region, region->FirstBlock, entry);
            case WalkKind.Uncommitted:
                return Describe(region->Next, regions, entry);
            default:
                byte* end = EndOfElement(heap, region, entry->Address);
                return end == null ? HeapFailure.BadParameter : DescribeAt(heap, region, end, entry);
        }
    }

    /// <summary>Sums up the heap.</summary>
    public static void Total(HeapState* heap, HeapTotals* totals)
    {
        *totals = default;
        for (Region* region = heap->Regions.First; region != null; region = region->Next)
        {
            totals->RegionCount++;
            totals->CommittedBytes += region->UsableCommittedBytes;
            totals->ReservedBytes += region->Bytes;
            if (heap->IsFitted)
            {
                TotalFitted(heap, region, totals);
            }
            else
            {
                TotalRuns(region, totals);
            }
        }

        for (Region* solo = heap->Regions.FirstSolo; solo != null; solo = solo->Next)
        {
            totals->CommittedBytes += solo->Bytes;
            totals->ReservedBytes += solo->Bytes;
            AddBlock(totals, solo->Bytes - solo->HeaderBytes - BlockState.Slack(AddressMap.StateOf(solo->FirstBlock)));
        }

        totals->MaximumReserveBytes = totals->ReservedBytes;
    }

    /// <summary>Bytes of the largest free committed range or block.</summary>
    public static nuint LargestFree(HeapState* heap)
    {
        nuint largest = 0;
        for (Region* region = heap->Regions.First; region != null; region = region->Next)
        {
            nuint run = heap->IsFitted
                ? (nuint)RunMap.LongestRun(&heap->Fitted.Granules, region->CommittedPages * Units.GranulesPerPage) << Units.GranuleShift
                : (nuint)RunMap.LongestRun(&region->Pages, region->CommittedPages) << Units.PageShift;
            largest = Bits.Max(largest, run);
        }

        for (uint index = HeapState.BinCount(heap); index-- > 0 && largest < SizeClass.BlockBytes(index);)
        {
            if (HeapState.BinOf(heap, index)->FreeCount != 0)
            {
                largest = SizeClass.BlockBytes(index);
            }
        }

        return largest;
    }

    /// <summary>Overwrites with zeros whatever is free and was ever used; the magazines have been emptied.</summary>
    public static void ClearFree(HeapState* heap)
    {
        for (Region* region = heap->Regions.First; region != null; region = region->Next)
        {
            byte* end = region->Base + ((nuint)region->TouchedPages << Units.PageShift);
            byte* next;
            for (byte* address = region->FirstBlock; address < end; address = next)
            {
                next = EndOfElement(heap, region, address);
                next = next < end ? next : end;
                if (!heap->IsFitted && AddressMap.EntryOf(address)->Tag == 0)
                {
                    ClearPages(region, address, next);
                }
                else if (!BlockState.IsBlock(*AddressMap.StateOf(address)))
                {
                    Os.Clear(address, (nuint)(next - address));
                }
            }

            // What this heap has not used yet may hold what an earlier one left there.
            ClearPages(region, end, region->Base + ((nuint)region->CommittedPages << Units.PageShift));
        }
    }

    // Free pages whose contents were given back stay with the system.
    private static void ClearPages(Region* region, byte* page, byte* end)
    {
        for (; page < end; page += Units.PageBytes)
        {
            if (RunMap.CountSet(region->Dirty, (uint)((nuint)(page - region->Base) >> Units.PageShift), 1) != 0)
            {
                Os.Clear(page, Units.PageBytes);
            }
        }
    }

    private static void TotalRuns(Region* region, HeapTotals* totals)
    {
        for (uint page = Region.HeaderPages; page < region->TouchedPages;)
        {
            byte* address = region->Base + ((nuint)page << Units.PageShift);
            PageEntry* entry = AddressMap.EntryOf(address);
            if (entry->Tag == 0)
            {
                page++;
            }
            else if (entry->Kind == PageEntry.LargeKind)
            {
                // A dead one is in quarantine.
                if (BlockState.IsBlock(*AddressMap.StateOf(address)))
                {
                    AddBlock(totals, ((nuint)entry->Pages << Units.PageShift) - BlockState.Slack(AddressMap.StateOf(address)));
                }

                page += entry->Pages;
            }
            else
            {
                Slab* slab = (Slab*)entry->Owner;
                TotalSlab(slab, totals);
                page += slab->PageCount;
            }
        }
    }

    private static void TotalSlab(Slab* slab, HeapTotals* totals)
    {
        byte* block = slab->Base;
        for (uint slot = 0; slot < slab->SlotCount; slot++, block += slab->BlockBytes)
        {
            byte* state = AddressMap.StateOf(block);
            if (BlockState.IsBlock(*state))
            {
                AddBlock(totals, slab->BlockBytes - BlockState.Slack(state));
            }
        }
    }

    private static void TotalFitted(HeapState* heap, Region* region, HeapTotals* totals)
    {
        byte* end = region->Base + ((nuint)region->TouchedPages << Units.PageShift);
        for (byte* block = region->FirstBlock; block < end; block = EndOfElement(heap, region, block))
        {
            byte* state = AddressMap.StateOf(block);
            if (BlockState.IsBlock(*state))
            {
                AddBlock(totals, FittedHeap.BlockBytes(&heap->Regions, block) - BlockState.Slack(state));
            }
        }
    }

    private static void AddBlock(HeapTotals* totals, nuint bytes)
    {
        totals->BlockCount++;
        totals->AllocatedBytes += bytes;
        totals->LargestBlockBytes = Bits.Max(totals->LargestBlockBytes, bytes);
    }

    private static HeapFailure Describe(Region* region, RegionSet* regions, WalkEntry* entry)
    {
        if (region == null)
        {
            return DescribeSolo(regions, regions->FirstSolo, entry);
        }

        *entry = default;
        entry->Kind = WalkKind.Region;
        entry->RegionIndex = region->Index;
        entry->Address = region->Base;
        entry->FirstBlock = region->FirstBlock;
        entry->Bytes = region->Bytes;
        entry->OverheadBytes = Region.StructureBytes(region->PageCount);
        entry->CommittedBytes = region->UsableCommittedBytes;
        entry->UncommittedBytes = region->Bytes - entry->CommittedBytes;
        entry->RegionEnd = region->Base + region->Bytes;
        return HeapFailure.None;
    }

    private static HeapFailure DescribeSolo(RegionSet* regions, Region* solo, WalkEntry* entry)
    {
        if (solo == null)
        {
            return HeapFailure.NoMoreEntries;
        }

        *entry = default;
        entry->Kind = WalkKind.LargeBlock;
        entry->RegionIndex = regions->RegionCount + solo->Index;
        entry->Address = solo->FirstBlock;
        entry->OverheadBytes = BlockState.Slack(AddressMap.StateOf(solo->FirstBlock));
        entry->Bytes = solo->Bytes - solo->HeaderBytes - entry->OverheadBytes;
        return HeapFailure.None;
    }

    // What starts at an address of the region: a block busy or free, then the uncommitted rest, then the next region.
    private static HeapFailure DescribeAt(HeapState* heap, Region* region, byte* address, WalkEntry* entry)
    {
        byte* committedEnd = region->Base + ((nuint)region->CommittedPages << Units.PageShift);
        byte* end = region->Base + region->Bytes;
        if (address >= committedEnd)
        {
            if (address >= end)
            {
                return Describe(region->Next, &heap->Regions, entry);
            }

            *entry = default;
            entry->Kind = WalkKind.Uncommitted;
            entry->RegionIndex = region->Index;
            entry->Address = committedEnd;
            entry->Bytes = (nuint)(end - committedEnd);
            return HeapFailure.None;
        }

        byte* elementEnd = EndOfElement(heap, region, address);
        if (elementEnd == null)
        {
            return HeapFailure.BadParameter;
        }

        *entry = default;
        byte* state = AddressMap.StateOf(address);
        bool busy = BlockState.IsBlock(*state) && AddressMap.EntryOf(address)->Tag != 0;
        entry->Kind = busy ? WalkKind.BusyBlock : WalkKind.FreeBlock;
        entry->RegionIndex = region->Index;
        entry->Address = address;
        entry->OverheadBytes = busy ? BlockState.Slack(state) : 0;
        entry->Bytes = BlockBytesAt(region, heap, address, elementEnd) - entry->OverheadBytes;
        return HeapFailure.None;
    }

    // The bytes of an element without the waste behind the last block of a slab.
    private static nuint BlockBytesAt(Region* region, HeapState* heap, byte* address, byte* elementEnd)
    {
        PageEntry* page = AddressMap.EntryOf(address);
        bool inSlab = !heap->IsFitted && page->Tag != 0 && page->Kind < PageEntry.FirstSpecialKind;
        return inSlab ? SizeClass.BlockBytes(page->Kind) : (nuint)(elementEnd - address);
    }

    // One past the element that starts at the address: where the next one starts. Null when none does.
    private static byte* EndOfElement(HeapState* heap, Region* region, byte* address)
    {
        return heap->IsFitted ? EndOfFitted(heap, region, address) : EndOfRunElement(region, address);
    }

    private static byte* EndOfFitted(HeapState* heap, Region* region, byte* address)
    {
        uint granule = (uint)((nuint)(address - region->Base) >> Units.GranuleShift);
        if (RunMap.IsFreeAt(&heap->Fitted.Granules, granule))
        {
            uint end = RunMap.FreeEnd(&heap->Fitted.Granules, granule, region->CommittedPages * Units.GranulesPerPage);
            return region->Base + ((nuint)end << Units.GranuleShift);
        }

        // Taken: live, or dead in somebody's magazine.
        bool inside = *AddressMap.StateOf(address) >= BlockState.FollowingBase;
        return inside ? null : address + FittedHeap.BlockBytes(&heap->Regions, address);
    }

    private static byte* EndOfRunElement(Region* region, byte* address)
    {
        uint page = (uint)((nuint)(address - region->Base) >> Units.PageShift);
        PageEntry* entry = AddressMap.EntryOf(address);
        if (entry->Tag == 0)
        {
            uint end = RunMap.FreeEnd(&region->Pages, page, region->CommittedPages);
            return end == page ? null : region->Base + ((nuint)end << Units.PageShift);
        }

        if (entry->Kind == PageEntry.LargeKind)
        {
            return address + ((nuint)entry->Pages << Units.PageShift);
        }

        Slab* slab = (Slab*)entry->Owner;
        uint next = Slab.SlotOf(slab, (nuint)address) + 1;
        return next < slab->SlotCount ? slab->Base + (nuint)next * slab->BlockBytes : slab->Base + slab->Bytes;
    }

    private static Region* FindSolo(RegionSet* regions, byte* address)
    {
        byte* window = AddressMap.WindowOf((nuint)address);
        PageEntry* page = window == null ? null : AddressMap.EntryIn(window, (nuint)address);
        bool found = page != null && PageEntry.TagBaseOf(page->Tag) == regions->TagBase && page->Kind is PageEntry.SoloKind or PageEntry.GuardedKind;
        return found && ((Region*)page->Owner)->FirstBlock == address ? (Region*)page->Owner : null;
    }
}
