using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Tests.Platform;

/// <summary>The operations of <see cref="OsTable"/>, and beside them what the engine asks of its own metadata, for which it does not call the system each time.</summary>
[Flags]
internal enum SystemCalls
{
    Reserve = 1,
    Map = 2,
    Commit = 4,
    Decommit = 8,
    Release = 16,
    Resize = 32,
    Move = 64,
    All = 127,
    Metadata = 128,
}

/// <summary>What the system does when it is to give contents back.</summary>
internal enum DecommitAnswer
{
    Works,
    Fails,

    /// <summary>It says that it has done it, and the contents are still there.</summary>
    DoesNothing,
}

/// <summary>A system that refuses chosen calls, and counts the bytes that it has handed out. One thread at a time, beside rare calls of finalizers.</summary>
internal static unsafe class FailingSystem
{
    // Ranges that the engine keeps for ever: reservations of metadata.
    private static readonly HashSet<nint> s_kept = [];

    private static OsTable s_system;
    private static SystemCalls s_chosen;
    private static int s_callsBefore;
    private static bool s_stays;
    private static int s_refused;

    /// <summary>Calls refused, ever.</summary>
    public static int Refused => s_refused + Metadata.RefusedCount;

    /// <summary>The call that was refused last.</summary>
    public static SystemCalls LastRefused { get; private set; }

    /// <summary>Bytes of all ranges that were made and not ended, but those that the engine keeps for ever.</summary>
    public static nuint HeldBytes { get; private set; }

    public static DecommitAnswer Decommits { get; set; }

    /// <summary>Puts it in force over the memory rules; before the first heap function is called.</summary>
    public static void Install(MemoryRules rules)
    {
        s_system = StrictMemory.TableOf(rules);
        OsTable table = s_system;
        table.Reserve = &Reserve;
        table.Map = &Map;
        table.Commit = &Commit;
        table.Decommit = &Decommit;
        table.Release = &Release;
        table.Resize = &Resize;
        table.Move = s_system.Move == null ? null : &Move;
        Os.Install(&table);
    }

    /// <summary>Of the chosen calls from now on, the one with this number (from 1) is refused; all that come after it too, if memory stays away.</summary>
    public static void Refuse(SystemCalls chosen, int number, bool stays)
    {
        s_chosen = chosen;
        s_callsBefore = number;
        s_stays = stays;
        Metadata.Refuse(chosen == SystemCalls.Metadata ? number : 0, stays);
    }

    /// <summary>No call is refused any more.</summary>
    public static void Restore() => Refuse(0, 0, false);

    private static bool Refuses(SystemCalls call)
    {
        if ((s_chosen & call) == 0 || (--s_callsBefore != 0 && (!s_stays || s_callsBefore > 0)))
        {
            return false;
        }

        s_refused++;
        LastRefused = call;
        return true;
    }

    private static bool IsKept(nuint bytes) => bytes == GuardPages.RangeBytes(GuardedRange.ReservationBytes)
        || bytes == GuardPages.RangeBytes(GuardedRange.LeastBytes) || bytes == GuardPages.RangeBytes(AddressMap.RangeBytes);

    private static void* Reserve(nuint bytes)
    {
        void* range = Refuses(SystemCalls.Reserve) ? null : s_system.Reserve(bytes);
        bool isKept = range != null && IsKept(bytes) && s_kept.Add((nint)range);
        HeldBytes += range == null || isKept ? 0 : bytes;
        return range;
    }

    private static void* Map(nuint bytes, nuint alignment, bool executable)
    {
        void* range = Refuses(SystemCalls.Map) ? null : s_system.Map(bytes, alignment, executable);
        HeldBytes += range == null ? 0 : bytes;
        return range;
    }

    private static bool Commit(void* address, nuint bytes, bool executable) => !Refuses(SystemCalls.Commit) && s_system.Commit(address, bytes, executable);

    private static bool Decommit(void* address, nuint bytes) =>
        !Refuses(SystemCalls.Decommit) && (Decommits == DecommitAnswer.Works ? s_system.Decommit(address, bytes) : Decommits == DecommitAnswer.DoesNothing);

    private static bool Release(void* address, nuint bytes)
    {
        bool released = !Refuses(SystemCalls.Release) && s_system.Release(address, bytes);
        HeldBytes -= released && !s_kept.Remove((nint)address) ? bytes : 0;
        return released;
    }

    private static bool Resize(void* address, nuint oldBytes, nuint newBytes)
    {
        bool resized = !Refuses(SystemCalls.Resize) && s_system.Resize(address, oldBytes, newBytes);
        HeldBytes += resized ? newBytes - oldBytes : 0;
        return resized;
    }

    private static void* Move(void* address, nuint oldBytes, nuint newBytes)
    {
        void* moved = Refuses(SystemCalls.Move) ? null : s_system.Move(address, oldBytes, newBytes);
        HeldBytes += moved == null ? 0 : newBytes - oldBytes;
        return moved;
    }
}
