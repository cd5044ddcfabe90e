using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Storage;

/// <summary>
/// Mappings of freed solo blocks that are kept for the next ones, since the page faults of a fresh mapping cost more than all else about a large
/// block. They are few, so a list does; neighbors become one, and one that is too large is divided. The latest come first, and the oldest go back to
/// the system first, when the retention says so. Guarded by the lock of the region set. Only for systems that let parts of a mapping go.
/// </summary>
internal unsafe struct SpareMappings
{
    private const uint CountMaximum = 64;
    private const uint LargestPages = 64 * (Units.MiB / Units.PageBytes);

    // A mapping is divided when the rest is worth keeping and as large as what is taken. What is not divided lets the block grow.
    private const uint SmallestRestPages = 32;

    /// <summary>The most that is kept for being missed.</summary>
    public const uint MostPages = 256 * (Units.MiB / Units.PageBytes);

    // Blocks of many sizes do not fit into each other's mappings exactly: for an eighth of room more there are half as many page faults.
    private const uint HeadroomFraction = 8;

    public Retention Retention;

    private Region* _first;
    private uint _count;
    private bool _isBusy;
    private nuint _owedPages;

    /// <summary>The largest mapping that went back: a block that is larger would not have been served by keeping it.</summary>
    private nuint _largestReturnedPages;

    /// <summary>The solo blocks of the heap have so many pages now.</summary>
    public static void NoteUsed(SpareMappings* spares, nuint pages) => Retention.NoteUsed(&spares->Retention, pages + pages / HeadroomFraction);

    /// <summary>Keeps the mapping of a solo block that is in no list any more; false when it is too large or there are enough.</summary>
    public static bool Keep(SpareMappings* spares, Region* region, nuint usedPages)
    {
        if (!Retention.IsOn(&spares->Retention) || region->PageCount > LargestPages || region->Executable || spares->_count == CountMaximum)
        {
            return false;
        }

        spares->Retention.FreePages += region->PageCount;
        for (Region** link = &spares->_first; *link != null;)
        {
            Region* other = *link;
            bool isBefore = other->Base + other->Bytes == region->Base;
            if (!isBefore && region->Base + region->Bytes != other->Base)
            {
                link = &other->Next;
                continue;
            }

            region->Base = isBefore ? other->Base : region->Base;
            region->PageCount += other->PageCount;
            Unlink(spares, link);
        }

        region->Next = spares->_first;
        spares->_first = region;
        spares->_count++;
        while (Retention.IsSurplus(&spares->Retention, usedPages, isCostly: false))
        {
            ReleaseOldest(spares);
        }

        return true;
    }

    /// <summary>A mapping of at least so many pages, which may hold something; null when there is none.</summary>
    public static Region* Take(SpareMappings* spares, nuint pages)
    {
        Region** best = null;
        for (Region** link = &spares->_first; *link != null; link = &(*link)->Next)
        {
            if ((*link)->PageCount >= pages && (best == null || (*link)->PageCount < (*best)->PageCount))
            {
                best = link;
            }
        }

        spares->_isBusy = true;
        if (best == null)
        {
            NoteMissed(spares, pages);
            return null;
        }

        Region* taken = *best;
        Region* front = taken->PageCount - pages >= Bits.Max(SmallestRestPages, pages) ? (Region*)Metadata.Take((nuint)sizeof(Region)) : null;
        if (front != null)
        {
            Os.Copy(front, taken, (nuint)sizeof(Region));
            front->PageCount = (uint)pages;
            CutFront(taken, pages);
            taken = front;
        }
        else
        {
            *best = taken->Next;
            spares->_count--;
        }

        taken->CommittedPages = taken->PageCount;
        spares->Retention.FreePages -= taken->PageCount;
        return taken;
    }

    /// <summary>Takes pages that start at an address, so that the block before them can grow; false when they are not there.</summary>
    public static bool TakeAt(SpareMappings* spares, byte* address, nuint pages)
    {
        for (Region** link = &spares->_first; *link != null; link = &(*link)->Next)
        {
            Region* region = *link;
            if (region->Base == address && region->PageCount >= pages)
            {
                spares->Retention.FreePages -= pages;
                CutFront(region, pages);
                if (region->PageCount == 0)
                {
                    Unlink(spares, link);
                }

                return true;
            }
        }

        NoteMissed(spares, pages);
        return false;
    }

    /// <summary>The heap takes fresh pages elsewhere: as many go here, so that its peak does not rise by what is kept.</summary>
    public static void Shrink(SpareMappings* spares, nuint pages)
    {
        spares->_owedPages = spares->_first == null ? 0 : spares->_owedPages + pages;
        for (Region* oldest; (oldest = *OldestLink(spares)) != null && oldest->PageCount <= spares->_owedPages;)
        {
            spares->_owedPages -= oldest->PageCount;
            ReleaseOldest(spares);
        }
    }

    /// <summary>Gives all of them back to the system if none was wanted since the last such call.</summary>
    public static void ReleaseIdle(SpareMappings* spares)
    {
        if (!spares->_isBusy)
        {
            ReleaseAll(spares);
        }

        spares->_isBusy = false;
        spares->_largestReturnedPages = 0;
    }

    /// <summary>Gives all of them back to the system; returns the bytes that went.</summary>
    public static nuint ReleaseAll(SpareMappings* spares)
    {
        nuint bytes = 0;
        while (spares->_first != null)
        {
            bytes += ReleaseOldest(spares);
        }

        return bytes;
    }

    private static nuint ReleaseOldest(SpareMappings* spares)
    {
        Region** link = OldestLink(spares);
        nuint bytes = (*link)->Bytes;
        Retention.NoteReturned(&spares->Retention, (*link)->PageCount, (*link)->PageCount);
        spares->_largestReturnedPages = Bits.Max(spares->_largestReturnedPages, (*link)->PageCount);
        Leftovers.Release((*link)->Base, bytes, bytes);
        Unlink(spares, link);
        return bytes;
    }

    private static void NoteMissed(SpareMappings* spares, nuint pages)
    {
        if (pages <= spares->_largestReturnedPages)
        {
            Retention.NoteFresh(&spares->Retention, pages);
        }
    }

    private static Region** OldestLink(SpareMappings* spares)
    {
        Region** link = &spares->_first;
        while (*link != null && (*link)->Next != null)
        {
            link = &(*link)->Next;
        }

        return link;
    }

    private static void Unlink(SpareMappings* spares, Region** link)
    {
        Region* region = *link;
        *link = region->Next;
        spares->_count--;
        Metadata.Give(region, (nuint)sizeof(Region));
    }

    private static void CutFront(Region* region, nuint pages)
    {
        region->Base += pages << Units.PageShift;
        region->PageCount -= (uint)pages;
    }
}
