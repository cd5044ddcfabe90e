using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Storage;

/// <summary>
/// All the regions of one heap: where its slabs and large blocks get their page runs. A bounded heap has exactly one region; a growable
/// one adds regions of doubling size, and single large blocks as regions of their own. Every field but the limits is written under Lock.
/// On a machine with several nodes a thread gets runs from regions that threads of its node made, and a growable heap adds one for it before it takes
/// from those of others: the system places a page on the node of who touches it first, and there it stays when its run is free. So a heap holds on
/// each node as much as was used from there at once.
/// </summary>
internal unsafe struct RegionSet
{
    /// <summary>The growth of a heap stops doubling here.</summary>
    public const nuint DefaultLargestRegionBytes = (nuint)1 * Units.GiB;

    /// <summary>The most free pages that a process heap keeps for being missed.</summary>
    public const uint MostKeptPages = Units.GiB / Units.PageBytes;
    private const nuint SmallestRegionBytes = 256 * Units.KiB;

    public OsLock Lock;
    public Region* First;
    public Region* Last;

    /// <summary>Blocks with a mapping of their own, in the order in which they were allocated.</summary>
    public Region* FirstSolo;
    public Region* LastSolo;
    public uint RegionCount;

    /// <summary>The page entries' tag of this heap's blocks, less the kind.</summary>
    public uint TagBase;

    /// <summary>Bytes of the next region of a growable heap.</summary>
    public nuint NextRegionBytes;
    public nuint LargestRegionBytes;

    /// <summary>Pages that runs and solo blocks may take; 0 for no limit.</summary>
    public nuint LimitPages;
    public nuint UsedPages;

    /// <summary>Of UsedPages, those of free blocks that have whole pages.</summary>
    public nuint FreeBlockPages;

    /// <summary>Pages without contents that were taken, ever, and those for slabs whatever they hold: how the heap grows, and goes from one size to another.</summary>
    public nuint TakenPages;

    /// <summary>Of UsedPages, those of solo blocks.</summary>
    public nuint SoloPages;
    public bool Bounded;
    public bool Executable;

    /// <summary>More is free than is worth keeping: who finds this set outside of all locks gives it back.</summary>
    public bool HasSurplus;
    public Retention Retention;
    public SpareMappings Spares;

    /// <summary>See <see cref="HugeGrowth.IsNextUsed"/>: so many more large blocks, up to so many bytes each.</summary>
    public uint UsedSolosLeft;
    public nuint UsedSoloBytes;

    /// <summary>The last number of its own that a solo block got; see <see cref="Region.HugeNumber"/>.</summary>
    public uint LastHugeNumber;

    /// <summary>A committed run of pages, or null; if it can be, with so many free ones behind it. Clean: it reads as zero.</summary>
    public static byte* TakeRun(RegionSet* set, uint pages, nuint alignment, uint room, out Region* region, out bool clean)
    {
        OsLock.Enter(&set->Lock);
        byte* run = TakeRunLocked(set, pages, alignment, room, out region, out clean, out _);
        OsLock.Leave(&set->Lock);
        return run;
    }

    /// <summary>As <see cref="TakeRun"/>, for a slab.</summary>
    public static byte* TakeSlabRun(RegionSet* set, uint pages, out Region* region)
    {
        OsLock.Enter(&set->Lock);
        byte* run = TakeRunLocked(set, pages, 0, 0, out region, out _, out uint dirty);
        set->TakenPages += dirty;
        OsLock.Leave(&set->Lock);
        return run;
    }

    /// <summary>Takes back a run, or the tail of one. Its page entries and states must be cleared already.</summary>
    public static void GiveRun(RegionSet* set, Region* region, byte* run, uint pages)
    {
        OsLock.Enter(&set->Lock);
        Region.GiveRun(region, (uint)((nuint)(run - region->Base) >> Units.PageShift), pages);
        set->UsedPages -= pages;
        NoteFree(set, pages);
        OsLock.Leave(&set->Lock);
    }

    /// <summary>Grows a run where it lies; false when the pages behind it are not to be had.</summary>
    public static bool ExtendRun(RegionSet* set, Region* region, byte* run, uint pages, uint morePages)
    {
        uint dirty = 0;
        OsLock.Enter(&set->Lock);
        uint end = (uint)((nuint)(run - region->Base) >> Units.PageShift) + pages;
        bool extended = FitsLimit(set, morePages) && Region.ExtendRun(region, end, morePages, out dirty);
        if (extended)
        {
            set->UsedPages += morePages;
            NoteTaken(set, morePages, dirty);
        }

        OsLock.Leave(&set->Lock);
        return extended;
    }

    /// <summary>Appends a region to one of the two lists; the caller holds Lock.</summary>
    public static void Append(Region** first, Region** last, Region* region)
    {
        region->Next = null;
        region->Previous = *last;
        if (*last == null)
        {
            *first = region;
        }
        else
        {
            (*last)->Next = region;
        }

        *last = region;
    }

    /// <summary>Takes a region out of one of the two lists; the caller holds Lock.</summary>
    public static void Remove(Region** first, Region** last, Region* region)
    {
        *(region->Previous == null ? first : &region->Previous->Next) = region->Next;
        *(region->Next == null ? last : &region->Next->Previous) = region->Previous;
    }

    public static bool FitsLimit(RegionSet* set, nuint pages) => set->LimitPages == 0 || (set->UsedPages <= set->LimitPages && pages <= set->LimitPages - set->UsedPages);

    /// <summary>The region that an address of this heap lies in; null for addresses outside. The caller holds Lock or has the heap stand still.</summary>
    public static Region* RegionOf(RegionSet* set, void* address)
    {
        for (Region* region = set->First; region != null; region = region->Next)
        {
            if ((nuint)((byte*)address - region->Base) < region->Bytes)
            {
                return region;
            }
        }

        return null;
    }

    /// <summary>Gives free runs back to the system, but for so many pages, those that are taken first; the caller holds Lock. Returns the bytes that went.</summary>
    public static nuint DecommitFree(RegionSet* set, nuint keptPages)
    {
        nuint returned = 0, left = keptPages;
        for (Region* region = set->First; region != null; region = region->Next)
        {
            returned += Region.DecommitFree(region, &left);
        }

        nuint free = set->Retention.FreePages;
        nuint gone = keptPages == 0 ? free : Bits.Min(free, returned >> Units.PageShift);
        Retention.NoteReturned(&set->Retention, gone, gone);
        return returned;
    }

    // What is used and not free inside its slab: what retention compares with.
    private static nuint OccupiedPages(RegionSet* set) => set->UsedPages - set->FreeBlockPages;

    /// <summary>See <see cref="Retention.KeptPages"/>; the caller holds Lock.</summary>
    public static nuint KeptPages(RegionSet* set) => Retention.KeptPages(&set->Retention, OccupiedPages(set));

    /// <summary>Pages of a run have become free; the caller holds Lock.</summary>
    private static void NoteFree(RegionSet* set, nuint pages)
    {
        set->Retention.FreePages += pages;
        LookForSurplus(set);
    }

    private static void LookForSurplus(RegionSet* set)
    {
        if (!set->HasSurplus && Retention.IsSurplus(&set->Retention, OccupiedPages(set)))
        {
            Retention.NoteSurplus(&set->Retention, OccupiedPages(set));
            Shared.Write(&set->HasSurplus, true);
        }
    }

    /// <summary>Whether there is a surplus that is to go back now; it is the caller's then. Any thread that holds no lock may ask.</summary>
    public static bool TakeSurplus(RegionSet* set)
    {
        if (!Shared.Read(&set->HasSurplus) || !Retention.IsDue(&set->Retention, OccupiedPages(set)))
        {
            return false;
        }

        OsLock.Enter(&set->Lock);
        nuint usedPages = OccupiedPages(set);
        bool isThere = set->HasSurplus && (Retention.HasFallen(&set->Retention, usedPages) || Retention.IsSurplus(&set->Retention, usedPages));
        Shared.Write(&set->HasSurplus, false);
        OsLock.Leave(&set->Lock);
        return isThere;
    }

    /// <summary>Blocks of so many whole pages have become free in their slabs.</summary>
    public static void NoteBlocksFree(RegionSet* set, nuint pages)
    {
        if (pages != 0 && Retention.IsOn(&set->Retention))
        {
            OsLock.Enter(&set->Lock);
            set->FreeBlockPages += pages;
            NoteFree(set, pages);
            OsLock.Leave(&set->Lock);
        }
    }

    /// <summary>Such blocks were taken from their slabs; the pages of some were kept, the others' are fresh.</summary>
    public static void NoteBlocksTaken(RegionSet* set, nuint pages, nuint keptPages)
    {
        if (Retention.IsOn(&set->Retention))
        {
            OsLock.Enter(&set->Lock);
            set->FreeBlockPages -= pages;
            NoteTaken(set, pages, keptPages);
            OsLock.Leave(&set->Lock);
        }
    }

    /// <summary>Such blocks went with their slab, whose run becomes free; the pages of some were kept.</summary>
    public static void NoteBlocksGone(RegionSet* set, nuint pages, nuint keptPages)
    {
        if (Retention.IsOn(&set->Retention))
        {
            OsLock.Enter(&set->Lock);
            set->FreeBlockPages -= pages;
            set->Retention.FreePages -= Bits.Min(keptPages, set->Retention.FreePages);
            OsLock.Leave(&set->Lock);
        }
    }

    /// <summary>Pages in slabs went back to the system: those of such blocks, which count as free, or what lies between others.</summary>
    public static void NoteBlocksReturned(RegionSet* set, nuint pages, bool areCounted)
    {
        if (pages != 0 && Retention.IsOn(&set->Retention))
        {
            OsLock.Enter(&set->Lock);
            Retention.NoteReturned(&set->Retention, pages, areCounted ? Bits.Min(pages, set->Retention.FreePages) : 0);
            OsLock.Leave(&set->Lock);
        }
    }

    /// <summary>Pages between blocks were given back, and are used again.</summary>
    public static void NoteMissed(RegionSet* set, nuint pages)
    {
        if (Retention.IsOn(&set->Retention))
        {
            OsLock.Enter(&set->Lock);
            Retention.NoteFresh(&set->Retention, pages);
            OsLock.Leave(&set->Lock);
        }
    }

    /// <summary>Pages were taken, of which so many may hold something; the caller holds Lock.</summary>
    private static void NoteTaken(RegionSet* set, nuint pages, nuint dirty)
    {
        Retention.NoteUsed(&set->Retention, OccupiedPages(set));
        set->Retention.FreePages -= Bits.Min(dirty, set->Retention.FreePages);
        if (pages != dirty)
        {
            set->TakenPages += pages - dirty;
            Retention.NoteFresh(&set->Retention, pages - dirty);
            SpareMappings.Shrink(&set->Spares, pages - dirty);
            LookForSurplus(set);
        }
    }

    /// <summary>Adds the first or a further region; the caller holds Lock or owns the heap alone.</summary>
    public static Region* AddRegion(RegionSet* set, nuint bytes, nuint initialBytes)
    {
        Region* region = Region.Create(bytes, initialBytes, set->Executable);
        if (region != null)
        {
            region->Index = set->RegionCount++;
            Append(&set->First, &set->Last, region);
        }

        return region;
    }

    private static byte* TakeRunLocked(RegionSet* set, uint pages, nuint alignment, uint room, out Region* region, out bool clean, out uint dirty)
    {
        clean = false;
        region = null;
        dirty = 0;
        if (!FitsLimit(set, pages))
        {
            return null;
        }

        // Asked once: who changes nodes meanwhile must have looked at every region before he is refused.
        byte node = Os.NodeNumber;
        byte* run = TakeFrom(set, pages, alignment, room, node, isOfNode: true, out region, out dirty);
        if (run == null && room != 0)
        {
            run = TakeFrom(set, pages, alignment, 0, node, isOfNode: true, out region, out dirty);
        }

        if (run == null && !set->Bounded)
        {
            nuint nextRegionBytes = set->NextRegionBytes;
            region = Grow(set, pages, alignment);
            run = region == null ? null : Region.TakeRun(region, pages, alignment, 0, out dirty);
            if (region != null && run == null)
            {
                // There is address space and no memory. Were the region kept, each further try would add one.
                DropLast(set);
                set->NextRegionBytes = nextRegionBytes;
            }
        }

        if (run == null && Os.HasNodes)
        {
            run = TakeFrom(set, pages, alignment, 0, node, isOfNode: false, out region, out dirty);
        }

        if (run == null)
        {
            return null;
        }

        set->UsedPages += pages;
        NoteTaken(set, pages, dirty);
        clean = dirty == 0;
        return run;
    }

    // The run from the first region of the node, or of all others, that has it; null when none does.
    private static byte* TakeFrom(RegionSet* set, uint pages, nuint alignment, uint room, byte node, bool isOfNode, out Region* region, out uint dirty)
    {
        dirty = 0;
        byte* run = null;
        for (region = set->First; region != null; region = region->Next)
        {
            if (region->Node == node == isOfNode && (run = Region.TakeRun(region, pages, alignment, room, out dirty)) != null)
            {
                break;
            }
        }

        return run;
    }

    // A region that was added just now and holds nothing.
    private static void DropLast(RegionSet* set)
    {
        Region* region = set->Last;
        Remove(&set->First, &set->Last, region);
        set->RegionCount--;
        Region.Drop(region);
    }

    private static Region* Grow(RegionSet* set, uint pages, nuint alignment)
    {
        nuint needed = Bits.RoundUp(((nuint)(pages + Region.HeaderPages) << Units.PageShift) + (alignment > Units.PageBytes ? alignment : 0), Arena.UnitBytes);
        nuint bytes = Bits.Max(set->NextRegionBytes, needed);
        while (bytes > needed && bytes > Os.AddressSpaceLimit / 16)
        {
            bytes = Bits.Max(needed, bytes / 2);
        }

        for (; ; bytes = Bits.Max(needed, bytes / 2))
        {
            Region* region = AddRegion(set, bytes, 0);
            if (region != null)
            {
                set->NextRegionBytes = Bits.Min(set->LargestRegionBytes, Bits.Max(SmallestRegionBytes, bytes * 2));
                return region;
            }

            if (bytes == needed)
            {
                return null;
            }
        }
    }
}
