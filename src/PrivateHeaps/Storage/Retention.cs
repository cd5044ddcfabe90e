using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Storage;

/// <summary>
/// How much free memory a heap keeps before it goes back to the system. Little to begin with; what was given back and needed again within a
/// second was given back too early, and that much more is kept from then on, until a second has passed in which nothing was missed. So a program that
/// frees once becomes small at once, and one that goes up and down all the time pays for its page faults once. Guarded by the lock of its region set.
/// </summary>
internal unsafe struct Retention
{
    // Free pages of 1 MiB, or a sixteenth of what is used, always stay.
    private const uint AlwaysPages = 256;
    private const uint UsedFraction = 16;
    private const uint MostPages = 256 * (Units.MiB / Units.PageBytes);
    private const long MemoryMilliseconds = 1000;

    /// <summary>Whether free memory goes back by itself at all: the process heap.</summary>
    public bool IsOn;

    /// <summary>Free pages that may still hold something.</summary>
    public nuint FreePages;

    private nuint _keptPages;
    private nuint _returnedPages;
    private long _lastMissed;

    /// <summary>Whether the free pages are more than is worth keeping.</summary>
    public static bool IsSurplus(Retention* retention, nuint usedPages)
    {
        if (!retention->IsOn || retention->FreePages <= Bits.Max(Bits.Max(AlwaysPages, usedPages / UsedFraction), retention->_keptPages))
        {
            return false;
        }

        if (retention->_keptPages != 0 && Os.Milliseconds - retention->_lastMissed > MemoryMilliseconds)
        {
            retention->_keptPages = 0;
        }

        return true;
    }

    /// <summary>Free pages were given back.</summary>
    public static void NoteReturned(Retention* retention, nuint pages)
    {
        retention->_returnedPages += pages;
        retention->FreePages -= pages;
    }

    /// <summary>The heap takes pages that hold nothing. Of those that were given back, as many were missed.</summary>
    public static void NoteFresh(Retention* retention, nuint pages)
    {
        nuint missed = Bits.Min(pages, retention->_returnedPages);
        if (missed != 0)
        {
            retention->_returnedPages -= missed;
            retention->_keptPages = Bits.Min(MostPages, retention->_keptPages + missed);
            retention->_lastMissed = Os.Milliseconds;
        }
    }
}
