using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Storage;

/// <summary>
/// How much free memory a heap keeps before it goes back to the system. Little to begin with, and the rest for a second, unless it is much and the heap uses less than
/// half of its peak, or takes fresh pages nevertheless; what was given back and needed again within a second was given back too early, and that much more is kept
/// from then on, until a second has passed in which nothing was missed; but never more than the heap has used at once meanwhile. So a large program that frees most
/// of what it has becomes small at once, one that goes up and down all the time pays for its page faults once, and neither becomes larger by what is kept. Guarded
/// by the lock of its region set.
/// </summary>
internal unsafe struct Retention
{
    // Free pages of 1 MiB, or a thirty-second of what is used, always stay; less when what is used falls, since then nobody may come for the rest any more.
    private const uint AlwaysPages = 256;
    private const uint UsedFraction = 32;
    private const uint FallenFraction = 64;

    // By so much there must be more than is kept, where to give it back takes a look at the whole heap.
    private const uint SlackOfKept = 8;
    private const uint SlackOfUsed = 32;
    private const long MemoryMilliseconds = 1000;

    // What is too much goes back only when it was so for this long: much of it is taken again within the time (python3: 65,000 page faults in place of 74,000).
    private const long DelayMilliseconds = 1000;

    // But what is more than that, or half of a peak that is, goes at once when the heap has fallen: a program that rests then does not come back to give it back.
    private const uint MostDelayedPages = 48 * (Units.MiB / Units.PageBytes);

    // And so it does when the heap has taken a quarter as many fresh pages meanwhile, and 2 MiB: it has no use for the free ones, and its peak would rise by them. With less a
    // heap whose live blocks only change would go through its pages by handfuls (100,000 blocks: 11,900 page faults in place of 10,000).
    private const uint FreshFraction = 4;
    private const uint LeastFreshPages = 2 * (Units.MiB / Units.PageBytes);

    /// <summary>No more than this is ever kept for being missed; 0 when free memory does not go back by itself: all but the process heap.</summary>
    public nuint MostPages;

    /// <summary>Free pages that may still hold something.</summary>
    public nuint FreePages;

    private nuint _keptPages;
    private nuint _peakUsedPages;
    private nuint _returnedPages;
    private long _lastMissed;
    private long _surplusSince;
    private nuint _freshSince;

    public static bool IsOn(Retention* retention) => retention->MostPages != 0;

    /// <summary>Whether the free pages are more than is worth keeping, by enough to be worth giving them back.</summary>
    public static bool IsSurplus(Retention* retention, nuint usedPages)
    {
        nuint kept = KeptPages(retention, usedPages);
        kept += Bits.Max(kept / SlackOfKept, usedPages / SlackOfUsed);
        nuint always = Bits.Max(AlwaysPages, usedPages / (HasFallen(retention, usedPages) ? FallenFraction : UsedFraction));
        if (!IsOn(retention) || retention->FreePages <= Bits.Max(always, kept))
        {
            return false;
        }

        if (retention->_keptPages != 0 && Os.Milliseconds - retention->_lastMissed > MemoryMilliseconds)
        {
            retention->_keptPages = 0;
            retention->_peakUsedPages = usedPages;
        }

        return true;
    }

    /// <summary>It is surplus from now on. When there was none for a second, what was used before that does not count any more.</summary>
    public static void NoteSurplus(Retention* retention, nuint usedPages)
    {
        long now = Os.Milliseconds;
        if (now - retention->_surplusSince > MemoryMilliseconds)
        {
            retention->_peakUsedPages = usedPages;
        }

        retention->_surplusSince = now;
        retention->_freshSince = 0;
    }

    /// <summary>Whether what has become surplus is to go back now. May be asked without the lock.</summary>
    public static bool IsDue(Retention* retention, nuint usedPages) =>
        (HasFallen(retention, usedPages) && Bits.Max(retention->FreePages, retention->_peakUsedPages / 2) > MostDelayedPages)
        || retention->_freshSince > Bits.Max(LeastFreshPages, retention->FreePages / FreshFraction)
        || Os.Milliseconds - retention->_surplusSince >= DelayMilliseconds;

    /// <summary>Whether the heap uses less than half of what it has used.</summary>
    public static bool HasFallen(Retention* retention, nuint usedPages) => usedPages <= retention->_peakUsedPages / 2;

    /// <summary>Free pages that stay when the surplus goes back: none, as long as none were missed.</summary>
    public static nuint KeptPages(Retention* retention, nuint usedPages) =>
        Bits.Min(retention->_keptPages, retention->_peakUsedPages - Bits.Min(usedPages, retention->_peakUsedPages));

    /// <summary>The heap uses so many pages now.</summary>
    public static void NoteUsed(Retention* retention, nuint usedPages) => retention->_peakUsedPages = Bits.Max(retention->_peakUsedPages, usedPages);

    /// <summary>Pages were given back, so many of them from the free ones.</summary>
    public static void NoteReturned(Retention* retention, nuint pages, nuint freePages)
    {
        retention->_returnedPages += pages;
        retention->FreePages -= freePages;
    }

    /// <summary>The heap takes pages that hold nothing. Of those that were given back, as many were missed.</summary>
    public static void NoteFresh(Retention* retention, nuint pages)
    {
        retention->_freshSince += pages;
        nuint missed = Bits.Min(pages, retention->_returnedPages);
        if (missed != 0)
        {
            retention->_returnedPages -= missed;
            retention->_keptPages = Bits.Min(retention->MostPages, retention->_keptPages + missed);
            retention->_lastMissed = Os.Milliseconds;
        }
    }
}
