using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Slabs;

/// <summary>
/// The blocks of a small bounded heap. Slabs would waste too much of a few pages, so here each block is a run of granules, first fit: as long
/// as its size class up to 1 KiB, exactly as long as it must be above. The state byte has the slack as everywhere, which is always short; the bytes that follow it
/// hold the length. One lock, that of the regions. Freed blocks of a class's length go to the thread's magazine, dead but still taken;
/// when the heap is full, all magazines are emptied into it before an allocation is refused.
/// </summary>
internal unsafe struct FittedHeap
{
    /// <summary>Heaps with a maximum up to this are fitted; in larger ones the slabs' waste is small.</summary>
    public const nuint LargestHeapBytes = 8 * Units.MiB;

    // Behind the state of a block of one granule stands that of the next block, which may be held just then. Lengths are above all that this can be.
    private const byte FirstLength = BlockState.Held + BlockState.FirstMedium;
    private const byte LongLength = byte.MaxValue;
    private const uint SmallestLength = 2;
    private const uint SmallLengthMaximum = LongLength - 1 - FirstLength + SmallestLength;
    private const int LengthDigits = 4;

    /// <summary>The granules of the region; guarded by the region set's lock.</summary>
    public RunMap Granules;

    /// <summary>Prepares a heap whose region set has its one region; false when there is no memory.</summary>
    public static bool Initialize(FittedHeap* fitted, RegionSet* regions)
    {
        uint granules = (uint)(regions->First->Bytes >> Units.GranuleShift);
        ulong* words = (ulong*)Metadata.Take(RunMap.BytesFor(granules));
        if (words == null)
        {
            return false;
        }

        RunMap.Initialize(&fitted->Granules, words, granules);
        regions->First->HeaderBytes = Units.GranuleBytes;
        Reset(fitted, regions);
        return true;
    }

    /// <summary>Makes every granule but the header free. No page is: page runs have no place here.</summary>
    public static void Reset(FittedHeap* fitted, RegionSet* regions)
    {
        RunMap.Reset(&fitted->Granules, regions->First->TouchedPages * Units.GranulesPerPage);
        RunMap.Take(&fitted->Granules, 0, 1);
        regions->First->TouchedPages = 0;
        if (regions->First->Pages.FreeCount != 0)
        {
            RunMap.Take(&regions->First->Pages, Region.HeaderPages, regions->First->PageCount - Region.HeaderPages);
        }
    }

    public static void Drop(FittedHeap* fitted) => Metadata.Give(fitted->Granules.Words, RunMap.BytesFor(fitted->Granules.Count));

    public static byte* Allocate(FittedHeap* fitted, RegionSet* regions, nuint bytes, nuint alignment)
    {
        uint length = LengthFor(bytes <= SizeClass.TableBytes ? SizeClass.BlockBytes(SizeClass.OfTable(bytes)) : bytes);
        if (length > fitted->Granules.Count)
        {
            return null;
        }

        Region* region = regions->First;
        nuint alignmentGranules = Bits.Max(alignment >> Units.GranuleShift, 1);
        OsLock.Enter(&regions->Lock);
        byte* block = null;
        uint phase = (uint)((nuint)region->Base >> Units.GranuleShift);
        uint start = alignmentGranules > fitted->Granules.Count
            ? HugeAligned(region, fitted, length, alignment)
            : RunMap.Find(&fitted->Granules, length, (uint)alignmentGranules, phase);
        if (start != RunMap.None && Touch(regions, region, start + length))
        {
            RunMap.Take(&fitted->Granules, start, length);
            block = region->Base + ((nuint)start << Units.GranuleShift);
            SetLive(AddressMap.ArrayStateOf(block), length, bytes);
        }

        OsLock.Leave(&regions->Lock);
        return block;
    }

    /// <summary>Makes the granules of dead blocks free again.</summary>
    public static void Give(FittedHeap* fitted, RegionSet* regions, Round* rounds, uint count)
    {
        if (count == 0)
        {
            return;
        }

        OsLock.Enter(&regions->Lock);
        for (uint i = 0; i < count; i++)
        {
            GiveLocked(fitted, regions, rounds[i].Block);
        }

        OsLock.Leave(&regions->Lock);
    }

    /// <summary>The size class whose blocks are exactly as long as this one, so that a magazine can hold it; SizeClass.Count when there is none.</summary>
    public static uint ClassOf(RegionSet* regions, byte* block)
    {
        nuint bytes = BlockBytes(regions, block);
        uint index = bytes <= SizeClass.TableBytes ? SizeClass.OfTable(bytes) : SizeClass.Count;
        return index < SizeClass.Count && SizeClass.BlockBytes(index) == bytes ? index : SizeClass.Count;
    }

    /// <summary>
    /// Changes the size of a live block where it lies, and clears what is added if that is to be zero; false when what lies behind it is not free, or another thread has
    /// freed it meanwhile.
    /// </summary>
    public static bool Resize(FittedHeap* fitted, RegionSet* regions, byte* block, nuint bytes, bool zero)
    {
        uint wanted = LengthFor(bytes);
        byte* state = AddressMap.ArrayStateOf(block);
        OsLock.Enter(&regions->Lock);
        if (!BlockState.TryHold(state))
        {
            OsLock.Leave(&regions->Lock);
            return false;
        }

        nuint slack = BlockState.Slack(state);
        uint length = LengthOf(regions, block, state);
        nuint old = ((nuint)length << Units.GranuleShift) - slack;
        uint start = (uint)((nuint)(block - regions->First->Base) >> Units.GranuleShift);
        bool fits = wanted <= length
            || (wanted <= fitted->Granules.Count
                && RunMap.IsFree(&fitted->Granules, start + length, wanted - length)
                && Touch(regions, regions->First, start + wanted));
        if (fits)
        {
            if (wanted > length)
            {
                RunMap.Take(&fitted->Granules, start + length, wanted - length);
            }
            else if (wanted < length)
            {
                RunMap.Give(&fitted->Granules, start + wanted, length - wanted);
            }

            if (zero && bytes > old)
            {
                Os.Clear(block + old, bytes - old);
            }

            ClearFollowing(state, length);
            SetLive(state, wanted, bytes);
        }
        else
        {
            BlockState.SetLive(state, slack);
        }

        OsLock.Leave(&regions->Lock);
        return fits;
    }

    /// <summary>Bytes of a block that is live or in a magazine, slack included.</summary>
    public static nuint BlockBytes(RegionSet* regions, byte* block) =>
        (nuint)LengthOf(regions, block, AddressMap.ArrayStateOf(block)) << Units.GranuleShift;

    /// <summary>
    /// Gives the contents of wholly free pages back to the system; the caller has the heap stand still. Returns the bytes that went: 0 where the
    /// system would take the pages away too, since blocks are not taken by the page here.
    /// </summary>
    public static nuint DecommitFree(FittedHeap* fitted, RegionSet* regions)
    {
        Region* region = regions->First;
        nuint returned = 0;
        for (uint page = 0; page < region->TouchedPages; page++)
        {
            uint start = page;
            while (page < region->TouchedPages && RunMap.IsFree(&fitted->Granules, page * Units.GranulesPerPage, Units.GranulesPerPage))
            {
                page++;
            }

            nuint bytes = (nuint)(page - start) << Units.PageShift;
            if (bytes != 0 && Os.Discard(region->Base + ((nuint)start << Units.PageShift), bytes))
            {
                returned += bytes;
            }
        }

        return returned;
    }

    private static uint LengthFor(nuint bytes) =>
        bytes == 0 ? 1 : bytes > LargestHeapBytes ? RunMap.None : (uint)((bytes + (Units.GranuleBytes - 1)) >> Units.GranuleShift);

    // The states of the last block of the region may be followed by those of memory that is not this heap's.
    private static uint LengthOf(RegionSet* regions, byte* block, byte* state)
    {
        if (block + Units.GranuleBytes == regions->First->Base + regions->First->Bytes || Shared.Read(state + 1) < FirstLength)
        {
            return 1;
        }

        return state[1] == LongLength ? (uint)BlockState.ReadDigits(state + 2, LengthDigits) : (uint)(state[1] - FirstLength) + SmallestLength;
    }

    private static void SetLive(byte* state, uint length, nuint bytes)
    {
        if (length > SmallLengthMaximum)
        {
            state[1] = LongLength;
            BlockState.WriteDigits(state + 2, length, LengthDigits);
        }
        else if (length > 1)
        {
            state[1] = (byte)(FirstLength + (length - SmallestLength));
        }

        BlockState.SetLive(state, ((nuint)length << Units.GranuleShift) - bytes);
    }

    private static void GiveLocked(FittedHeap* fitted, RegionSet* regions, byte* block)
    {
        byte* state = AddressMap.ArrayStateOf(block);
        uint length = LengthOf(regions, block, state);
        Shared.Write(state, BlockState.Dead);
        ClearFollowing(state, length);
        RunMap.Give(&fitted->Granules, (uint)((nuint)(block - regions->First->Base) >> Units.GranuleShift), length);
    }

    private static void ClearFollowing(byte* state, uint length)
    {
        uint following = length > SmallLengthMaximum ? LengthDigits + 1u : length > 1 ? 1u : 0;
        for (uint i = 1; i <= following; i++)
        {
            state[i] = BlockState.Dead;
        }
    }

    // Pages become accessible, and count as this heap's, when a block first reaches them.
    private static bool Touch(RegionSet* regions, Region* region, uint granules)
    {
        uint pages = (granules + (Units.GranulesPerPage - 1)) / Units.GranulesPerPage;
        if (pages > region->TouchedPages)
        {
            if (!Region.CommitTo(region, pages))
            {
                return false;
            }

            byte* fresh = region->Base + ((nuint)region->TouchedPages << Units.PageShift);
            AddressMap.SetEntries(fresh, pages - region->TouchedPages, regions->TagBase | PageEntry.FittedKind, region);
            region->TouchedPages = pages;
        }

        return true;
    }

    // An alignment beyond the heap's own size: at most one address in the region has it.
    private static uint HugeAligned(Region* region, FittedHeap* fitted, uint length, nuint alignment)
    {
        nuint aligned = Bits.RoundUp((nuint)region->Base, alignment) - (nuint)region->Base;
        uint start = aligned < region->Bytes ? (uint)(aligned >> Units.GranuleShift) : RunMap.None;
        return start != RunMap.None && RunMap.IsFree(&fitted->Granules, start, length) ? start : RunMap.None;
    }
}
