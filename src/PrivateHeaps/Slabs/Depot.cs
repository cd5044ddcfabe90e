using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Slabs;

/// <summary>
/// A few full magazines of one class that the threads of one processor left in front of the bin, and empty arrays to trade for more. A thread that has
/// been moved to another processor meanwhile harms nothing: each depot has its lock. Under it nothing is taken, neither a bin's lock nor the metadata's,
/// and nobody waits for it: who finds it held goes to the bin.
/// </summary>
internal unsafe struct Depot
{
    private OsLock _lock;

    /// <summary>Rounds in Full; at most Most. Written under the lock, and glanced at without it.</summary>
    public ushort Count;

    /// <summary>Full magazines that it may keep; 0 as long as the class does without.</summary>
    public byte Most;

    /// <summary>It was used since the heap last looked for idle ones.</summary>
    public bool IsBusy;
    public Rounds* Full;
    private Rounds* _empties;

    /// <summary>A full magazine, any or one that a thread of the bias filled, for an empty array; null, and the array stays the caller's, when it has none.</summary>
    public static Rounds* TradeEmpty(Depot* depot, Rounds* empty, uint bias, bool takesAny)
    {
        if (Shared.Read(&depot->Count) == 0 || !OsLock.TryEnter(&depot->_lock))
        {
            return null;
        }

        Rounds** link = &depot->Full;
        while (*link != null && !takesAny && (*link)->Bias != bias)
        {
            link = &(*link)->Next;
        }

        Rounds* full = *link;
        bool keeps = full != null && empty->Capacity >= full->Capacity;
        if (full != null)
        {
            *link = full->Next;
            depot->Count--;
            depot->IsBusy = true;
        }

        if (keeps)
        {
            empty->Next = depot->_empties;
            depot->_empties = empty;
        }

        OsLock.Leave(&depot->_lock);
        if (full != null && !keeps)
        {
            // A larger one takes its place with the next full magazine that comes.
            Rounds.Drop(empty);
        }

        return full;
    }

    /// <summary>An empty array for a full magazine; null, and the magazine stays the caller's, when it has enough or there is no memory.</summary>
    public static Rounds* TradeFull(Depot* depot, Rounds* full, Bin* bin, uint index)
    {
        if (Shared.Read(&depot->Count) >= Shared.Read(&depot->Most))
        {
            return null;
        }

        Rounds* fresh = Shared.Read((nint*)&depot->_empties) == 0 ? Rounds.Create(Bin.CapacityOf(bin, index)) : null;
        Rounds* empty = null;
        if (OsLock.TryEnter(&depot->_lock))
        {
            if (depot->Count < depot->Most)
            {
                empty = fresh != null ? fresh : depot->_empties;
            }

            if (empty != null)
            {
                depot->_empties = empty == fresh ? depot->_empties : empty->Next;
                full->Next = depot->Full;
                depot->Full = full;
                depot->Count++;
                depot->IsBusy = true;
            }

            OsLock.Leave(&depot->_lock);
        }

        if (fresh != null && empty != fresh)
        {
            Rounds.Drop(fresh);
        }

        return empty;
    }

    /// <summary>Takes all that it has, if it was not used since the last call or whatever was; false if it keeps what it has.</summary>
    public static bool Empty(Depot* depot, bool onlyIdle, out Rounds* full, out Rounds* empties)
    {
        full = empties = null;
        OsLock.Enter(&depot->_lock);
        bool leaves = !onlyIdle || !depot->IsBusy;
        depot->IsBusy = false;
        if (leaves)
        {
            full = depot->Full;
            empties = depot->_empties;
            depot->Full = depot->_empties = null;
            depot->Count = 0;
        }

        OsLock.Leave(&depot->_lock);
        return leaves;
    }
}

/// <summary>
/// The depots of one processor, one for each class; the rows of a heap lie one behind the other, and a processor finds its row by its number. On many processors the lock
/// of a bin and the rounds that change hands through it would be what all threads wait for. Only a heap that is seen to have that trouble has rows: they
/// are made when a bin was often found locked, and go with the heap's blocks. The pointer to the first row is written once by Interlocked, and cleared
/// while the heap stands still.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = StructureBytes)]
internal unsafe struct Depots
{
    /// <summary>Whole cache lines, in pairs, as processors fetch them.</summary>
    private const int StructureBytes = 2048;

    private const uint MostRows = 64;
    private const uint SmallBlockBytes = 1024;
    private const byte MostOfSmall = 2;
    private const byte MostOfOthers = 1;

    private DepotOfClass _depots;

    /// <summary>Rows less 1; the number of rows is a power of two. In the first row only, fixed.</summary>
    private uint _rowMask;

    /// <summary>For tests: every class has its depots from the first visit to its bin, even where there is one processor.</summary>
    public static bool IsEager;

    /// <summary>The depot of this class for the processor that the caller runs on; null when the class does without.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Depot* Here(Depots** rows, uint index)
    {
        Depots* first = First(rows);
        return first == null ? null : OfProcessor(first, index);
    }

    /// <summary>Gives the class its depots. False without memory, or on a single processor. The caller is inside the heap, and holds no lock.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool Open(Depots** rows, uint index)
    {
        Depots* first = First(rows);
        if (first == null && (first = Create(rows)) == null)
        {
            return false;
        }

        for (uint row = 0; row <= first->_rowMask && Shared.Read(&At(first, row, index)->Most) == 0; row++)
        {
            Shared.Write(&At(first, row, index)->Most, SizeClass.BlockBytes(index) <= SmallBlockBytes ? MostOfSmall : MostOfOthers);
        }

        return true;
    }

    /// <summary>
    /// Empties the depots of the class, or those that were not used since the last such call, into its slabs; true if one stays as it is. The caller is
    /// inside the heap or has it stand still, and holds no lock: that of a depot and that of a bin are never held together. The owner is that of <see cref="Bin.Give"/>.
    /// </summary>
    public static bool Flush(Depots** rows, Bin* bin, RegionSet* regions, uint index, uint owner, bool onlyIdle)
    {
        Depots* first = First(rows);
        bool staysAny = false;
        for (uint row = 0; first != null && row <= first->_rowMask; row++)
        {
            Depot* depot = At(first, row, index);
            if (Shared.Read(&depot->Most) == 0)
            {
                break;
            }

            if (!Depot.Empty(depot, onlyIdle, out Rounds* full, out Rounds* empties))
            {
                staysAny = true;
                continue;
            }

            if (full != null)
            {
                OsLock.Enter(&bin->Lock);
                for (Rounds* rounds = full; rounds != null; rounds = rounds->Next)
                {
                    Bin.Give(bin, regions, Rounds.Items(rounds), rounds->Count, owner);
                }

                OsLock.Leave(&bin->Lock);
            }

            Rounds.DropAll(full);
            Rounds.DropAll(empties);
        }

        return staysAny;
    }

    /// <summary>Ends all depots with whatever addresses they hold: their blocks are gone. The caller has the heap stand still.</summary>
    public static void Drop(Depots** rows)
    {
        Depots* first = *rows;
        if (first == null)
        {
            return;
        }

        for (uint row = 0; row <= first->_rowMask; row++)
        {
            for (uint index = 0; index < SizeClass.Count; index++)
            {
                Depot.Empty(At(first, row, index), false, out Rounds* full, out Rounds* empties);
                Rounds.DropAll(full);
                Rounds.DropAll(empties);
            }
        }

        *rows = null;
        Metadata.Give(first, (first->_rowMask + 1) * (nuint)sizeof(Depots));
    }

    /// <summary>Full magazines of the class in all rows; -1 when a depot does not have as many as it says, or more than it may. The heap stands still.</summary>
    public static int CountFull(Depots** rows, uint index)
    {
        Depots* first = First(rows);
        int all = 0;
        for (uint row = 0; first != null && row <= first->_rowMask; row++)
        {
            Depot* depot = At(first, row, index);
            uint count = 0;
            for (Rounds* full = depot->Full; full != null; full = full->Next)
            {
                count++;
            }

            if (count != depot->Count || count > depot->Most)
            {
                return -1;
            }

            all += (int)count;
        }

        return all;
    }

    private static Depots* First(Depots** rows) => (Depots*)Shared.Read((nint*)rows);

    private static Depot* At(Depots* first, uint row, uint index) => (Depot*)(first + row) + index;

    private static Depot* OfProcessor(Depots* first, uint index)
    {
        Depot* depot = At(first, Os.CpuNumber & first->_rowMask, index);
        return Shared.Read(&depot->Most) == 0 ? null : depot;
    }

    private static Depots* Create(Depots** rows)
    {
        uint count = BitOperations.RoundUpToPowerOf2(Bits.Min(MostRows, Os.CpuCount));
        nuint bytes = count * (nuint)sizeof(Depots);
        Depots* first = count == 1 && !IsEager ? null : (Depots*)Metadata.Take(bytes);
        if (first == null)
        {
            return null;
        }

        first->_rowMask = count - 1;
        nint other = Shared.CompareExchange((nint*)rows, (nint)first, 0);
        if (other != 0)
        {
            // Another thread was first.
            Metadata.Give(first, bytes);
            return (Depots*)other;
        }

        return first;
    }

    [InlineArray(SizeClass.Count)]
    private struct DepotOfClass
    {
        private Depot _first;
    }
}
