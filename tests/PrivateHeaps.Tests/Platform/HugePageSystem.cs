using System.Runtime.InteropServices;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Tests.Platform;

/// <summary>A wish for huge pages in a range, or the end of one.</summary>
internal readonly record struct HugeWish(nuint Address, nuint Bytes, bool IsWanted);

/// <summary>
/// This system with huge pages of 2 MiB that are never there: it writes down what is wished for, and says of memory that as much of it is used as the test wants. One thread
/// at a time. What must not happen at the moment of a wish is written down too, since the heap is in the middle of a call then.
/// </summary>
internal static unsafe class HugePageSystem
{
    public const nuint HugeBytes = 2 << 20;
    public const nuint PhaseUnitBytes = 16 << 20;
    public const nuint HugePages = HugeBytes >> Units.PageShift;

    private static OsTable s_system;
    private static long s_nanoseconds;

    public static List<HugeWish> Wishes { get; } = [];

    /// <summary>The ranges that were looked at, each with the pages that were said to be there.</summary>
    public static List<(nuint Address, nuint Bytes, nuint Pages)> Looks { get; } = [];

    /// <summary>The parts of huge pages that were named before they went back.</summary>
    public static List<(nuint Address, nuint Bytes)> Divided { get; } = [];

    /// <summary>The ranges whose contents went back.</summary>
    public static List<(nuint Address, nuint Bytes)> GivenBack { get; } = [];

    public static List<string> Complaints { get; } = [];

    /// <summary>Of a range of so many pages at an address, how many are used.</summary>
    public static Func<nuint, nuint, nuint> CountUsed { get; set; } = (_, _) => 0;

    /// <summary>How long it takes to have a huge page.</summary>
    public static long PageNanoseconds { get; set; }

    public static Predicate<HugeWish> Refuses { get; set; } = _ => false;

    /// <summary>If not 0, large reservations begin so many bytes behind a multiple of <see cref="PhaseUnitBytes"/>; what lies in front of them and behind stays reserved.</summary>
    public static nuint Phase { get; set; }

    /// <summary>The regions of this set are looked at when something is wished for.</summary>
    public static RegionSet* Watched { get; set; }

    /// <summary>Puts it in force; before the first heap function is called.</summary>
    public static void Install()
    {
        CurrentOs.Fill(out s_system);
        OsTable table = s_system;
        table.HugePageBytes = HugeBytes;
        table.WishHuge = &WishHuge;
        table.CountResident = &CountResident;
        table.DivideHuge = &DivideHuge;
        table.Nanoseconds = &Nanoseconds;
        table.Decommit = &Decommit;
        table.Reserve = &Reserve;
        Os.Install(&table);
    }

    public static void Forget()
    {
        Wishes.Clear();
        Looks.Clear();
        GivenBack.Clear();
        Divided.Clear();
    }

    private static void* Reserve(nuint bytes)
    {
        bool isPlaced = Phase != 0 && bytes >= PhaseUnitBytes;
        nuint start = (nuint)s_system.Reserve(isPlaced ? bytes + (2 * PhaseUnitBytes) : bytes);
        return (void*)(isPlaced && start != 0 ? Bits.RoundUp(start, PhaseUnitBytes) + Phase : start);
    }

    // The time passes between two looks at the clock.
    private static long Nanoseconds() => s_nanoseconds += PageNanoseconds;

    private static void DivideHuge(void* address, nuint bytes) => Divided.Add(((nuint)address, bytes));

    private static bool WishHuge(void* address, nuint bytes, bool isWanted)
    {
        Wishes.Add(new((nuint)address, bytes, isWanted));
        Region* region = Watched == null ? null : RegionSet.RegionOf(Watched, address);
        if (region != null && bytes != region->Bytes)
        {
            // At the end of a wish the first page was touched, and nothing else ever was.
            nuint end = ((nuint)address + bytes - (nuint)region->Base) >> Units.PageShift;
            Note(end - (bytes >> Units.PageShift) >= region->TouchedPages, $"{(nuint)address:X} was part of a run when it became huge.");
            Note(end <= region->PageCount, $"{(nuint)address:X} becomes huge beyond the end of its region.");
            Note(!OperatingSystem.IsLinux() || CountThere(address, bytes) == (isWanted ? 0u : 1u), $"Of {(nuint)address:X} {CountThere(address, bytes)} pages are touched.");
        }

        return !Refuses(new((nuint)address, bytes, isWanted));
    }

    private static nuint CountThere(void* address, nuint bytes)
    {
        byte[] pages = new byte[bytes >> Units.PageShift];
        fixed (byte* first = pages)
        {
            Note(Libc.mincore(address, bytes, first) == 0, $"{(nuint)address:X} is not accessible.");
        }

        return (nuint)pages.Count(page => (page & 1) != 0);
    }

    private static nuint CountResident(void* address, nuint bytes)
    {
        nuint count = CountUsed((nuint)address, bytes >> Units.PageShift);
        Looks.Add(((nuint)address, bytes, count));
        return count;
    }

    private static bool Decommit(void* address, nuint bytes)
    {
        int error = Marshal.GetLastPInvokeError();
        GivenBack.Add(((nuint)address, bytes));
        Marshal.SetLastPInvokeError(error);
        return s_system.Decommit(address, bytes);
    }

    private static void Note(bool holds, string complaint)
    {
        if (!holds)
        {
            Complaints.Add(complaint);
        }
    }
}
