using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Slabs;

/// <summary>
/// One thread's stack of free blocks of one class: allocate pops, free pushes, and nobody else touches it while the thread is inside the
/// heap. When it runs empty or full it first changes places with its spare, then trades whole rounds with a depot; the spare keeps a
/// thread that goes up and down across the boundary away from the lock. Between two operations Top != Limit, so that a push looks for room
/// only when it is done, with nothing left to do but to return or to jump.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = StructureBytes)]
internal unsafe struct Magazine
{
    /// <summary>A cache line, and a power of two: the index of a class becomes an address by a shift.</summary>
    public const int StructureBytes = 64;

    public Round* Top;
    public Round* Base;
    public Round* Limit;
    public Rounds* Spare;

    /// <summary>Bytes of a block, plus 1: less the requested bytes it is the state of a live block.</summary>
    public uint BlockBytesPlusOne;

    /// <summary>Blocks that the next refill from slabs takes; doubles up to the capacity, so a class that is used once stays small.</summary>
    public ushort RefillCount;

    /// <summary>A block was pushed before any was popped. The first such goes back to its slab: another thread got it, and perhaps still has its neighbors.</summary>
    public bool HasReturned;

    /// <summary>Where Top stood when the heap last looked for idle magazines.</summary>
    public Round* SeenTop;

    /// <summary>All the room that a magazine has before it is loaded with rounds: what a class that is used once needs.</summary>
    public Round Only;

    private const ushort FirstRefillCount = 4;

    // A thread whose refill from slabs has come to this fills a heap. Where a magazine holds fewer blocks, a depot serves as well.
    private const ushort LongRefillCount = 32;

    /// <summary>Whether it has rounds.</summary>
    public static bool IsLoaded(Magazine* magazine) => magazine->Base != &magazine->Only;

    public static uint Count(Magazine* magazine) => (uint)(magazine->Top - magazine->Base);

    public static void Initialize(Magazine* magazine, uint index)
    {
        magazine->BlockBytesPlusOne = SizeClass.BlockBytes(index) + 1;
        Empty(magazine);
    }

    /// <summary>Puts a dead block on top.</summary>
    public static void Push(Magazine* magazine, byte* block, byte* state)
    {
        magazine->Top->Block = block;
        magazine->Top->State = state;
        magazine->Top++;
    }

    /// <summary>Makes Top != Base, perhaps with a new slab of the bias; false when there is no memory.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool Refill(Magazine* magazine, Bin* bin, Depots** depots, RegionSet* regions, uint index, uint bias)
    {
        if (magazine->Spare != null && magazine->Spare->Count != 0)
        {
            SwapSpare(magazine);
            return true;
        }

        if (!IsLoaded(magazine) && !LoadEmpty(magazine, Bin.CapacityOf(bin, index)))
        {
            return false;
        }

        Depot* depot = Depots.Here(depots, index);
        Rounds* full = depot == null ? null : Depot.TradeEmpty(depot, Unload(magazine), bias, Bin.IsShared(bin));
        if (full != null)
        {
            Load(magazine, full);
            return true;
        }

        Bin.Enter(bin);
        full = Bin.TakeFull(bin, index, bias);
        if (full != null)
        {
            Bin.GiveEmpty(bin, Unload(magazine), index);
            Load(magazine, full);
        }
        else
        {
            // One less than there is room for, so that who frees the block again does not fill the magazine with it.
            uint most = (uint)(magazine->Limit - magazine->Base) - 1;
            if (magazine->RefillCount >= LongRefillCount && Grow(magazine, Bits.Min(LongRefill(magazine, bin, index), 2 * most) + 1))
            {
                most = (uint)(magazine->Limit - magazine->Base) - 1;
            }

            uint wanted = Bits.Min(most, magazine->RefillCount);
            uint taken = Bin.Take(bin, regions, index, magazine->Base + wanted, wanted, bias, magazine->Base->Block);
            if (taken != wanted)
            {
                Os.Copy(magazine->Base, magazine->Base + (wanted - taken), taken * (nuint)sizeof(Round));
            }

            magazine->RefillCount = (ushort)Bits.Min(most, magazine->RefillCount * 2u);
            magazine->Top = magazine->Base + taken;
        }

        Bin.Leave(bin, depots, index);
        return magazine->Top != magazine->Base;
    }

    /// <summary>Makes Top != Limit again after a push. The bias is that of the owner's cache.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void MakeRoom(Magazine* magazine, Bin* bin, Depots** depots, RegionSet* regions, uint index, uint bias)
    {
        if (!IsLoaded(magazine))
        {
            bool keeps = magazine->HasReturned;
            magazine->HasReturned = true;
            if (keeps && LoadEmpty(magazine, Bin.CapacityOf(bin, index)))
            {
                return;
            }
        }
        else if (magazine->Spare != null)
        {
            if (magazine->Spare->Count != 0)
            {
                StoreSpare(magazine, bin, depots, regions, index, bias);
            }

            SwapSpare(magazine);
            return;
        }
        else
        {
            Rounds* empty = Rounds.Create(Bin.CapacityOf(bin, index));
            if (empty != null)
            {
                Rounds* full = Unload(magazine);
                Load(magazine, empty);
                if (full->Capacity <= SizeClass.MagazineCapacity(index) + 1)
                {
                    magazine->Spare = full;
                }
                else
                {
                    // It has filled a heap, which is freed now: each block in it would keep a page from going back.
                    GiveBack(Rounds.Items(full), full->Count, bin, regions, bias);
                    Rounds.Drop(full);
                }

                return;
            }
        }

        // There is no memory to keep them in, or it shall not be kept.
        GiveBack(magazine->Base, Count(magazine), bin, regions, bias);
        magazine->Top = magazine->Base;
    }

    private static void GiveBack(Round* rounds, uint count, Bin* bin, RegionSet* regions, uint bias)
    {
        OsLock.Enter(&bin->Lock);
        Bin.Give(bin, regions, rounds, count, bias);
        OsLock.Leave(&bin->Lock);
    }

    /// <summary>Puts every block back into its slab; the arrays go too. The caller has the owner stand still, or is it.</summary>
    public static void Flush(Magazine* magazine, Bin* bin, RegionSet* regions, uint bias)
    {
        if (magazine->Top != magazine->Base || magazine->Spare != null)
        {
            OsLock.Enter(&bin->Lock);
            Bin.Give(bin, regions, magazine->Base, Count(magazine), bias);
            if (magazine->Spare != null)
            {
                Bin.Give(bin, regions, Rounds.Items(magazine->Spare), magazine->Spare->Count, bias);
            }

            OsLock.Leave(&bin->Lock);
        }

        Forget(magazine);
    }

    /// <summary>As <see cref="Flush"/>, if nothing was pushed or popped since the last such call. The caller is the owner.</summary>
    public static void FlushIfIdle(Magazine* magazine, Bin* bin, RegionSet* regions, uint bias)
    {
        if (IsLoaded(magazine) && magazine->Top == magazine->SeenTop)
        {
            Flush(magazine, bin, regions, bias);
        }

        magazine->SeenTop = magazine->Top;
    }

    /// <summary>Drops the arrays with whatever addresses they hold: their blocks went with the heap.</summary>
    public static void Forget(Magazine* magazine)
    {
        if (IsLoaded(magazine))
        {
            Rounds.Drop(Unload(magazine));
        }

        if (magazine->Spare != null)
        {
            Rounds.Drop(magazine->Spare);
        }

        Empty(magazine);
    }

    /// <summary>Loads a magazine that has no rounds yet with an array, keeping its block; false when there is no memory.</summary>
    public static bool LoadEmpty(Magazine* magazine, uint capacity)
    {
        Rounds* rounds = Rounds.Create(capacity);
        if (rounds == null)
        {
            return false;
        }

        rounds->Count = Count(magazine);
        *Rounds.Items(rounds) = magazine->Only;
        Load(magazine, rounds);
        return true;
    }

    // Most blocks that a long refill takes. Without a spare, this thread has freed hardly any so far; who frees those of a shared class is another.
    private static uint LongRefill(Magazine* magazine, Bin* bin, uint index) =>
        magazine->Spare == null && !Bin.IsShared(bin) ? SizeClass.FillCapacity(index) : SizeClass.MagazineCapacity(index);

    // Gives an empty magazine a larger array if there is memory, so that the lock is taken less often.
    private static bool Grow(Magazine* magazine, uint capacity)
    {
        Rounds* larger = magazine->Limit - magazine->Base < capacity ? Rounds.Create(capacity) : null;
        if (larger != null)
        {
            Rounds.Drop(Unload(magazine));
            Load(magazine, larger);
        }

        return larger != null;
    }

    private static void Empty(Magazine* magazine)
    {
        magazine->Top = magazine->Base = &magazine->Only;
        magazine->Limit = &magazine->Only + 1;
        magazine->Spare = null;
        magazine->SeenTop = null;
        magazine->RefillCount = FirstRefillCount;
        magazine->HasReturned = false;
    }

    // The full spare goes to the processor's depot or to that of the bin, where threads of another node find what is theirs, or its blocks to their slabs when the
    // depot has enough; an empty array takes its place.
    private static void StoreSpare(Magazine* magazine, Bin* bin, Depots** depots, RegionSet* regions, uint index, uint bias)
    {
        Rounds* full = magazine->Spare;
        full->Bias = (byte)bias;
        full->Node = Slab.NodeOf(Rounds.Items(full)->Block);
        Depot* depot = full->Node == Os.NodeNumber ? Depots.Here(depots, index) : null;
        Rounds* empty = depot == null ? null : Depot.TradeFull(depot, full, bin, index);
        if (empty != null)
        {
            empty->Count = 0;
            magazine->Spare = empty;
            return;
        }

        Bin.Enter(bin);
        empty = Bin.TradeFull(bin, full, index);
        if (empty != null)
        {
            magazine->Spare = empty;
        }
        else
        {
            Bin.Give(bin, regions, Rounds.Items(full), full->Count, bias);
        }

        Bin.Leave(bin, depots, index);
        magazine->Spare->Count = 0;
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
}
