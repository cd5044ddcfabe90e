using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Storage;

/// <summary>
/// Huge pages for what a heap grows by, as long as it uses what it had. One costs a tenth of the page faults of its 512 small pages, and the processor one entry in place
/// of 512; but it is there whole with the first touch, and nobody sees from outside how much of it is used. So some of the growth is left to small pages, and shows what the
/// program does with its memory: of a region each eighth step, of the large blocks with fresh mappings each eighth.
/// </summary>
internal static unsafe class HugeGrowth
{
    private const uint WatchedInterval = 8;

    // What slabs take is used up only when some more steps were taken.
    private const uint Delay = 5;

    // Of the small pages of a step that is used up, so many were touched.
    private const uint UsedEighths = 7;

    // Fresh pages of a large block that show something.
    private const nuint LeastShownBytes = 512 * Units.KiB;

    // See Region.HugeNumber.
    private const uint HugeFromTheStart = 1;

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
            if (watched != null
                && step % (WatchedInterval * Os.HugePageBytes) != 0
                && IsUsed(watched, Os.HugePageBytes)
                && IsReady(region)
                && Os.WishHuge((void*)step, Os.HugePageBytes, true))
            {
                Shared.Write((byte*)step, 0);
                Os.WishHuge((void*)step, Os.HugePageBytes, false);
            }
        }
    }

    // Were the region not as a whole what each step is again in the end, the system would have a mapping for each of them, and it has a limit for those.
    private static bool IsReady(Region* region)
    {
        region->HugeNumber = region->IsHuge || Os.WishHuge(region->Base, region->Bytes, false) ? HugeFromTheStart : 0;
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
    /// Whether the fresh pages of a large block are to be huge: the last one was left to small pages and used them, or there are more to come after such a one. It says
    /// nothing of blocks that are many times as large. The caller holds the lock of the region set.
    /// </summary>
    public static bool IsNextHuge(RegionSet* set, nuint blockBytes)
    {
        Region* last = set->LastSolo;
        if (set->HugeSolosLeft == 0 && last != null && !last->IsHuge && IsUsed(last, last->Base))
        {
            set->HugeSolosLeft = WatchedInterval;
            set->HugeSoloBytes = last->Bytes * WatchedInterval;
        }

        return set->HugeSolosLeft != 0 && blockBytes <= set->HugeSoloBytes && --set->HugeSolosLeft != 0;
    }

    /// <summary>Whether a large block that has grown is to be huge: it had used what it had, which was more than a little of what it has now.</summary>
    public static bool IsGrownHuge(Region* region, byte* resized, nuint blockBytes) =>
        !region->IsHuge && blockBytes > region->Bytes && region->Bytes >= LeastBytes && region->Bytes >= blockBytes / WatchedInterval && IsUsed(region, resized);

    /// <summary>Makes a large block huge, if the system hears. The caller holds the lock of the region set.</summary>
    public static void Wish(RegionSet* set, Region* region, byte* address, nuint bytes, bool isTouched)
    {
        if (Os.WishHuge(address, bytes, true))
        {
            set->LastHugeNumber = Bits.Max(set->LastHugeNumber, HugeFromTheStart) + (isTouched ? 1u : 0);
            region->HugeNumber = isTouched ? set->LastHugeNumber : HugeFromTheStart;
        }
    }

    // Whether a large block, which lies at the address, has used its fresh pages; false where it has few, or none since it has become smaller.
    private static bool IsUsed(Region* region, byte* address)
    {
        nuint used = Bits.Min((nuint)region->UsedPages << Units.PageShift, region->Bytes);
        return region->Bytes - used >= LeastShownBytes && IsUsed(address + used, region->Bytes - used);
    }

    // Whether most of a range is used, or of as much as a huge page in its middle.
    private static bool IsUsed(byte* start, nuint bytes)
    {
        nuint looked = Bits.Min(bytes, Os.HugePageBytes);
        byte* middle = start + Bits.RoundDown((bytes - looked) / 2, Units.PageBytes);
        return Os.CountResident(middle, looked) >= (looked >> Units.PageShift) / 8 * UsedEighths;
    }
}
