using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Storage;

/// <summary>
/// Mappings of freed solo blocks that are kept for the next ones, since the page faults of a fresh mapping cost more than all else about a large
/// block. A retention says when they go. Guarded by the lock of the region set.
/// </summary>
internal unsafe struct SpareMappings
{
    private const uint CountMaximum = 32;
    private const uint LargestPages = 64 * (Units.MiB / Units.PageBytes);

    public Retention Retention;

    private Region* _first;
    private uint _count;
    private bool _isBusy;

    /// <summary>Keeps the mapping of a solo block that is in no list any more; false when it is too large or there are enough.</summary>
    public static bool Keep(SpareMappings* spares, Region* region, nuint usedPages)
    {
        if (!spares->Retention.IsOn || region->PageCount > LargestPages || region->Executable || spares->_count == CountMaximum)
        {
            return false;
        }

        spares->Retention.FreePages += region->PageCount;
        if (Retention.IsSurplus(&spares->Retention, usedPages))
        {
            ReleaseAll(spares);
            spares->Retention.FreePages = region->PageCount;
        }

        region->Next = spares->_first;
        spares->_first = region;
        spares->_count++;
        return true;
    }

    /// <summary>
    /// The smallest mapping that is large enough and at most half as large again, else the largest one, which the caller may grow; null when there is
    /// none. Whatever it is, it may hold something.
    /// </summary>
    public static Region* Take(SpareMappings* spares, nuint pages)
    {
        Region** best = null;
        for (Region** link = &spares->_first; *link != null; link = &(*link)->Next)
        {
            nuint count = (*link)->PageCount;
            bool fits = count >= pages && count - pages <= pages / 2;
            bool bestFits = best != null && (*best)->PageCount >= pages;
            if (fits ? !bestFits || count < (*best)->PageCount : count < pages && !bestFits && (best == null || count > (*best)->PageCount))
            {
                best = link;
            }
        }

        spares->_isBusy = true;
        if (best == null)
        {
            Retention.NoteFresh(&spares->Retention, pages);
            return null;
        }

        Region* taken = *best;
        *best = taken->Next;
        spares->_count--;
        spares->Retention.FreePages -= taken->PageCount;
        return taken;
    }

    /// <summary>Gives all of them back to the system if none was wanted since the last such call.</summary>
    public static void ReleaseIdle(SpareMappings* spares)
    {
        if (!spares->_isBusy)
        {
            ReleaseAll(spares);
        }

        spares->_isBusy = false;
    }

    /// <summary>Gives all of them back to the system; returns the bytes that went.</summary>
    public static nuint ReleaseAll(SpareMappings* spares)
    {
        nuint bytes = 0;
        while (spares->_first != null)
        {
            Region* region = spares->_first;
            spares->_first = region->Next;
            bytes += region->Bytes;
            Os.Release(region->Base, region->Bytes);
            Metadata.Give(region, (nuint)sizeof(Region));
        }

        spares->_count = 0;
        Retention.NoteReturned(&spares->Retention);
        return bytes;
    }
}
