using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Storage;

/// <summary>
/// Huge pages for what a heap grows by, as long as it uses what it had. One costs a tenth of the page faults of its 512 small pages, and the processor one entry in place
/// of 512; but it is there whole with the first touch, and nobody sees from outside how much of it is used. So some of the growth is left to small pages, and shows what the
/// program does with its memory: of a region each eighth step, of the large blocks with fresh mappings each eighth. All that becomes huge is touched here, and so timed.
/// What is known of large blocks serves those as well that must read as zero and have small pages.
/// </summary>
internal static unsafe class HugeGrowth
{
    private const uint WatchedInterval = 8;

    // What slabs take is used up only when some more steps were taken.
    private const uint Delay = 5;

    // Of the small pages of a step that is used up, so many were touched. Of larger ranges as much is looked at as such a step has.
    private const uint UsedEighths = 7;
    private const nuint LookedBytes = 2 * Units.MiB;

    /// <summary>The first pages of the first region are small, and all of a region that has less.</summary>
    public const uint LeastPages = 32 * (Units.MiB / Units.PageBytes);

    /// <summary>Fresh pages of a large block that show something.</summary>
    public const nuint LeastShownBytes = 512 * Units.KiB;

    // What 512 page faults take on a slow machine. A huge page takes a tenth of that, but longer where the system has to gather it first, and in a virtual
    // machine whose host has to give it the memory: then small pages, for which what others have just left will do, are better for a while.
    private const long SlowNanoseconds = 1_000_000;
    private const long PauseMilliseconds = 1000;

    /// <summary>So much of a new large block has huge pages at most, and so much of what a growing one has.</summary>
    public const nuint MostBytes = 8 * Units.MiB;
    public const nuint GrownFraction = 4;

    // Partners: other threads, which when they have not seen it yet find out themselves.
    private static long s_pausedUntil;

    /// <summary>Fresh pages of a large block from which on they are looked at.</summary>
    public static nuint LeastBytes => Os.HugePageBytes == 0 ? nuint.MaxValue : Os.HugePageBytes;

    /// <summary>The end of the step that an address lies in, or ends.</summary>
    public static nuint EndOfStep(nuint address) => Bits.RoundUp(address, Os.HugePageBytes);

    /// <summary>
    /// A range was committed just now, at the end of what a region has. What of it becomes huge does so at once, and never later: else the system would fill in the
    /// background what is given back to it.
    /// </summary>
    public static void Fill(Region* region, byte* start, nuint bytes)
    {
        nuint end = (nuint)start + bytes;
        for (nuint step = Bits.RoundUp((nuint)start, Os.HugePageBytes); step + Os.HugePageBytes <= end; step += Os.HugePageBytes)
        {
            byte* watched = Watched(region, step);
            if (!IsPaused
                && watched != null
                && step % (WatchedInterval * Os.HugePageBytes) != 0
                && IsUsed(watched, Os.HugePageBytes)
                && IsReady(region)
                && Os.WishHuge((void*)step, Os.HugePageBytes, true))
            {
                MakeHuge(step, step + Os.HugePageBytes);
                Shared.Write(HugeStep(region, step), 1);
                Os.WishHuge((void*)step, Os.HugePageBytes, false);
            }
        }
    }

    /// <summary>
    /// A range of a region will be given back: huge pages of which something stays become small ones. Each is divided once, since a call costs as much as the one
    /// that gives the range back.
    /// </summary>
    public static void Divide(Region* region, byte* start, nuint bytes)
    {
        if (!region->IsHuge)
        {
            return;
        }

        nuint end = (nuint)start + bytes;
        nuint firstEnd = Bits.Min(end, Bits.RoundUp((nuint)start, Os.HugePageBytes)), lastStart = Bits.Max(firstEnd, Bits.RoundDown(end, Os.HugePageBytes));
        DivideStep(region, (nuint)start, firstEnd);
        for (nuint step = firstEnd; step < lastStart; step += Os.HugePageBytes)
        {
            Shared.Write(HugeStep(region, step), 0);
        }

        DivideStep(region, lastStart, end);
    }

    // Partners: other threads that give back other parts of the step. Two that divide it at once do no harm.
    private static void DivideStep(Region* region, nuint start, nuint end)
    {
        byte* step = HugeStep(region, start);
        if (start < end && Shared.Read(step) != 0)
        {
            Os.DivideHuge((void*)start, end - start);
            Shared.Write(step, 0);
        }
    }

    /// <summary>Bytes of what a region notes of its steps.</summary>
    public static nuint StepBytes(uint pages) => Os.HugePageBytes == 0 || pages < LeastPages ? 0 : (pages / (uint)(Os.HugePageBytes >> Units.PageShift)) + 2;

    private static byte* HugeStep(Region* region, nuint address) => region->HugeSteps + (address / Os.HugePageBytes - (nuint)region->Base / Os.HugePageBytes);

    // Has huge pages for steps that were never touched, one after the other, until one is slow.
    private static void MakeHuge(nuint first, nuint end)
    {
        for (nuint step = first; step < end && !IsPaused; step += Os.HugePageBytes)
        {
            long before = Os.Nanoseconds;
            Shared.Write((byte*)step, 0);
            if (Os.Nanoseconds - before >= SlowNanoseconds)
            {
                Shared.Write(ref s_pausedUntil, Os.Milliseconds + PauseMilliseconds);
            }
        }
    }

    private static bool IsPaused => Shared.Read(ref s_pausedUntil) > Os.Milliseconds;

    // Were the region not as a whole what each step is again in the end, the system would have a mapping for each of them, and it has a limit for those.
    private static bool IsReady(Region* region)
    {
        region->HugeNumber = region->IsHuge || Os.WishHuge(region->Base, region->Bytes, false) ? 1u : 0;
        return region->IsHuge;
    }

    // The step of small pages that shows what comes of this one: in the same region, else at the end of the one before it.
    private static byte* Watched(Region* region, nuint step)
    {
        nuint watched = Bits.RoundDown(step - Delay * Os.HugePageBytes, WatchedInterval * Os.HugePageBytes);
        if (watched < (nuint)region->Base && (region = region->Previous) != null)
        {
            watched = Bits.RoundDown((nuint)region->Base + region->Bytes - Delay * Os.HugePageBytes, WatchedInterval * Os.HugePageBytes);
        }

        return region != null && watched >= (nuint)region->Base ? (byte*)watched : null;
    }

    /// <summary>
    /// Whether the fresh pages of a large block will be used: the last one was left to itself and used them, or there are more to come after such a one. It says
    /// nothing of blocks that are many times as large. The caller holds the lock of the region set.
    /// </summary>
    public static bool IsNextUsed(RegionSet* set, nuint blockBytes)
    {
        Region* last = set->LastSolo;
        if (set->UsedSolosLeft == 0 && last != null && !last->IsFilled && IsUsed(last, last->Base))
        {
            set->UsedSolosLeft = WatchedInterval;
            set->UsedSoloBytes = last->Bytes * WatchedInterval;
        }

        return set->UsedSolosLeft != 0 && blockBytes <= set->UsedSoloBytes && --set->UsedSolosLeft != 0;
    }

    /// <summary>
    /// Has the system give its small pages to the fresh part of a large block that must read as zero, at most 8 MiB. A program that looks before it writes would fault twice
    /// for each: it is shown a page of zeros first.
    /// </summary>
    public static void Touch(Region* region, nuint touchedBytes)
    {
        region->IsFilled = true;
        byte* end = region->Base + Bits.Min(region->Bytes, touchedBytes + MostBytes);
        for (byte* page = region->Base + touchedBytes; page < end; page += Units.PageBytes)
        {
            Shared.Write(page, 0);
        }
    }

    /// <summary>Whether a large block that has grown is to be huge: it is, or has used what it had, which was more than a little of what it has now.</summary>
    public static bool IsGrownHuge(Region* region, byte* resized, nuint blockBytes) =>
        !IsPaused && blockBytes > region->Bytes && region->Bytes >= LeastBytes && region->Bytes >= blockBytes / WatchedInterval && (region->IsHuge || IsUsed(region, resized));

    /// <summary>
    /// Has huge pages at once for the next pages of a large block, of which the first ones may have been touched and the others were not: at most so many bytes, since nobody
    /// has asked yet for what is there then. The caller holds the lock of the region set.
    /// </summary>
    public static void Fill(RegionSet* set, Region* region, byte* address, nuint bytes, nuint touchedBytes, nuint mostBytes)
    {
        nuint first = Bits.RoundUp((nuint)address + touchedBytes, Os.HugePageBytes);
        nuint end = Bits.Min(Bits.RoundDown((nuint)address + bytes, Os.HugePageBytes), first + mostBytes / Os.HugePageBytes * Os.HugePageBytes);
        if (!IsPaused && first < end && Os.WishHuge((void*)first, end - first, true))
        {
            MakeHuge(first, end);

            // As a whole, so that it stays one mapping.
            Os.WishHuge(address, bytes, false);
            region->HugeNumber = ++set->LastHugeNumber;
            region->IsFilled = true;
        }
    }

    // Whether a large block, which lies at the address, has used its fresh pages; false where it has few, or none since it has become smaller.
    private static bool IsUsed(Region* region, byte* address)
    {
        nuint used = Bits.Min((nuint)region->UsedPages << Units.PageShift, region->Bytes);
        return region->Bytes - used >= LeastShownBytes && IsUsed(address + used, region->Bytes - used);
    }

    // Whether most of a range is used, or of as much as is looked at in its middle.
    private static bool IsUsed(byte* start, nuint bytes)
    {
        nuint looked = Bits.Min(bytes, LookedBytes);
        byte* middle = start + Bits.RoundDown((bytes - looked) / 2, Units.PageBytes);
        return Os.CountResident(middle, looked) >= (looked >> Units.PageShift) / 8 * UsedEighths;
    }
}
