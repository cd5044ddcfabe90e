using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Storage;

/// <summary>
/// Mappings of freed solo blocks that are kept for the next ones, since the page faults of a fresh mapping cost more than all else about a large
/// block. They are few, so a list does; neighbors become one, and one that is too large is divided. If none is large enough, the largest is taken to be
/// enlarged: the system moves its pages to where there is room in a sixtieth of the time of their page faults. The latest come first in the list, and the oldest go
/// back first. Guarded by the lock of the region set. Only for systems that let parts of a mapping go, and move them.
/// <para>
/// Nothing is kept to begin with, so a program that frees once becomes small at once. When a block needs fresh pages within a second after others went
/// back, as much is kept from then on as the solo blocks have used at once before, and an eighth of that: what they need fresh is matched by giving
/// others back. After a second in which no block has asked, all of that ends.
/// </para>
/// </summary>
internal unsafe struct SpareMappings
{
    private const uint CountMaximum = 256;
    private const uint LargestPages = 64 * (Units.MiB / Units.PageBytes);

    // A mapping is divided when the rest is worth keeping and as large as what is taken. What is not divided lets the block grow, and leaves no small ones.
    private const uint SmallestRestPages = 32;

    // So much always stays, and so much at most.
    private const uint AlwaysPages = Units.MiB / Units.PageBytes;
    private const uint MostPages = 256 * (Units.MiB / Units.PageBytes);

    // Blocks of many sizes do not fit into each other's mappings exactly: for an eighth of room more there are a third less page faults.
    private const uint HeadroomFraction = 8;
    private const long MemoryMilliseconds = 1000;

    /// <summary>Whether anything is kept.</summary>
    public bool IsOn;

    private bool _isBusy;

    /// <summary>Some went back and were missed.</summary>
    private bool _isMissed;
    private uint _count;
    private Region* _first;
    private nuint _pages;
    private nuint _peakUsedPages;
    private nuint _owedPages;
    private long _lastWanted;
    private long _lastReturned;

    /// <summary>The solo blocks of the heap have so many pages now.</summary>
    public static void NoteUsed(SpareMappings* spares, nuint pages) => spares->_peakUsedPages = Bits.Max(spares->_peakUsedPages, pages);

    /// <summary>Keeps the mapping of a solo block that is in no list any more; false when it is too large or there are enough.</summary>
    public static bool Keep(SpareMappings* spares, Region* region, nuint usedPages)
    {
        if (!spares->IsOn || region->PageCount > LargestPages || region->Executable || spares->_count == CountMaximum)
        {
            return false;
        }

        spares->_pages += region->PageCount;
        for (Region** link = &spares->_first; *link != null;)
        {
            Region* other = *link;
            bool isBefore = other->Base + other->Bytes == region->Base;
            if ((!isBefore && region->Base + region->Bytes != other->Base) || !Region.IsOneMapping(other, region))
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
        Trim(spares, Bits.Max(AlwaysPages, KeptPages(spares, usedPages)));
        return true;
    }

    /// <summary>
    /// A mapping, which may hold something: the one that fits best, for a block that grows the front of the largest, which leaves it the rest to grow on; or else the
    /// largest, for the caller to enlarge; null when there is none worth that. The block counts among the used pages already.
    /// </summary>
    public static Region* Take(SpareMappings* spares, nuint pages, nuint usedPages, bool grows)
    {
        Region** best = null;
        for (Region** link = &spares->_first; *link != null; link = &(*link)->Next)
        {
            if ((*link)->PageCount >= pages && (best == null || (*link)->PageCount < (*best)->PageCount != grows))
            {
                best = link;
            }
        }

        if (best != null)
        {
            NoteWanted(spares);
            return TakeFront(spares, best, pages);
        }

        Region** largest = LargestLink(spares);
        Region* taken = *largest != null && (*largest)->PageCount >= SmallestRestPages ? TakeWhole(spares, largest) : null;
        NoteFresh(spares);
        Trim(spares, KeptPages(spares, usedPages));
        return taken;
    }

    /// <summary>
    /// Takes pages behind a block, so that it can grow; false when they are not there. They count among the used pages already.
    /// </summary>
    public static bool TakeBehind(SpareMappings* spares, Region* block, nuint pages, nuint usedPages)
    {
        for (Region** link = &spares->_first; *link != null; link = &(*link)->Next)
        {
            Region* region = *link;
            if (region->Base == block->Base + block->Bytes && region->PageCount >= pages && Region.IsOneMapping(region, block))
            {
                spares->_pages -= pages;
                CutFront(region, pages);
                if (region->PageCount == 0)
                {
                    Unlink(spares, link);
                }

                return true;
            }
        }

        // What is used now grows beyond all before by a block that looks for no other mapping: it takes the place of those that are kept.
        NoteFresh(spares);
        Trim(spares, usedPages == spares->_peakUsedPages ? 0 : KeptPages(spares, usedPages));
        return false;
    }

    /// <summary>The heap takes fresh pages elsewhere: twice as many go here, so that its peak does not rise by what is kept for blocks that may not come.</summary>
    public static void Shrink(SpareMappings* spares, nuint pages)
    {
        spares->_owedPages = spares->_first == null ? 0 : spares->_owedPages + 2 * pages;
        if (spares->_owedPages >= AlwaysPages)
        {
            Trim(spares, spares->_pages - Bits.Min(spares->_owedPages, spares->_pages), AlwaysPages);
            spares->_owedPages = 0;
        }
    }

    /// <summary>If none was wanted since the last such call, all go back to the system but for those that are kept for being missed.</summary>
    public static void ReleaseIdle(SpareMappings* spares, nuint usedPages)
    {
        if (!spares->_isBusy)
        {
            Trim(spares, KeptPages(spares, usedPages));
        }

        spares->_isBusy = false;
    }

    /// <summary>Gives all of them back to the system; returns the bytes that went.</summary>
    public static nuint ReleaseAll(SpareMappings* spares)
    {
        nuint pages = spares->_pages;
        Trim(spares, 0);
        return pages << Units.PageShift;
    }

    // The oldest go first, at least half of each, or so many pages: the other half is of use to smaller blocks as it is, and to large ones when it is enlarged.
    private static void Trim(SpareMappings* spares, nuint keptPages, nuint leastPages = LargestPages)
    {
        while (spares->_pages > keptPages)
        {
            Region** link = OldestLink(spares);
            Region* region = *link;
            nuint pages = Bits.Max(spares->_pages - keptPages, Bits.Min(leastPages, region->PageCount / 2));
            pages = pages + SmallestRestPages <= region->PageCount ? pages : region->PageCount;
            nuint bytes = pages << Units.PageShift;
            region->PageCount -= (uint)pages;
            Leftovers.Release(region->Base + region->Bytes, bytes, bytes);
            spares->_pages -= pages;
            spares->_lastReturned = Os.Milliseconds;
            if (region->PageCount == 0)
            {
                Unlink(spares, link);
            }
        }
    }

    private static nuint KeptPages(SpareMappings* spares, nuint usedPages)
    {
        if (spares->_isMissed && Os.Milliseconds - spares->_lastWanted > MemoryMilliseconds)
        {
            spares->_isMissed = false;
            spares->_peakUsedPages = usedPages;
        }

        nuint peak = spares->_peakUsedPages;
        return spares->_isMissed ? Bits.Min(MostPages, peak + peak / HeadroomFraction - Bits.Min(usedPages, peak)) : 0;
    }

    // A block needs fresh pages.
    private static void NoteFresh(SpareMappings* spares)
    {
        spares->_isMissed = spares->_isMissed || (spares->_lastReturned != 0 && Os.Milliseconds - spares->_lastReturned <= MemoryMilliseconds);
        NoteWanted(spares);
    }

    private static void NoteWanted(SpareMappings* spares)
    {
        spares->_isBusy = true;
        if (spares->_isMissed)
        {
            spares->_lastWanted = Os.Milliseconds;
        }
    }

    private static Region* TakeFront(SpareMappings* spares, Region** link, nuint pages)
    {
        Region* region = *link;
        Region* front = region->PageCount - pages >= Bits.Max(SmallestRestPages, pages) ? (Region*)Metadata.Take((nuint)sizeof(Region)) : null;
        if (front == null)
        {
            return TakeWhole(spares, link);
        }

        Os.Copy(front, region, (nuint)sizeof(Region));
        front->PageCount = (uint)pages;
        front->CommittedPages = front->PageCount;
        CutFront(region, pages);
        spares->_pages -= pages;
        return front;
    }

    private static Region* TakeWhole(SpareMappings* spares, Region** link)
    {
        Region* region = *link;
        *link = region->Next;
        region->CommittedPages = region->PageCount;
        spares->_count--;
        spares->_pages -= region->PageCount;
        return region;
    }

    private static Region** OldestLink(SpareMappings* spares)
    {
        Region** link = &spares->_first;
        while ((*link)->Next != null)
        {
            link = &(*link)->Next;
        }

        return link;
    }

    private static Region** LargestLink(SpareMappings* spares)
    {
        Region** largest = &spares->_first;
        for (Region** link = largest; *link != null; link = &(*link)->Next)
        {
            largest = (*link)->PageCount > (*largest)->PageCount ? link : largest;
        }

        return largest;
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
