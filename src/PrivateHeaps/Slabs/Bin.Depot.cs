using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Slabs;

/// <summary>The depot of full magazines in front of the slabs, and how large magazines of the class are.</summary>
internal unsafe partial struct Bin
{
    private const int VisitsBeforeDoubling = 8;

    // Magazines grow to a few blocks in any case, and from there on while a full one holds no more of all blocks than one in so many: each thread keeps up to two of
    // them, and the depot more.
    private const uint FewBlocks = 8;
    private const uint LeastShareOfBlocks = 16;
    private const uint LeastShareOfMany = 64;

    /// <summary>Blocks that a new magazine shall hold. May be asked without the lock.</summary>
    public static uint CapacityOf(Bin* bin, uint index)
    {
        uint capacity = Shared.Read(&bin->Capacity);
        return capacity != 0 ? capacity : SizeClass.FirstMagazineCapacity(index);
    }

    /// <summary>
    /// A full magazine of the caller's node from the depot: one that a thread of the bias filled; or any, where blocks go between threads or when there are many. Null when there
    /// is none, and if the depot is empty then it may keep more from now on. The caller holds Lock.
    /// </summary>
    public static Rounds* TakeFull(Bin* bin, uint index, uint bias)
    {
        NoteVisit(bin, index);
        Rounds* full = bin->Depot;
        if (full != null)
        {
            Rounds** link = ChooseFull(bin, index, bias);
            if (link == null)
            {
                return null;
            }

            full = *link;
            *link = full->Next;
            bin->DepotCount--;
        }
        else if (bin->Spilled != 0)
        {
            bin->DepotExtra = (ushort)Bits.Min(SizeClass.DepotMost(index), bin->DepotExtra + bin->Spilled);
            bin->Spilled = 0;
        }

        return full;
    }

    // The link to the magazine that TakeFull takes. Where blocks do not go between threads all are of one bias.
    private static Rounds** ChooseFull(Bin* bin, uint index, uint bias)
    {
        byte node = Os.NodeNumber;
        int last = IsShared(bin) ? FullChoiceCount : 0;
        Rounds** link = &bin->Depot;
        for (int i = 0; i <= last && *link != null; i++, link = &(*link)->Next)
        {
            if ((*link)->Bias == bias && (*link)->Node == node)
            {
                return link;
            }
        }

        link = &bin->Depot;
        bool takesAny = IsShared(bin) || IsMuch(bin, index, bin->DepotCount * (*link)->Count);
        for (int i = 0; takesAny && i <= FullChoiceCount && *link != null; i++, link = &(*link)->Next)
        {
            if ((*link)->Node == node)
            {
                return link;
            }
        }

        return null;
    }

    /// <summary>Keeps an empty array for a thread that comes with a full one. The caller holds Lock.</summary>
    public static void GiveEmpty(Bin* bin, Rounds* empty, uint index)
    {
        if (empty->Capacity < CapacityOf(bin, index))
        {
            Rounds.Drop(empty);
            return;
        }

        empty->Next = bin->Empties;
        bin->Empties = empty;
    }

    /// <summary>Puts a full magazine into the depot and takes an empty one for it; null when it has enough or there is no memory. The caller holds Lock.</summary>
    public static Rounds* TradeFull(Bin* bin, Rounds* full, uint index)
    {
        NoteVisit(bin, index);
        // Where blocks do not go between threads, one whose magazine lay behind another's would not find it.
        if (bin->Depot != null && bin->Depot->Bias != full->Bias && !IsShared(bin))
        {
            return null;
        }

        if (bin->DepotCount > bin->DepotExtra)
        {
            bin->Spilled++;
            return null;
        }

        Rounds* empty = bin->Empties;
        if (empty != null)
        {
            bin->Empties = empty->Next;
        }
        else if ((empty = Rounds.Create(CapacityOf(bin, index))) == null)
        {
            return null;
        }

        full->Next = bin->Depot;
        bin->Depot = full;
        bin->DepotCount++;
        return empty;
    }

    private static void NoteVisit(Bin* bin, uint index)
    {
        bin->IsBusy = true;
        if (++bin->Visits == VisitsBeforeDoubling)
        {
            bin->Visits = 0;
            uint capacity = CapacityOf(bin, index);
            uint doubled = Bits.Min(SizeClass.MagazineCapacity(index), 2 * capacity);
            bool isLarge = doubled * SizeClass.BlockBytes(index) > SizeClass.MagazineBytes;
            bin->Capacity = (ushort)((isLarge ? doubled * LeastShareOfMany <= bin->BlockCount : doubled <= FewBlocks || doubled * LeastShareOfBlocks <= bin->BlockCount) ? doubled : capacity);
        }
    }

    /// <summary>Empties the depot into the slabs. The caller holds Lock; the owner is that of <see cref="Give"/>.</summary>
    public static void FlushDepot(Bin* bin, RegionSet* regions, uint owner)
    {
        while (bin->Depot != null)
        {
            Rounds* rounds = bin->Depot;
            bin->Depot = rounds->Next;
            Give(bin, regions, Rounds.Items(rounds), rounds->Count, owner);
            Rounds.Drop(rounds);
        }

        bin->DepotCount = 0;
    }

    /// <summary>As <see cref="FlushDepot"/>, and forgets the traffic.</summary>
    public static void Flush(Bin* bin, RegionSet* regions, uint owner)
    {
        FlushDepot(bin, regions, owner);
        bin->DepotExtra = 0;
        bin->Spilled = 0;
        bin->Capacity = 0;
        bin->Visits = 0;
        Rounds.DropAll(bin->Empties);
        bin->Empties = null;
    }
}
