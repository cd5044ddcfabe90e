using System.Runtime.CompilerServices;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Storage;

/// <summary>
/// Large reservations that the regions of private heaps are cut from in pieces of 64 KiB, so that creating and destroying a heap needs no
/// system call. The memory of a dropped region stays committed for the next one, up to a bound. Any thread may call; the lock is a leaf.
/// </summary>
internal static unsafe class Arena
{
    public const nuint UnitBytes = 64 * Units.KiB;

    /// <summary>Larger regions get a reservation of their own.</summary>
    public const nuint LargestPieceBytes = 16 * Units.MiB;

    private const int ArenaLimit = 1024;
    private const nuint ArenaBytes = (nuint)1 * Units.GiB;
    private const nuint SmallestArenaBytes = LargestPieceBytes;
    private const nuint CommitBytes = 16 * Units.MiB;

    // Touched memory of dropped pieces that is kept for the next heap.
    private const nuint RetainedMaximumBytes = 32 * Units.MiB;
    private const nuint RetainedPieceBytes = 1 * Units.MiB;

    private static State* s_state;

    public static bool Initialize()
    {
        s_state = (State*)Metadata.Take((nuint)sizeof(State));
        return s_state != null;
    }

    /// <summary>
    /// A piece, or null. It is committed, unless the system charges commits: then its owner commits what it uses. Clean means that it was never
    /// used, so it reads as zero and so do its page entries and states.
    /// </summary>
    public static byte* Take(nuint bytes, out bool clean)
    {
        uint units = (uint)((bytes + (UnitBytes - 1)) / UnitBytes);
        OsLock.Enter(&s_state->Lock);
        byte* piece = TakeLocked(units, out clean);
        OsLock.Leave(&s_state->Lock);
        return piece;
    }

    /// <summary>Takes a piece back. Its owner has cleared page entries and states; only the first touchedBytes can hold anything.</summary>
    public static void Give(byte* piece, nuint bytes, nuint touchedBytes)
    {
        uint units = (uint)((bytes + (UnitBytes - 1)) / UnitBytes);
        bool keep = touchedBytes <= RetainedPieceBytes && Volatile.Read(ref s_state->RetainedBytes) + touchedBytes <= RetainedMaximumBytes;

        // Where commits are charged, what was committed and never touched goes back too.
        nuint kept = keep ? touchedBytes : 0;
        nuint end = Os.ChargesCommits ? units * UnitBytes : touchedBytes;
        if (kept != end)
        {
            Os.Decommit(piece + kept, end - kept);
        }

        if (!keep)
        {
            AddressMap.GiveBack(piece, bytes);
        }

        OsLock.Enter(&s_state->Lock);
        s_state->RetainedBytes += kept;
        One* arena = Owner(piece);
        RunMap.Give(&arena->Map, (uint)((nuint)(piece - arena->Base) / UnitBytes), units);
        OsLock.Leave(&s_state->Lock);
    }

    /// <summary>Holds the lock across a fork.</summary>
    public static void EnterLock() => OsLock.Enter(&s_state->Lock);

    public static void LeaveLock() => OsLock.Leave(&s_state->Lock);

    private static byte* TakeLocked(uint units, out bool clean)
    {
        clean = false;
        for (uint index = 0; index <= s_state->Count; index++)
        {
            if (index == s_state->Count && !AddArena())
            {
                return null;
            }

            One* arena = (One*)&s_state->Arenas + index;
            uint start = RunMap.Find(&arena->Map, units, 1, 0);
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
            clean = start >= arena->TouchedUnits;
            arena->TouchedUnits = Bits.Max(arena->TouchedUnits, start + units);
            if (!clean)
            {
                // What was retained in this piece is now the new owner's; the estimate need not be exact.
                s_state->RetainedBytes -= Bits.Min(s_state->RetainedBytes, units * UnitBytes);
            }

            return arena->Base + start * UnitBytes;
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

    private static bool AddArena()
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
        ulong* words = (ulong*)Metadata.Take(RunMap.BytesFor(units));
        if (words == null)
        {
            Os.Release(start, bytes);
            return false;
        }

        One* arena = (One*)&s_state->Arenas + s_state->Count++;
        arena->Base = start;
        RunMap.Initialize(&arena->Map, words, units);
        return true;
    }

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

        /// <summary>Units from here on were never part of a piece.</summary>
        public uint TouchedUnits;
        public RunMap Map;
    }

    private struct State
    {
        public OsLock Lock;
        public uint Count;
        public nuint RetainedBytes;
        public Arenas Arenas;
    }

    [InlineArray(ArenaLimit)]
    private struct Arenas
    {
        private One _first;
    }
}
