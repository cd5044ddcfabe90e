using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Storage;

/// <summary>Where the memory of a <see cref="Region"/> comes from.</summary>
internal enum RegionKind : uint
{
    /// <summary>A piece of the arena.</summary>
    Arena,

    /// <summary>A reservation of its own, committed from the front as it is needed.</summary>
    Own,

    /// <summary>A mapping that is one large block.</summary>
    Solo,

    /// <summary>As Solo, with inaccessible pages around it; the block starts HeaderBytes into it.</summary>
    Guarded,
}

/// <summary>
/// A contiguous range of address space that belongs to one heap; slabs and large blocks are page runs inside it. The structure lies in
/// metadata, the pages hold nothing but the caller's blocks. All fields are written under the storage lock of the heap.
/// Conservation: TouchedPages &lt;= CommittedPages &lt;= PageCount; a page that no run holds has no page entry and zero states.
/// </summary>
internal unsafe struct Region
{
    /// <summary>The first page of every region is used, and belongs to no run.</summary>
    public const uint HeaderPages = 1;

    // A region is committed in steps of a sixteenth of itself, within these limits.
    private const uint SmallestCommitStepPages = 2;
    private const uint LargestCommitStepPages = 256;
    private const uint HugeCommitStepPages = 32 * (Units.MiB / Units.PageBytes);

    // What page entries and states take for less would cost a call to the system for a few pages.
    private const nuint WorthForgettingBytes = 1 * Units.MiB;

    public Region* Next;
    public Region* Previous;
    public byte* Base;

    /// <summary>Exactly what may be used; for a bounded heap its maximum.</summary>
    public uint PageCount;

    /// <summary>Pages [0, CommittedPages) are accessible, but where <see cref="Os.ChargesCommits"/> not those that were given back.</summary>
    public uint CommittedPages;

    /// <summary>Pages from here on were never part of a run.</summary>
    public uint TouchedPages;

    /// <summary>Of the committed pages, those whose contents were given back and that were not used since.</summary>
    public uint DecommittedPages;
    public RegionKind Kind;

    /// <summary>
    /// Bytes at Base that no block gets: a walk shows a region under that address, which must be no block's. A page, or a granule of a fitted heap.
    /// </summary>
    public uint HeaderBytes;

    /// <summary>Counts the regions of a heap and, apart from them, its solo blocks.</summary>
    public uint Index;
    public bool Executable;

    /// <summary>The node of the thread that made it; see <see cref="RegionSet"/>. Fixed.</summary>
    public byte Node;

    /// <summary>
    /// How far a mapping of a solo block has been moved since it was made. To the system neighbors are one mapping, which it can move as a whole, only if they
    /// have been moved equally far.
    /// </summary>
    public nint Displacement;

    /// <summary>
    /// 0 as long as no huge pages were wished for in a mapping of a solo block. Else a number of its own, since to the system such neighbors are two mappings. Of a region whether
    /// it is ready for wishes: see <see cref="HugeGrowth"/>.
    /// </summary>
    public uint HugeNumber;

    /// <summary>Of the mapping of a solo block, the first pages, which may have been touched before it was this block's.</summary>
    public uint UsedPages;

    /// <summary>Of a solo block: of its other pages the heap has touched some, so they do not show whether the program uses them.</summary>
    public bool IsFilled;

    public RunMap Pages;

    /// <summary>One bit a page: it may hold something; else it reads as zero.</summary>
    public ulong* Dirty;

    /// <summary>One byte a step of <see cref="HugeGrowth"/>: whether it has one huge page. Written by who has its pages to himself, or divides it.</summary>
    public byte* HugeSteps;

    public readonly bool IsHuge => HugeNumber != 0;

    public readonly byte* FirstBlock => Base + HeaderBytes;

    public readonly nuint Bytes => (nuint)PageCount << Units.PageShift;

    public readonly nuint UsableCommittedBytes => (nuint)(CommittedPages - DecommittedPages) << Units.PageShift;

    /// <summary>Whether two neighbors are one mapping to the system.</summary>
    public static bool IsOneMapping(Region* one, Region* other) => one->Displacement == other->Displacement && one->HugeNumber == other->HugeNumber;

    /// <summary>Bytes of the structure of a region, with its two bitmaps.</summary>
    public static nuint StructureBytes(uint pages) => (nuint)sizeof(Region) + 2 * RunMap.BytesFor(pages) + HugeGrowth.StepBytes(pages);

    /// <summary>A region of at least the given size for a heap; null when there is no memory. Initial pages are committed at once.</summary>
    public static Region* Create(nuint bytes, nuint initialBytes, bool executable)
    {
        uint pages = (uint)(bytes >> Units.PageShift);
        nuint mapBytes = RunMap.BytesFor(pages);
        Region* region = (Region*)Metadata.Take(StructureBytes(pages));
        if (region == null)
        {
            return null;
        }

        region->PageCount = pages;
        region->Executable = executable;
        region->Node = Os.NodeNumber;
        region->Dirty = (ulong*)((byte*)(region + 1) + mapBytes);
        region->HugeSteps = (byte*)region->Dirty + mapBytes;
        region->HeaderBytes = Units.PageBytes;
        RunMap.Initialize(&region->Pages, (ulong*)(region + 1), pages);
        RunMap.Take(&region->Pages, 0, HeaderPages);
        bool clean = true;
        region->Kind = RegionKind.Arena;
        region->Base = executable || bytes > Arena.LargestPieceBytes ? null : Arena.Take(bytes, out clean);
        if (region->Base == null)
        {
            // Also where there is no room for an arena: a limited address space may have some for a region.
            clean = true;
            region->Kind = RegionKind.Own;
            region->Base = (byte*)Os.Reserve(bytes);
        }

        for (ulong* word = region->Dirty, end = clean ? word : word + mapBytes / sizeof(ulong); word < end; word++)
        {
            *word = ulong.MaxValue;
        }

        if (region->Base != null && (initialBytes == 0 || Commit(region, (uint)(initialBytes >> Units.PageShift))))
        {
            return region;
        }

        Drop(region);
        return null;
    }

    /// <summary>Gives the region back whole, blocks and all. Costs what its touched memory costs, whatever the number of blocks.</summary>
    public static void Drop(Region* region)
    {
        if (region->Base != null)
        {
            nuint touched = (nuint)region->TouchedPages << Units.PageShift;
            AddressMap.Forget(region->Base, touched);
            if (region->Kind == RegionKind.Arena)
            {
                Arena.Give(region->Base, region->Bytes, touched);
            }
            else
            {
                Leftovers.Release(region->Base, region->Bytes, (nuint)region->CommittedPages << Units.PageShift);
            }
        }

        Metadata.Give(region, StructureBytes(region->PageCount));
    }

    /// <summary>Makes every page free again, whatever lay there; the address range stays.</summary>
    public static void Reset(Region* region)
    {
        AddressMap.Forget(region->Base, (nuint)region->TouchedPages << Units.PageShift);
        RunMap.Reset(&region->Pages, region->TouchedPages);
        RunMap.Take(&region->Pages, 0, HeaderPages);
    }

    /// <summary>
    /// A run of pages, committed, marked used, with so many free ones behind it; null when the region has none. The alignment is in bytes. All but the dirty pages read
    /// as zero.
    /// </summary>
    public static byte* TakeRun(Region* region, uint pages, nuint alignment, uint room, out uint dirty)
    {
        dirty = 0;
        uint alignmentPages = (uint)(alignment >> Units.PageShift);
        uint phase = (uint)((nuint)region->Base >> Units.PageShift);
        uint page = RunMap.Find(&region->Pages, pages + room, Bits.Max(alignmentPages, 1), phase);
        if (page == RunMap.None || !CommitTo(region, page + pages) || !CommitAgain(region, page, pages))
        {
            return null;
        }

        dirty = TakeAt(region, page, pages);
        return region->Base + ((nuint)page << Units.PageShift);
    }

    /// <summary>Takes the pages behind a run for it, if they are free and can be committed.</summary>
    public static bool ExtendRun(Region* region, uint end, uint pages, out uint dirty)
    {
        dirty = 0;
        if (!RunMap.IsFree(&region->Pages, end, pages) || !CommitTo(region, end + pages) || !CommitAgain(region, end, pages))
        {
            return false;
        }

        dirty = TakeAt(region, end, pages);
        return true;
    }

    /// <summary>Takes a run, or the tail of one, back; its owner has cleared its page entries and states.</summary>
    public static void GiveRun(Region* region, uint page, uint pages) => RunMap.Give(&region->Pages, page, pages);

    /// <summary>
    /// Gives the contents of free committed pages back to the system, and returns how many bytes that were; the first ones stay, as many as are to be kept, and are
    /// subtracted from those. With the last one go pages that were not taken yet: a huge page is there whole.
    /// </summary>
    public static nuint DecommitFree(Region* region, nuint* keptPages)
    {
        nuint returned = 0;
        uint limit = region->TouchedPages;
        for (uint start = RunMap.UsedEnd(&region->Pages, 0, limit); start < limit;)
        {
            uint end = RunMap.FreeEnd(&region->Pages, start, limit);
            uint kept = (uint)Bits.Min(*keptPages, end - start);
            *keptPages -= RunMap.CountSet(region->Dirty, start, kept);
            start += kept;
            uint dirty = RunMap.CountSet(region->Dirty, start, end - start);
            byte* first = region->Base + ((nuint)start << Units.PageShift);
            nuint bytes = (nuint)((end == limit && IsGrown(region) ? region->CommittedPages : end) - start) << Units.PageShift;
            if (dirty != 0)
            {
                HugeGrowth.Divide(region, first, bytes);
            }

            if (dirty != 0 && Os.Decommit(first, bytes))
            {
                RunMap.ClearBits(region->Dirty, start, end - start);
                region->DecommittedPages += dirty;
                returned += (nuint)dirty << Units.PageShift;
                if (bytes >= WorthForgettingBytes)
                {
                    AddressMap.GiveBack(first, bytes);
                }
            }

            start = RunMap.UsedEnd(&region->Pages, end, limit);
        }

        return returned;
    }

    // Returns how many of the pages may hold something.
    private static uint TakeAt(Region* region, uint page, uint pages)
    {
        RunMap.Take(&region->Pages, page, pages);
        uint cleanPages = pages - RunMap.CountSet(region->Dirty, page, pages);
        if (cleanPages != 0)
        {
            uint touchedEnd = Bits.Min(page + pages, region->TouchedPages);
            if (page < touchedEnd)
            {
                // Clean pages below the touched mark are those that were decommitted.
                uint again = touchedEnd - page - RunMap.CountSet(region->Dirty, page, touchedEnd - page);
                region->DecommittedPages -= Bits.Min(again, region->DecommittedPages);
            }

            RunMap.SetBits(region->Dirty, page, pages);
        }

        region->TouchedPages = Bits.Max(region->TouchedPages, page + pages);
        return pages - cleanPages;
    }

    /// <summary>Makes pages [0, pages) accessible.</summary>
    public static bool CommitTo(Region* region, uint pages)
    {
        if (pages <= region->CommittedPages)
        {
            return true;
        }

        uint step = Bits.Max(SmallestCommitStepPages, Bits.Min(Os.UsesHugePages ? HugeCommitStepPages : LargestCommitStepPages, region->PageCount / 16));
        uint wanted = Bits.Min(region->PageCount, (pages + step - 1) / step * step);
        if (IsGrown(region))
        {
            nuint end = HugeGrowth.EndOfStep((nuint)region->Base + ((nuint)wanted << Units.PageShift));
            wanted = Bits.Min(region->PageCount, (uint)((end - (nuint)region->Base) >> Units.PageShift));
        }

        if (!Commit(region, wanted) && (wanted == pages || !Commit(region, pages)))
        {
            return false;
        }

        return true;
    }

    private static bool Commit(Region* region, uint pages)
    {
        // A piece of the arena is covered already, and accessible unless that would have been charged.
        byte* start = region->Base + ((nuint)region->CommittedPages << Units.PageShift);
        nuint bytes = (nuint)(pages - region->CommittedPages) << Units.PageShift;
        bool ready = region->Kind == RegionKind.Own
            ? Os.Commit(start, bytes, region->Executable) && AddressMap.Cover(start, bytes)
            : !Os.ChargesCommits || Os.Commit(start, bytes, false);
        if (!ready)
        {
            return false;
        }

        if (IsGrown(region))
        {
            HugeGrowth.Fill(region, start, bytes);
        }

        region->CommittedPages = pages;
        return true;
    }

    // Whether the region grows on in huge pages: what the last one has too much is little next to what the heap has already.
    private static bool IsGrown(Region* region) =>
        Os.HugePageBytes != 0
        && region->Kind == RegionKind.Own
        && !region->Executable
        && region->PageCount >= HugeGrowth.LeastPages
        && (region->Index != 0 || region->CommittedPages >= HugeGrowth.LeastPages);

    // Where decommitted pages are gone: commits those of a run that were given back. Clean pages below the touched mark are such.
    private static bool CommitAgain(Region* region, uint page, uint pages)
    {
        uint end = Bits.Min(page + pages, region->TouchedPages);
        return !Os.ChargesCommits
            || page >= end
            || RunMap.CountSet(region->Dirty, page, end - page) == end - page
            || Os.Commit(region->Base + ((nuint)page << Units.PageShift), (nuint)(end - page) << Units.PageShift, region->Executable);
    }
}
