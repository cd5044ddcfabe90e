using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Win32;

/// <summary>
/// Neighboring pages of a reservation in the same state, up to the next run or the reservation's end. Between operations two neighbors always
/// differ, so a run is what VirtualQuery shows. A change is made in four steps: cut at both ends, which may need memory; ask the system; set; join.
/// Guarded by the lock of <see cref="Reservations"/>.
/// </summary>
internal unsafe struct PageRun
{
    public PageRun* Next;
    public PageRun* Previous;
    public byte* Start;

    /// <summary>0 while the pages are only reserved.</summary>
    public uint Protection;

    /// <summary>A run behind another (null: the first of a reservation), in the same state; null when there is no memory.</summary>
    public static PageRun* Create(PageRun* previous, byte* start)
    {
        PageRun* run = (PageRun*)Metadata.Take((nuint)sizeof(PageRun));
        if (run == null)
        {
            return null;
        }

        run->Start = start;
        if (previous != null)
        {
            run->Protection = previous->Protection;
            Link(run, previous->Next);
            Link(previous, run);
        }

        return run;
    }

    public static byte* EndOf(Reservation* reservation, PageRun* run) => run->Next == null ? reservation->End : run->Next->Start;

    /// <summary>The run that an address of the reservation lies in.</summary>
    public static PageRun* Find(Reservation* reservation, byte* address)
    {
        PageRun* run = reservation->Recent != null ? reservation->Recent : reservation->Runs;
        while (run->Start > address)
        {
            run = run->Previous;
        }

        while (run->Next != null && run->Next->Start <= address)
        {
            run = run->Next;
        }

        reservation->Recent = run;
        return run;
    }

    public static bool AreCommitted(Reservation* reservation, in PageRange range)
    {
        PageRun* run = Find(reservation, range.Start);
        while (run != null && run->Start < range.End && run->Protection != 0)
        {
            run = run->Next;
        }

        return run == null || run->Start >= range.End;
    }

    /// <summary>Makes runs begin at both ends of the range; false when there is no memory.</summary>
    public static bool Cut(Reservation* reservation, in PageRange range) => Cut(reservation, range.Start) && Cut(reservation, range.End);

    /// <summary>Gives all runs of a range that was cut the same state.</summary>
    public static void Set(Reservation* reservation, in PageRange range, uint protection)
    {
        for (PageRun* run = Find(reservation, range.Start); run != null && run->Start < range.End; run = run->Next)
        {
            run->Protection = protection;
        }
    }

    /// <summary>Joins neighbors in the same state, in the range and at its ends.</summary>
    public static void Join(Reservation* reservation, in PageRange range)
    {
        PageRun* run = Find(reservation, range.Start);
        run = run->Previous != null ? run->Previous : run;
        reservation->Recent = run;
        while (run->Next != null && run->Next->Start <= range.End)
        {
            PageRun* next = run->Next;
            if (next->Protection != run->Protection)
            {
                run = next;
                continue;
            }

            Link(run, next->Next);
            Metadata.Give(next, (nuint)sizeof(PageRun));
        }
    }

    /// <summary>Tells the system again what the runs of a range that was cut say, after it refused a change half-way.</summary>
    public static void Repeat(Reservation* reservation, in PageRange range)
    {
        for (PageRun* run = Find(reservation, range.Start); run != null && run->Start < range.End; run = run->Next)
        {
            LinuxPages.Protect(run->Start, (nuint)(EndOf(reservation, run) - run->Start), PageProtection.AccessOf(run->Protection));
        }
    }

    public static void DropAll(Reservation* reservation)
    {
        while (reservation->Runs != null)
        {
            PageRun* run = reservation->Runs;
            reservation->Runs = run->Next;
            Metadata.Give(run, (nuint)sizeof(PageRun));
        }
    }

    private static bool Cut(Reservation* reservation, byte* address)
    {
        if (address == reservation->End)
        {
            return true;
        }

        PageRun* run = Find(reservation, address);
        return run->Start == address || Create(run, address) != null;
    }

    private static void Link(PageRun* run, PageRun* next)
    {
        run->Next = next;
        if (next != null)
        {
            next->Previous = run;
        }
    }
}
