using System.Collections;
using System.Runtime.InteropServices;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Tests.Platform;

/// <summary>
/// Memory by the rules of another system. What those rules forbid ends the process with a sentence; a touch of what is not accessible under them
/// ends it with a fault. Any thread may call; one lock.
/// </summary>
internal static unsafe class StrictMemory
{
    private const nuint GranularityBytes = 64 << 10;

    // Ranges by their first address. The lock guards everything here.
    private static readonly SortedList<nuint, Range> s_ranges = [];
    private static readonly Lock s_lock = new();
    private static OsTable s_system;
    private static nuint s_pageBytes;
    private static bool s_charges;

    /// <summary>Bytes of the pages that are committed now.</summary>
    public static nuint CommittedBytes { get; private set; }

    /// <summary>Commits that would make <see cref="CommittedBytes"/> larger than this fail.</summary>
    public static nuint CommitLimit { get; set; } = nuint.MaxValue;

    /// <summary>Puts the rules in force; before the first heap function is called.</summary>
    public static void Install(MemoryRules rules)
    {
        OsTable table = TableOf(rules);
        Os.Install(&table);
    }

    /// <summary>The operations of a system with the rules; one in a process.</summary>
    public static OsTable TableOf(MemoryRules rules)
    {
        CurrentOs.Fill(out s_system);
        if (rules == MemoryRules.OfThisSystem)
        {
            return s_system;
        }

        s_charges = rules == MemoryRules.OfWindows;
        s_pageBytes = rules == MemoryRules.OfMacOs ? 16u << 10 : 4u << 10;
        return new()
        {
            PageBytes = s_pageBytes,
            ChargesCommits = s_charges,
            Reserve = &Reserve,
            Map = &Map,
            Commit = &Commit,
            Decommit = &Decommit,
            Release = &Release,
            Resize = &Resize,
            Move = null,
            NodeNumber = s_system.NodeNumber,
        };
    }

    private static void* Reserve(nuint bytes) => Add(bytes, GranularityBytes);

    private static void* Map(nuint bytes, nuint alignment, bool executable)
    {
        using (new Turn())
        {
            Demand(nuint.IsPow2(alignment), "An alignment is a power of two.");
            void* start = Add(bytes, Math.Max(alignment, GranularityBytes));
            if (start != null && !Commit(start, bytes, executable))
            {
                Release(start, bytes);
                return null;
            }

            return start;
        }
    }

    private static void* Add(nuint bytes, nuint alignment)
    {
        Demand(bytes != 0 && bytes % s_pageBytes == 0, $"A range of {bytes} bytes is not made of pages.");
        if (bytes / s_pageBytes > int.MaxValue)
        {
            return null;
        }

        using (new Turn())
        {
            byte* place = (byte*)s_system.Reserve(bytes + alignment);
            if (place == null)
            {
                return null;
            }

            byte* start = (byte*)(((nuint)place + (alignment - 1)) & ~(alignment - 1));
            s_ranges.Add((nuint)start, new Range((nuint)place, bytes + alignment, bytes, new BitArray((int)(bytes / s_pageBytes))));
            return start;
        }
    }

    private static bool Commit(void* address, nuint bytes, bool executable)
    {
        using (new Turn())
        {
            Range range = Find(address, bytes, out int first, out int end);
            int fresh = Enumerable.Range(first, end - first).Count(page => !range.Committed[page]);
            nuint freshBytes = (nuint)fresh * s_pageBytes;
            if (freshBytes > CommitLimit - Math.Min(CommitLimit, CommittedBytes) || !s_system.Commit(address, bytes, executable))
            {
                return false;
            }

            CommittedBytes += freshBytes;
            Mark(range, first, end, true);
            return true;
        }
    }

    private static bool Decommit(void* address, nuint bytes)
    {
        using (new Turn())
        {
            Range range = Find(address, bytes, out int first, out int end);
            if (s_charges)
            {
                TakeAway(range, address, bytes, first, end);
                return true;
            }

            Demand(Enumerable.Range(first, end - first).All(page => range.Committed[page]), "Pages are given back that were never accessible.");
            return s_system.Decommit(address, bytes);
        }
    }

    private static bool Release(void* address, nuint bytes)
    {
        using (new Turn())
        {
            Range range = Find(address, bytes, out int first, out int end);
            Demand(s_ranges.ContainsKey((nuint)address) && bytes == range.Bytes, $"{bytes} bytes at {(nuint)address:X} are released, which are not a whole range.");
            CommittedBytes -= CountCommitted(range, first, end);
            s_ranges.Remove((nuint)address);
            return s_system.Release((void*)range.Place, range.PlaceBytes);
        }
    }

    private static bool Resize(void* address, nuint oldBytes, nuint newBytes)
    {
        using (new Turn())
        {
            Demand(s_ranges.TryGetValue((nuint)address, out Range? range) && range.Bytes == oldBytes, "What is resized is not a whole range.");
            Demand(newBytes != 0 && newBytes % s_pageBytes == 0, $"A range of {newBytes} bytes is not made of pages.");
            if (newBytes > oldBytes)
            {
                return false;
            }

            byte* tail = (byte*)address + newBytes;
            _ = Find(tail, oldBytes - newBytes, out int first, out int end);
            TakeAway(range!, tail, oldBytes - newBytes, first, end);
            range!.Bytes = newBytes;
            return true;
        }
    }

    // The contents go, and a touch is a fault from now on.
    private static void TakeAway(Range range, void* address, nuint bytes, int first, int end)
    {
        Demand(s_system.Decommit(address, bytes) && Libc.mprotect(address, bytes, Posix.ProtectNone) == 0, "The system did not do its part.");
        CommittedBytes -= CountCommitted(range, first, end);
        Mark(range, first, end, false);
    }

    // The range that holds all of the pages, and their numbers in it.
    private static Range Find(void* address, nuint bytes, out int first, out int end)
    {
        Demand(bytes != 0 && bytes % s_pageBytes == 0 && (nuint)address % s_pageBytes == 0, $"{bytes} bytes at {(nuint)address:X} are not whole pages.");
        int low = 0;
        for (int high = s_ranges.Count; low < high;)
        {
            int middle = (low + high) / 2;
            (low, high) = s_ranges.GetKeyAtIndex(middle) <= (nuint)address ? (middle + 1, high) : (low, middle);
        }

        Demand(low != 0, $"{(nuint)address:X} was never reserved.");
        nuint start = s_ranges.GetKeyAtIndex(low - 1);
        Range range = s_ranges.GetValueAtIndex(low - 1);
        nuint offset = (nuint)address - start;
        Demand(offset < range.Bytes && bytes <= range.Bytes - offset, $"{bytes} bytes at {(nuint)address:X} are not inside one range.");
        first = (int)(offset / s_pageBytes);
        end = first + (int)(bytes / s_pageBytes);
        return range;
    }

    private static nuint CountCommitted(Range range, int first, int end) =>
        (nuint)Enumerable.Range(first, end - first).Count(page => range.Committed[page]) * s_pageBytes;

    private static void Mark(Range range, int first, int end, bool committed)
    {
        for (int page = first; page < end; page++)
        {
            range.Committed[page] = committed;
        }
    }

    private static void Demand(bool kept, string complaint)
    {
        if (!kept)
        {
            Environment.FailFast(complaint);
        }
    }

    // A heap call that succeeds leaves the last error alone, and .NET's locks set it when they have to wait.
    private readonly ref struct Turn
    {
        private readonly int _error = Marshal.GetLastPInvokeError();

        public Turn() => s_lock.Enter();

        public void Dispose()
        {
            s_lock.Exit();
            Marshal.SetLastPInvokeError(_error);
        }
    }

    private sealed record Range(nuint Place, nuint PlaceBytes, nuint Bytes, BitArray Committed)
    {
        public nuint Bytes { get; set; } = Bytes;
    }
}
