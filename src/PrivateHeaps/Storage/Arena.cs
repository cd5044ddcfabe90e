using System.Runtime.CompilerServices;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Storage;

/// <summary>
/// Large reservations that the regions of private heaps are cut from in pieces of 64 KiB, so that creating and destroying a heap needs no
/// system call. The memory of a dropped region is retained for the next one, up to a bound in all. Any thread may call; the lock is a leaf.
/// Each node has arenas of its own: so what is retained serves the node that it lies on, and page entries and states of two nodes share no page.
/// Conservation: RetainedUnits is the number of dirty units that belong to no piece.
/// </summary>
internal static unsafe class Arena
{
    public const nuint UnitBytes = 64 * Units.KiB;

    /// <summary>Larger regions get a reservation of their own.</summary>
    public const nuint LargestPieceBytes = 16 * Units.MiB;

    // Regions of many heaps lie at equal distances, and what each call to a heap looks at lies in the same place of each: the first block, its state, its page entry, and
    // the entries of the system's own page tables. At distances of powers of two all of that would meet in few sets of the processor's caches. So a piece that is
    // large enough not to miss it is a unit longer, and what its owner gets begins by as many pages later as its number says.
    private const nuint LeastColoredBytes = 1 * Units.MiB;
    private const uint ColorCount = (uint)(UnitBytes / Units.PageBytes);

    private const int ArenaLimit = 1024;
    private const nuint ArenaBytes = (nuint)1 * Units.GiB;
    private const nuint SmallestArenaBytes = LargestPieceBytes;
    private const nuint CommitBytes = 16 * Units.MiB;

    // Of dropped pieces; less where it stays charged. To make, fill and drop a heap of 20,000 blocks of 64 bytes takes eight times as long when its memory goes back
    // to the system each time.
    private static uint RetainedUnitsMaximum => (Os.ChargesCommits ? 8u : 32u) * Units.MiB / (uint)UnitBytes;

    private static State* s_state;

    public static bool Initialize()
    {
        s_state = s_state != null ? s_state : (State*)Metadata.Take((nuint)sizeof(State));
        return s_state != null;
    }

    /// <summary>
    /// A piece, from an arena of the caller's node, or null. It is committed, unless the system charges commits: then its owner commits what it uses. Its
    /// page entries and states are zero; clean means that it reads as zero too.
    /// </summary>
    public static byte* Take(nuint bytes, out bool clean)
    {
        OsLock.Enter(&s_state->Lock);
        byte* piece = TakeLocked(bytes, out clean);
        OsLock.Leave(&s_state->Lock);
        return piece;
    }

    /// <summary>Takes a piece back. Its owner has cleared page entries and states; only the first touchedBytes can hold anything.</summary>
    public static void Give(byte* piece, nuint bytes, nuint touchedBytes)
    {
        uint units = PieceUnits(bytes);
        OsLock.Enter(&s_state->Lock);
        One* arena = Owner(piece);
        nuint offset = (nuint)(piece - arena->Base);
        uint start = (uint)(offset / UnitBytes);
        RunMap.SetBits(arena->Dirty, start, UnitsOf(offset % UnitBytes + touchedBytes));
        uint dirty = RunMap.CountSet(arena->Dirty, start, units);
        bool keeps = s_state->RetainedUnits + dirty <= RetainedUnitsMaximum;

        // Where commits are charged, what was committed and never touched goes back too.
        uint kept = !keeps ? 0 : Os.ChargesCommits ? UnitsOf(offset % UnitBytes + touchedBytes) : units;
        if (kept != units)
        {
            // The piece is nobody's meanwhile.
            OsLock.Leave(&s_state->Lock);
            byte* first = arena->Base + start * UnitBytes;
            bool returned = Os.Decommit(first + kept * UnitBytes, (units - kept) * UnitBytes);
            if (!keeps)
            {
                AddressMap.GiveBack(first, units * UnitBytes);
            }

            OsLock.Enter(&s_state->Lock);
            if (returned)
            {
                RunMap.ClearBits(arena->Dirty, start + kept, units - kept);
                dirty = RunMap.CountSet(arena->Dirty, start, kept);
            }
        }

        s_state->RetainedUnits += dirty;
        RunMap.Give(&arena->Map, start, units);
        OsLock.Leave(&s_state->Lock);
    }

    /// <summary>Holds the lock across a fork.</summary>
    public static void EnterLock() => OsLock.Enter(&s_state->Lock);

    public static void LeaveLock() => OsLock.Leave(&s_state->Lock);

    /// <summary>See <see cref="OsLock.MayWait"/>.</summary>
    public static bool MayWait() => OsLock.MayWait(&s_state->Lock);

    private static byte* TakeLocked(nuint bytes, out bool clean)
    {
        uint units = PieceUnits(bytes);
        byte node = Os.NodeNumber;
        clean = false;
        State* state = s_state;
        One* arena = (One*)&state->Arenas;
        for (uint index = 0; index <= state->Count; index++, arena++)
        {
            if (index == state->Count && !AddArena(node))
            {
                return null;
            }

            uint start = arena->Node == node ? RunMap.Find(&arena->Map, units, 1, 0) : RunMap.None;
            if (start == RunMap.None)
            {
                continue;
            }

            nuint end = (nuint)(start + units) * UnitBytes;
            if (end > arena->CommittedBytes && !Extend(arena, end))
            {
                return null;
            }

            RunMap.Take(&arena->Map, start, units);
            uint dirty = RunMap.CountSet(arena->Dirty, start, units);
            state->RetainedUnits -= dirty;
            clean = dirty == 0;
            return arena->Base + start * UnitBytes + (IsColored(bytes) ? start % ColorCount << Units.PageShift : 0);
        }

        return null;
    }

    // Commits in large steps while that works, and exactly what is needed when memory is short.
    private static bool Extend(One* arena, nuint end)
    {
        nuint wanted = Bits.Min(Bits.RoundUp(end, CommitBytes), arena->Map.Count * UnitBytes);
        if (!CommitTo(arena, wanted))
        {
            wanted = end;
            if (!CommitTo(arena, wanted))
            {
                return false;
            }
        }

        if (!AddressMap.Cover(arena->Base + arena->CommittedBytes, wanted - arena->CommittedBytes))
        {
            return false;
        }

        arena->CommittedBytes = wanted;
        return true;
    }

    private static bool CommitTo(One* arena, nuint end) =>
        Os.ChargesCommits || Os.Commit(arena->Base + arena->CommittedBytes, end - arena->CommittedBytes, false);

    private static bool AddArena(byte node)
    {
        if (s_state->Count == ArenaLimit)
        {
            return false;
        }

        nuint bytes = ArenaBytes;
        while (bytes > SmallestArenaBytes && bytes > Os.AddressSpaceLimit / 32)
        {
            bytes /= 2;
        }

        byte* start = null;
        while (bytes >= SmallestArenaBytes && (start = (byte*)Os.Reserve(bytes)) == null)
        {
            bytes /= 2;
        }

        if (start == null)
        {
            return false;
        }

        uint units = (uint)(bytes / UnitBytes);
        ulong* words = (ulong*)Metadata.Take(2 * RunMap.BytesFor(units));
        if (words == null)
        {
            Leftovers.Release(start, bytes, 0);
            return false;
        }

        One* arena = (One*)&s_state->Arenas + s_state->Count++;
        arena->Base = start;
        arena->Node = node;
        arena->Dirty = words + RunMap.BytesFor(units) / sizeof(ulong);
        RunMap.Initialize(&arena->Map, words, units);
        return true;
    }

    private static bool IsColored(nuint bytes) => bytes >= LeastColoredBytes && bytes < LargestPieceBytes;

    private static uint PieceUnits(nuint bytes) => UnitsOf(bytes) + (IsColored(bytes) ? 1u : 0);

    private static uint UnitsOf(nuint bytes) => (uint)((bytes + (UnitBytes - 1)) / UnitBytes);

    private static One* Owner(byte* piece)
    {
        One* arena = (One*)&s_state->Arenas;
        while ((nuint)(piece - arena->Base) >= arena->Map.Count * UnitBytes)
        {
            arena++;
        }

        return arena;
    }

    private struct One
    {
        public byte* Base;

        /// <summary>Bytes whose windows the address map covers, and that are committed where that costs nothing.</summary>
        public nuint CommittedBytes;

        /// <summary>The node of the thread that made it. Fixed.</summary>
        public byte Node;
        public RunMap Map;

        /// <summary>One bit a unit: it may hold something.</summary>
        public ulong* Dirty;
    }

    private struct State
    {
        public OsLock Lock;
        public uint Count;
        public uint RetainedUnits;
        public Arenas Arenas;
    }

    [InlineArray(ArenaLimit)]
    private struct Arenas
    {
        private One _first;
    }
}
