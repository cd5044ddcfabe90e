using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Slabs;

/// <summary>
/// All that a heap has of one size class: the slabs with free blocks, and the depot of full magazines in front of them. Every field is
/// written under Lock. Conservation: blocks of the class = live + in magazines + in the depot + FreeCount.
/// </summary>
internal unsafe partial struct Bin
{
    private const int ContentionOfWait = 16;
    private const int MostContention = 192;
    private const int SharingOfChange = 16;
    private const int MostSharing = 64;

    // A class may borrow so often for each block that it has, and one more, before it gets another of its own.
    private const uint LoansForBlock = 256;

    public OsLock Lock;
    public uint DepotCount;

    /// <summary>Magazines that went back to the slabs since the depot was last found empty: had they been kept, they would be there now.</summary>
    public uint Spilled;

    /// <summary>Full magazines that the depot may keep beyond the first.</summary>
    public ushort DepotExtra;

    /// <summary>Blocks of a full magazine; 0 as long as there is little traffic. It doubles with the traffic, so that this takes the lock less often.</summary>
    public ushort Capacity;

    /// <summary>Blocks of larger classes that were taken in place of one of this class since it last made a slab. Counted without Lock, roughly.</summary>
    public ushort Borrowed;

    /// <summary>Visits since that last doubled.</summary>
    public byte Visits;

    /// <summary>The depot was used since the heap last looked for idle ones.</summary>
    public bool IsBusy;

    /// <summary>Rises when a slab of the class becomes common, and falls, by less, when one is made.</summary>
    public byte Sharing;

    /// <summary>A slab became wholly free that the bin need not keep; see Heap.Reap, which drops it.</summary>
    public bool HasFreeSlab;

    /// <summary>Rises when a thread that comes with a magazine finds Lock held, and falls, by less, when it does not.</summary>
    public byte Contention;
    public Rounds* Depot;
    public Rounds* Empties;

    /// <summary>The slabs that have a free block, the wholly free ones last. Next of the last one is null, Previous of the first one is the last.</summary>
    public Slab* Partial;
    public uint SlabCount;

    /// <summary>Blocks of all slabs.</summary>
    public uint BlockCount;

    /// <summary>Free blocks in the slabs.</summary>
    public uint FreeCount;

    /// <summary>Pages of the wholly free slabs.</summary>
    public uint FreePages;

    /// <summary>Neither the depot nor a slab has a block. May be asked without the lock.</summary>
    public static bool IsEmpty(Bin* bin) => bin->Depot == null && bin->FreeCount == 0;

    /// <summary>Whether the class may take one more block from a larger one rather than make a slab.</summary>
    public static bool MayBorrow(Bin* bin) => Shared.Read(&bin->Borrowed) < Bits.Min(ushort.MaxValue, (bin->BlockCount + 1) * LoansForBlock);

    public static void NoteBorrowed(Bin* bin) => Shared.Write(&bin->Borrowed, (ushort)(Shared.Read(&bin->Borrowed) + 1));

    /// <summary>The class makes a slab.</summary>
    public static void EndBorrowing(Bin* bin) => Shared.Write(&bin->Borrowed, 0);

    /// <summary>Takes Lock for a thread that comes with a magazine.</summary>
    public static void Enter(Bin* bin)
    {
        if (!OsLock.TryEnter(&bin->Lock))
        {
            OsLock.Enter(&bin->Lock);
            bin->Contention += ContentionOfWait;
        }
        else if (bin->Contention != 0)
        {
            bin->Contention--;
        }
    }

    /// <summary>The end of <see cref="Enter"/>; when the lock was often found held, the class gets depots of the processors.</summary>
    public static void Leave(Bin* bin, Depots** depots, uint index)
    {
        bool isContended = bin->Contention > MostContention;
        bin->Contention = isContended ? (byte)0 : bin->Contention;
        OsLock.Leave(&bin->Lock);
        if (isContended || Depots.IsEager)
        {
            Depots.Open(depots, index);
        }
    }

    /// <summary>
    /// Takes blocks from slabs into the array from its end downward, making at most one new slab, of the bias; returns how many, 0 when there is no memory. It begins with the slab
    /// near an address, which may be anything, if that is as good as another. The caller holds Lock.
    /// </summary>
    public static uint Take(Bin* bin, RegionSet* regions, uint index, Round* end, uint wanted, uint bias, byte* near)
    {
        // Where blocks go from thread to thread, a slab is better made common than to become so, which takes a process barrier.
        bias = IsShared(bin) ? Bias.None : bias;
        uint taken = 0;
        while (taken < wanted)
        {
            Slab* slab = Choose(bin, regions, index, bias, taken == 0 ? near : null, taken != 0);
            if (slab == null && taken == 0)
            {
                slab = AddSlab(bin, regions, index, wanted, bias);
                slab = slab != null ? slab : bin->Partial;
            }

            if (slab == null)
            {
                break;
            }

            uint kept = slab->PagesOfBlock == 0 ? 0 : Slab.CountKept(slab);
            uint some = TakeFrom(bin, slab, end - taken, wanted - taken, bias);
            if (slab->PagesOfBlock != 0)
            {
                kept -= Slab.CountKept(slab);
                RegionSet.NoteBlocksTaken(regions, some * slab->PagesOfBlock, kept * slab->PagesOfBlock);
            }
            else if (slab->ReturnedPages != 0)
            {
                uint missed = Bits.Min(slab->ReturnedPages, (some * slab->BlockBytes + (Units.PageBytes - 1)) >> Units.PageShift);
                slab->ReturnedPages -= (ushort)missed;
                RegionSet.NoteMissed(regions, missed);
            }

            taken += some;
        }

        return taken;
    }

    private static uint TakeFrom(Bin* bin, Slab* slab, Round* end, uint wanted, uint bias)
    {
        if (slab->Bias == Bias.Vacant)
        {
            Slab.SetBias(slab, bias);
        }

        bool wasWhole = IsWhole(slab);
        bin->FreePages -= wasWhole ? slab->PageCount : 0;
        uint taken = Slab.Take(slab, end, wanted);
        bin->FreeCount -= taken;
        if (wasWhole || slab->FreeCount == 0)
        {
            Unlist(bin, slab);
            if (slab->FreeCount != 0)
            {
                List(bin, slab);
            }
        }

        return taken;
    }

    private static bool IsWhole(Slab* slab) => slab->FreeCount == slab->SlotCount;

    /// <summary>Whether blocks of the class go from thread to thread.</summary>
    public static bool IsShared(Bin* bin) => bin->Sharing >= MostSharing;

    /// <summary>Takes one block from the depot or a slab, for a thread without a cache; null when there is no memory. The caller holds Lock.</summary>
    public static byte* TakeOne(Bin* bin, RegionSet* regions, uint index)
    {
        Round round;
        return bin->Depot != null ? TakeLast(bin) : Take(bin, regions, index, &round + 1, 1, Bias.First, null) == 0 ? null : round.Block;
    }

    /// <summary>
    /// As <see cref="TakeOne"/>, for who may hold any of the locks that come after Lock: null also when the bin has no block that can be had without them.
    /// </summary>
    public static byte* TakeWithoutLocks(Bin* bin, RegionSet* regions)
    {
        if (bin->Depot != null)
        {
            return TakeLast(bin);
        }

        Slab* slab = bin->Partial;
        if (slab == null || (slab->PagesOfBlock != 0 && Retention.IsOn(&regions->Retention)))
        {
            return null;
        }

        Round round;
        TakeFrom(bin, slab, &round + 1, 1, Bias.None);
        return round.Block;
    }

    // From the depot; an array that is empty then is kept for a full one.
    private static byte* TakeLast(Bin* bin)
    {
        Rounds* rounds = bin->Depot;
        byte* last = Rounds.Items(rounds)[--rounds->Count].Block;
        if (rounds->Count == 0)
        {
            bin->Depot = rounds->Next;
            bin->DepotCount--;
            rounds->Next = bin->Empties;
            bin->Empties = rounds;
        }

        return last;
    }

    /// <summary>
    /// Puts blocks back into their slabs; HasFreeSlab when one that the bin need not keep is wholly free now. The caller holds Lock. The owner is the bias of the cache with which the
    /// calling thread is inside and looks into no slab any more, or which it has stand still; None without one. A slab of that bias that is wholly free now is vacant from then on.
    /// </summary>
    public static void Give(Bin* bin, RegionSet* regions, Round* rounds, uint count, uint owner)
    {
        nuint freed = 0;
        for (uint i = 0; i < count;)
        {
            Slab* slab = (Slab*)AddressMap.EntryOf(rounds[i].Block)->Owner;
            uint before = slab->FreeCount;
            i += Slab.Give(slab, rounds + i, count - i);
            uint given = slab->FreeCount - before;
            if (given == 0)
            {
                continue;
            }

            bin->FreeCount += given;
            freed += given * slab->PagesOfBlock;
            bool isWhole = IsWhole(slab);
            if (isWhole && before != 0)
            {
                Unlist(bin, slab);
            }

            if (isWhole || before == 0)
            {
                List(bin, slab);
            }

            if (isWhole)
            {
                bin->FreePages += slab->PageCount;
                bin->HasFreeSlab |= IsSurplus(bin, slab);

                // Where the bias changes the tag tells, and somebody is inside.
                if (owner != Bias.None && PageEntry.BiasOf(Slab.TagOf(slab)) == owner)
                {
                    Slab.SetBias(slab, Bias.Vacant);
                }
            }
        }

        RegionSet.NoteBlocksFree(regions, freed);
    }

    /// <summary>Gives the pages of free blocks back to the system; returns how many. The caller holds Lock.</summary>
    public static nuint ReturnFree(Bin* bin, RegionSet* regions)
    {
        nuint all = 0;
        for (Slab* slab = bin->Partial; slab != null; slab = slab->Next)
        {
            nuint returned = Slab.ReturnFree(slab);
            RegionSet.NoteBlocksReturned(regions, returned, slab->PagesOfBlock != 0);
            all += returned;
        }

        return all;
    }

    // The wholly free slab in front of this one; null when there is none.
    private static Slab* WholeBefore(Bin* bin, Slab* slab) => slab != bin->Partial && IsWhole(slab->Previous) ? slab->Previous : null;

    // Whether the bin can do without a wholly free slab. Of larger blocks most classes have few, whose slabs add up.
    private static bool IsSurplus(Bin* bin, Slab* slab) => bin->FreeCount > (slab->PagesOfBlock == 0 ? 2u : 1u) * slab->SlotCount;

    /// <summary>A slab has become common. The caller holds Lock.</summary>
    public static void NoteShared(Bin* bin) => bin->Sharing = (byte)Bits.Min(byte.MaxValue, bin->Sharing + (uint)SharingOfChange);

    private static Slab* AddSlab(Bin* bin, RegionSet* regions, uint index, uint blocks, uint bias)
    {
        // Slabs double from one page on: a heap with few blocks stays small, a large one makes few slabs. One that is made although there are others with free
        // blocks, for the sake of its bias or node, is as large as what its thread is likely to take next.
        uint wanted = bin->Partial == null
            ? 1u << (int)SizeOfSlabs(bin, index)
            : (2 * blocks * SizeClass.BlockBytes(index) + (Units.PageBytes - 1)) / Units.PageBytes;
        Slab* slab = Slab.Create(regions, index, wanted, bias);
        if (slab != null)
        {
            bin->Sharing -= bin->Sharing != 0 ? (byte)1 : (byte)0;
            bin->SlabCount++;
            bin->BlockCount += slab->SlotCount;
            bin->FreeCount += slab->SlotCount;
            bin->FreePages += slab->PageCount;
            RegionSet.NoteBlocksFree(regions, slab->SlotCount * slab->PagesOfBlock);
            List(bin, slab);
        }

        return slab;
    }

    private static uint SizeOfSlabs(Bin* bin, uint index)
    {
        uint common = SizeClass.BlockBytes(index) <= SizeClass.LargestBoundedBytes ? 5u : 7;
        return Bits.Min(bin->SlabCount, bin->SlabCount < 64 ? common : common + 2);
    }

    /// <summary>
    /// Takes wholly free slabs out, in front of a list: all, or those that the bin can do without, and of any bias or those that are vacant or of one. No address in them
    /// counts as a block's from then on. The caller holds Lock.
    /// </summary>
    public static Slab* TakeFree(Bin* bin, Slab* list, bool onlySurplus, uint bias = Bias.None)
    {
        bin->HasFreeSlab = false;
        Slab* last = bin->Partial == null ? null : bin->Partial->Previous;
        for (Slab* slab = last != null && IsWhole(last) ? last : null, next; slab != null && (!onlySurplus || IsSurplus(bin, slab)); slab = next)
        {
            next = WholeBefore(bin, slab);

            // Where the bias changes somebody is inside.
            uint found = PageEntry.BiasOf(Slab.TagOf(slab));
            if (bias == Bias.None ? found != Bias.Changing : found == bias || found == Bias.Vacant)
            {
                Unlist(bin, slab);
                bin->SlabCount--;
                bin->BlockCount -= slab->SlotCount;
                bin->FreeCount -= slab->SlotCount;
                bin->FreePages -= slab->PageCount;
                Slab.SetTag(slab, 0);
                slab->Next = list;
                list = slab;
            }
        }

        return list;
    }

    /// <summary>Puts such a slab back. The caller holds Lock.</summary>
    public static void GiveFree(Bin* bin, RegionSet* regions, Slab* slab)
    {
        bin->SlabCount++;
        bin->BlockCount += slab->SlotCount;
        bin->FreeCount += slab->SlotCount;
        bin->FreePages += slab->PageCount;
        Slab.SetTag(slab, PageEntry.WithBias(regions->TagBase | slab->Class, slab->Bias));
        List(bin, slab);
    }

    // Blocks are taken from the front: who is wholly free comes last, and stays so.
    private static void List(Bin* bin, Slab* slab)
    {
        Slab* first = bin->Partial;
        slab->Next = null;
        slab->Previous = slab;
        if (first == null)
        {
            bin->Partial = slab;
            return;
        }

        slab->Previous = first->Previous;
        first->Previous = slab;
        if (IsWhole(slab))
        {
            slab->Previous->Next = slab;
        }
        else
        {
            slab->Next = first;
            bin->Partial = slab;
        }
    }

    private static void Unlist(Bin* bin, Slab* slab)
    {
        Slab* first = bin->Partial;
        *(slab == first ? &bin->Partial : &slab->Previous->Next) = slab->Next;
        Slab* behind = slab->Next != null ? slab->Next : bin->Partial;
        if (behind != null)
        {
            behind->Previous = slab->Previous;
        }

        slab->Next = null;
        slab->Previous = null;
    }
}
