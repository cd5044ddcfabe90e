using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Slabs;

/// <summary>Which slab a thread takes blocks from: by its bias and by its node.</summary>
internal unsafe partial struct Bin
{
    // A thread makes a slab of its own, rather than take from that of another, as long as no more than this is free in all of them.
    private const uint LeanBytes = 64 * Units.KiB;

    // So many times as much, where blocks do not go between threads: what a thread takes from another's slabs it frees by compare-exchange, and so does the other from then on.
    private const uint ForeignFactor = 16;

    // And so many times as much, and one of so many blocks besides, where all that was found is on another node: what is taken there is slow as long as it is used.
    private const uint OtherNodesFactor = 8;
    private const uint OtherNodesShare = 8;

    // Full magazines that are looked at for the bias, where blocks go between threads, and slabs from each end for the node.
    private const int FullChoiceCount = 8;
    private const int NodeChoiceCount = 64;

    // The slab to take blocks from: one of the bias, or a vacant one, and the node; else, for a caller who has none yet and when much is free in them, any of the node, which
    // thereby becomes common in the end, or one of another node when yet more is free.
    private static Slab* Choose(Bin* bin, RegionSet* regions, uint index, uint bias, byte* near, bool hasSome)
    {
        Slab* first = bin->Partial;
        if (first == null)
        {
            return null;
        }

        byte node = Os.NodeNumber;
        if (IsFor(first, bias, node))
        {
            return first;
        }

        // The others of the list are mostly other threads' slabs, and to look at one is to fetch a cache line from there: so no more than two of them.
        Slab* slab = near == null ? null : OfTag(near, PageEntry.WithBias(regions->TagBase | index, bias));
        if (slab != null && slab->FreeCount != 0 && slab->Node == node)
        {
            return slab;
        }

        slab = hasSome ? null : first->Next;
        if (slab != null && IsFor(slab, bias, node))
        {
            return slab;
        }

        slab = first->Previous;
        if (IsFor(slab, bias, node))
        {
            return slab;
        }

        if (hasSome || !IsMuch(bin, index, bin->FreeCount))
        {
            return null;
        }

        slab = FindOfNode(bin, node);
        return slab != null ? slab
            : bin->FreeCount * (nuint)SizeClass.BlockBytes(index) > OtherNodesFactor * LeanBytes && bin->FreeCount > bin->BlockCount / OtherNodesShare ? first
            : null;
    }

    private static bool IsFor(Slab* slab, uint bias, byte node) => (slab->Bias == bias || slab->Bias == Bias.Vacant) && slab->Node == node;

    // The slab of a tag in which the address lies; null when it lies elsewhere.
    private static Slab* OfTag(byte* address, uint tag)
    {
        byte* window = AddressMap.WindowOf((nuint)address);
        PageEntry* entry = window == null ? null : AddressMap.EntryIn(window, (nuint)address);
        return entry != null && Shared.Read(&entry->Tag) == tag ? (Slab*)entry->Owner : null;
    }

    // Whether so many free blocks are too many to leave to the threads that they belong to.
    private static bool IsMuch(Bin* bin, uint index, uint blocks) =>
        blocks * (nuint)SizeClass.BlockBytes(index) > (IsShared(bin) ? LeanBytes : ForeignFactor * LeanBytes);

    // A slab of the node, which comes to the front, so that the next who looks for one finds it; null when there seems to be none. Slabs in which blocks were freed in one go
    // lie side by side, and often belong to one node: those at the other end were left alone for longest.
    private static Slab* FindOfNode(Bin* bin, byte node)
    {
        Slab* slab = bin->Partial;
        Slab* back = slab->Previous;
        for (int i = 0; slab->Node != node; i++, slab = slab->Next, back = back->Previous)
        {
            if (i == NodeChoiceCount || slab->Next == null)
            {
                return null;
            }

            if (back->Node == node)
            {
                slab = back;
                break;
            }
        }

        if (slab != bin->Partial)
        {
            Unlist(bin, slab);
            List(bin, slab);
        }

        return slab;
    }
}
