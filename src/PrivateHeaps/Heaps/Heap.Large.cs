using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>
/// Large blocks: a page run in a region, or in a growable heap a solo block. Only the first page of a large block has a page entry; the page count stands there,
/// the slack in the state bytes.
/// </summary>
internal static unsafe partial class Heap
{
    // Blocks below this size shrink out of a page run or mapping by moving to a slab.
    private const nuint WorthMovingBytes = 8 * Units.KiB;

    private static byte* AllocateLarge(RegionSet* regions, nuint bytes, nuint alignment, uint flags)
    {
        bool zero = (flags & HeapFlags.ZeroMemory) != 0;
        if (bytes > LargestHeapBytes || alignment > LargestHeapBytes)
        {
            return null;
        }

        nuint blockBytes = Bits.RoundUp(Bits.Max(bytes, 1), Units.PageBytes);
        if (HasOwnMapping(regions, Bits.Max(bytes, alignment), flags))
        {
            return AllocateSolo(regions, bytes, blockBytes, alignment, flags);
        }

        uint pages = (uint)(blockBytes >> Units.PageShift);
        uint room = (flags & HeapFlags.Grows) != 0 ? pages : 0;
        byte* block = RegionSet.TakeRun(regions, pages, alignment, room, out Region* region, out bool clean);
        if (block != null)
        {
            if (zero && !clean)
            {
                Os.Clear(block, bytes);
            }

            SetLarge(block, regions->TagBase | PageEntry.LargeKind, pages, region, blockBytes - bytes);
        }

        return block;
    }

    private static void SetLarge(byte* block, uint tag, uint pages, Region* region, nuint slack)
    {
        PageEntry* entry = AddressMap.EntryOf(block);
        entry->Pages = pages;
        entry->Owner = region;
        if (PageEntry.BiasOf(tag) == Slabs.Bias.Held)
        {
            BlockState.SetHeld(AddressMap.ArrayStateOf(block), slack);
        }
        else
        {
            BlockState.SetLive(AddressMap.ArrayStateOf(block), slack);
        }

        // Partner: Locate looks at the tag first.
        Shared.Write(&entry->Tag, tag);
    }

    // Whoever changes the tag to 0 has the block to himself, to free it or to change its size; a free at the same instant has lost. What the entry says beside
    // the tag is read after that. The tag is the one that is expected, since by now a slab may lie there, a held block, or, where a mapping went back to the system,
    // another heap's block.
    private static bool ClaimLarge(PageEntry* entry, uint tag) => Shared.CompareExchange(&entry->Tag, 0, tag) == tag;

    // Of a claimed block, whose states are as those of free pages then.
    private static nuint TakeSlack(byte* state)
    {
        nuint slack = BlockState.Slack(state);
        Os.Clear(state, Units.GranulesPerPage);
        return slack;
    }

    private static bool FreeLarge(RegionSet* regions, byte* block, PageEntry* entry, byte* state, uint tag)
    {
        bool claimed = ClaimLarge(entry, tag);
        if (claimed)
        {
            Os.Clear(state, Units.GranulesPerPage);
            RegionSet.GiveRun(regions, (Region*)entry->Owner, block, entry->Pages);
        }

        return claimed;
    }

    /// <summary>
    /// Changes a page run where it lies; resized is null, and nothing was changed, when it cannot or may not grow there. False when another thread has freed the block
    /// meanwhile.
    /// </summary>
    private static bool ResizeLarge(
        RegionSet* regions, byte* block, PageEntry* entry, byte* state, uint tag, nuint bytes, bool zero, bool mayExtend, out byte* resized)
    {
        resized = null;
        if (!ClaimLarge(entry, tag))
        {
            return false;
        }

        nuint slack = TakeSlack(state);

        nuint blockBytes = Bits.RoundUp(Bits.Max(bytes, 1), Units.PageBytes);
        nuint wanted = blockBytes >> Units.PageShift;
        Region* region = (Region*)entry->Owner;
        uint pages = entry->Pages;
        bool fits = wanted <= pages
            || (mayExtend && wanted <= region->PageCount && RegionSet.ExtendRun(regions, region, block, pages, (uint)wanted - pages));
        if (wanted < pages)
        {
            RegionSet.GiveRun(regions, region, block + blockBytes, pages - (uint)wanted);
        }

        resized = fits ? block : null;
        ClearAdded(resized, (pages * (nuint)Units.PageBytes) - slack, bytes, zero);
        SetLarge(block, tag, fits ? (uint)wanted : pages, region, fits ? blockBytes - bytes : slack);
        return true;
    }

    // What a block has gained, if it was resized, while it is still this thread's alone: as soon as others can free it, its memory may be another block's.
    private static void ClearAdded(byte* resized, nuint old, nuint bytes, bool zero)
    {
        if (resized != null && zero && bytes > old)
        {
            Os.Clear(resized + old, bytes - old);
        }
    }
}
