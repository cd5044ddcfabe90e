using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Checks;

/// <summary>
/// The mapping of one block that lies against a page which cannot be accessed: behind the block, so that its last byte is as near to the page as the
/// alignment lets it be, or in front of it. On the other side is such a page, too, and what the block leaves of its own pages is filled.
/// <code>
/// | inaccessible |      filled | block | filled | inaccessible |       behind
/// | inaccessible | block | filled               | inaccessible |       before
/// </code>
/// </summary>
internal unsafe struct GuardedBlock
{
    /// <summary>
    /// Blocks that may lie on guard pages at once: each takes two of the mappings that the system lets a process have (65,530 on Linux), and the
    /// program needs some, too.
    /// </summary>
    public const int MostBlocks = 28_000;

    private static int s_count;

    /// <summary>The accessible pages. Comes first: lists of the heap know the block by it.</summary>
    public Region Region;

    public byte* Reservation;
    public nuint ReservationBytes;

    /// <summary>Of <see cref="GuardRanges"/>.</summary>
    private uint _rangeNumber;

    /// <summary>A fresh block, zero, with its borders filled; null when the system has no memory or mapping left.</summary>
    public static GuardedBlock* Map(nuint bytes, nuint alignment, bool isBefore, bool executable)
    {
        nuint pageBytes = Os.PageBytes;
        nuint dataBytes = Bits.RoundUp(Bits.Max(bytes, 1), pageBytes);
        alignment = Bits.Max(alignment, Units.GranuleBytes);
        nuint total = dataBytes + 2 * pageBytes + (alignment > pageBytes ? alignment : 0);
        GuardedBlock* guarded = Shared.Read(ref s_count) < MostBlocks ? (GuardedBlock*)Metadata.Take((nuint)sizeof(GuardedBlock)) : null;
        if (guarded == null)
        {
            return null;
        }

        guarded->Reservation = (byte*)Os.Reserve(total);
        guarded->ReservationBytes = total;
        if (guarded->Reservation == null)
        {
            Metadata.Give(guarded, (nuint)sizeof(GuardedBlock));
            return null;
        }

        Place(guarded, bytes, alignment, dataBytes, isBefore);
        Region* region = &guarded->Region;
        byte* page = (byte*)Bits.RoundDown((nuint)region->FirstBlock, Units.PageBytes);
        if (!Os.Commit(region->Base, region->Bytes, executable) || !AddressMap.Cover(page, Units.PageBytes))
        {
            Leftovers.Release(guarded->Reservation, total, total);
            Metadata.Give(guarded, (nuint)sizeof(GuardedBlock));
            return null;
        }

        Shared.Increment(ref s_count);
        region->Kind = RegionKind.Guarded;
        region->Executable = executable;
        FillBorders(guarded, bytes);
        guarded->_rangeNumber = GuardRanges.Add(guarded->Reservation, total);
        return guarded;
    }

    /// <summary>Fills what lies around the block in its pages.</summary>
    public static void FillBorders(GuardedBlock* guarded, nuint bytes)
    {
        Region* region = &guarded->Region;
        Pattern.Write(region->Base, region->HeaderBytes, Pattern.Border);
        Pattern.Write(region->FirstBlock + bytes, RoomBytes(guarded) - bytes, Pattern.Border);
    }

    /// <summary>From the start of the block to the end of its pages.</summary>
    public static nuint RoomBytes(GuardedBlock* guarded) => guarded->Region.Bytes - guarded->Region.HeaderBytes;

    public static bool Contains(GuardedBlock* guarded, nuint address) => address - (nuint)guarded->Reservation < guarded->ReservationBytes;

    /// <summary>Makes a freed block inaccessible; false when the system refuses.</summary>
    public static bool Hide(GuardedBlock* guarded) => Os.Hide(guarded->Region.Base, guarded->Region.Bytes);

    public static void Release(GuardedBlock* guarded)
    {
        GuardRanges.Remove(guarded->_rangeNumber);
        Leftovers.Release(guarded->Reservation, guarded->ReservationBytes, guarded->ReservationBytes);
        Metadata.Give(guarded, (nuint)sizeof(GuardedBlock));
        Shared.Decrement(ref s_count);
    }

    // Sets the accessible pages and where the block starts in them.
    private static void Place(GuardedBlock* guarded, nuint bytes, nuint alignment, nuint dataBytes, bool isBefore)
    {
        byte* low = guarded->Reservation + Os.PageBytes;
        byte* pages = alignment > Os.PageBytes ? (byte*)Bits.RoundUp((nuint)low, alignment) : low;
        Region* region = &guarded->Region;
        region->Base = pages;
        region->PageCount = (uint)(dataBytes >> Units.PageShift);
        region->CommittedPages = region->PageCount;
        bool isAtPage = isBefore || alignment > Os.PageBytes;
        region->HeaderBytes = isAtPage ? 0 : (uint)(dataBytes - Bits.RoundUp(Bits.Max(bytes, 1), alignment));
    }
}
