using System.Runtime.CompilerServices;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Slabs;

/// <summary>
/// One thread's stack of free blocks of one class: allocate pops, free pushes, and nobody else touches it while the thread is inside the
/// heap. When it runs empty or full it first changes places with its spare, then trades whole rounds with the depot; the spare keeps a
/// thread that goes up and down across the boundary away from the lock.
/// </summary>
internal unsafe struct Magazine
{
    public nuint* Top;
    public nuint* Base;
    public nuint* Limit;
    public uint BlockBytes;

    /// <summary>Blocks that the next refill from slabs takes; doubles up to the capacity, so a class that is used once stays small.</summary>
    public uint RefillCount;
    public Rounds* Spare;

    private const uint FirstRefillCount = 4;

    public static void Initialize(Magazine* magazine, uint index)
    {
        magazine->BlockBytes = SizeClass.BlockBytes(index);
        magazine->RefillCount = FirstRefillCount;
    }

    /// <summary>Makes Top != Base; false when there is no memory.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool Refill(Magazine* magazine, Bin* bin, RegionSet* regions, uint index)
    {
        if (magazine->Spare != null && magazine->Spare->Count != 0)
        {
            SwapSpare(magazine);
            return true;
        }

        if (magazine->Base == null && !LoadEmpty(magazine, index))
        {
            return false;
        }

        OsLock.Enter(&bin->Lock);
        Rounds* full = bin->Depot;
        if (full != null)
        {
            bin->Depot = full->Next;
            bin->DepotCount--;
            Rounds* empty = Unload(magazine);
            empty->Next = bin->Empties;
            bin->Empties = empty;
            Load(magazine, full);
        }
        else
        {
            uint taken = Bin.Take(bin, regions, index, magazine->Base, magazine->RefillCount);
            magazine->RefillCount = Bits.Min(SizeClass.MagazineCapacity(index), magazine->RefillCount * 2);
            Reverse(magazine->Base, taken);
            magazine->Top = magazine->Base + taken;
        }

        OsLock.Leave(&bin->Lock);
        return magazine->Top != magazine->Base;
    }

    /// <summary>Makes Top != Limit, so that a block can be pushed; false when there is no memory for that.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool MakeRoom(Magazine* magazine, Bin* bin, RegionSet* regions, uint index)
    {
        if (magazine->Base == null)
        {
            return LoadEmpty(magazine, index);
        }

        if (magazine->Spare == null)
        {
            Rounds* full = Unload(magazine);
            if (LoadEmpty(magazine, index))
            {
                magazine->Spare = full;
                return true;
            }

            Load(magazine, full);
            return false;
        }

        if (magazine->Spare->Count != 0)
        {
            StoreSpare(magazine, bin, regions, index);
        }

        SwapSpare(magazine);
        return true;
    }

    /// <summary>Puts every block back into its slab; the arrays go too. The caller has the owner stand still, or is it.</summary>
    public static void Flush(Magazine* magazine, Bin* bin, RegionSet* regions)
    {
        if (magazine->Base != null)
        {
            OsLock.Enter(&bin->Lock);
            Bin.Give(bin, regions, magazine->Base, (uint)(magazine->Top - magazine->Base));
            if (magazine->Spare != null)
            {
                Bin.Give(bin, regions, Rounds.Items(magazine->Spare), magazine->Spare->Count);
            }

            OsLock.Leave(&bin->Lock);
        }

        Forget(magazine);
    }

    /// <summary>Drops the arrays with whatever addresses they hold: their blocks went with the heap.</summary>
    public static void Forget(Magazine* magazine)
    {
        if (magazine->Base != null)
        {
            Rounds.Drop(Unload(magazine));
        }

        if (magazine->Spare != null)
        {
            Rounds.Drop(magazine->Spare);
            magazine->Spare = null;
        }

        magazine->Top = magazine->Base = magazine->Limit = null;
        magazine->RefillCount = FirstRefillCount;
    }

    // The full spare goes to the depot, or its blocks to their slabs when the depot has enough; an empty array takes its place.
    private static void StoreSpare(Magazine* magazine, Bin* bin, RegionSet* regions, uint index)
    {
        Rounds* full = magazine->Spare;
        OsLock.Enter(&bin->Lock);
        Rounds* empty = bin->Empties;
        if (bin->DepotCount < SizeClass.DepotLimit(index) && (empty != null || (empty = Rounds.Create(full->Capacity)) != null))
        {
            bin->Empties = empty->Next;
            full->Next = bin->Depot;
            bin->Depot = full;
            bin->DepotCount++;
            magazine->Spare = empty;
        }
        else
        {
            Bin.Give(bin, regions, Rounds.Items(full), full->Count);
        }

        OsLock.Leave(&bin->Lock);
        magazine->Spare->Count = 0;
    }

    /// <summary>Gives a magazine that has no rounds yet an empty array; false when there is no memory.</summary>
    public static bool LoadEmpty(Magazine* magazine, uint index)
    {
        Rounds* rounds = Rounds.Create(SizeClass.MagazineCapacity(index));
        if (rounds == null)
        {
            return false;
        }

        Load(magazine, rounds);
        return true;
    }

    private static void SwapSpare(Magazine* magazine)
    {
        Rounds* loaded = Unload(magazine);
        Load(magazine, magazine->Spare);
        magazine->Spare = loaded;
    }

    private static Rounds* Unload(Magazine* magazine)
    {
        Rounds* rounds = Rounds.OfItems(magazine->Base);
        rounds->Count = (uint)(magazine->Top - magazine->Base);
        return rounds;
    }

    private static void Load(Magazine* magazine, Rounds* rounds)
    {
        magazine->Base = Rounds.Items(rounds);
        magazine->Top = magazine->Base + rounds->Count;
        magazine->Limit = magazine->Base + rounds->Capacity;
    }

    // Lowest address on top: blocks that are neighbors are handed out one after the other.
    private static void Reverse(nuint* blocks, uint count)
    {
        if (count < 2)
        {
            return;
        }

        for (nuint* low = blocks, high = blocks + count - 1; low < high; low++, high--)
        {
            (*low, *high) = (*high, *low);
        }
    }
}
