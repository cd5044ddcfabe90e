using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Slabs;

/// <summary>Which slab a thread takes blocks from: by its bias and by its node.</summary>
internal unsafe partial struct Bin
{
    // A thread makes a slab of its own, rather than take from that of another, as long as no more than this is free in all of them.
    private const uint LeanBytes = 64 * Units.KiB;

    // So many times as much, where blocks do not go between threads: what a thread takes from another's slabs it frees by compare-exchange, and so does the other from then on.
    private const uint ForeignFactor = 4;

    // And so many times as much, and one of so many blocks besides, where all that was found is on another node: what is taken there is slow as long as it is used.
    private const uint OtherNodesFactor = 8;
    private const uint OtherNodesShare = 8;

    // Slabs that are looked at for the bias, and from each end for the node.
    private const int ChoiceCount = 8;
    private const int NodeChoiceCount = 64;

    // The slab to take blocks from: one of the bias and the node; else, for a caller who has none yet and when much is free in them, any of the node, which thereby becomes
    // common in the end, or one of another node when yet more is free.
    private static Slab* Choose(Bin* bin, uint bias, bool hasSome)
    {
        Slab* first = bin->Partial;
        if (first == null)
        {
            return null;
        }

        byte node = Os.NodeNumber;
        Slab* slab = first;
        for (int i = 0; slab != null && i <= ChoiceCount; i++, slab = slab->Next)
        {
            if (slab->Bias == bias && slab->Node == node)
            {
                return slab;
            }
        }

        Slab* last = first->Previous;
        if (last->Bias == bias && last->Node == node)
        {
            return last;
        }

        uint freeBytes = bin->FreeCount * first->BlockBytes;
        if (hasSome || freeBytes <= (IsShared(bin) ? LeanBytes : ForeignFactor * LeanBytes))
        {
            return null;
        }

        slab = FindOfNode(bin, node);
        return slab != null ? slab
            : freeBytes > OtherNodesFactor * LeanBytes && bin->FreeCount > bin->BlockCount / OtherNodesShare ? first
            : null;
    }

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
