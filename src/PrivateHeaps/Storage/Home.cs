using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Storage;

/// <summary>
/// Home: windows side by side, around the first in which a heap had memory, whose page entries lie side by side, and so do their state bytes. Almost all blocks lie there, and where
/// the entry of one lies follows from its address alone: a free waits for no table of windows. All of it can be read at any time, and what no heap uses is zero. This
/// structure is the head of the range, so that entries and states lie at the same distance from it in each process. Changed under the lock of the address map.
/// </summary>
[StructLayout(LayoutKind.Explicit)]
internal unsafe struct Home
{
    private const int WindowGranuleShift = AddressMap.WindowShift - Units.GranuleShift;

    // Whole pages on every system, of which the largest have 64 KiB.
    private const nuint EntriesStart = 64 * Units.KiB;

    // Of a process that has few addresses it takes none.
    private const nuint LeastShare = 8;

    // What is the first granule while there is no home: neither an address that a program can have, nor a multiple of a granule. And what no window has in the table.
    private const ulong NoGranule = 0xB7E151628AED2A6A;
    private const nuint NoWindow = 1;

    private static Home* s_home;

    // Counted from address 0. It does not lie where the page begins: processors compare the low twelve bits of addresses to find the store that a load depends on, a free loads
    // this, and many blocks begin at a page, where the program has just stored something. There, a pair took 3.9 ns in place of 3.6.
    [FieldOffset(0x7C8)]
    private nuint _firstGranule;

    /// <summary>What the table of windows has for those of home in which a heap had memory, unless they have a range of their own; and for no other.</summary>
    [FieldOffset(0x7D8)]
    public byte* Window;

    // Whether addresses for all of it are reserved behind this head.
    [FieldOffset(0x7E8)]
    private bool _isReserved;

    /// <summary>Null before the engine has started.</summary>
    public static Home* Current
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => s_home;
    }

    // These two are constants to the compiler.
    private static nuint StatesStart
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => EntriesStart + (CurrentOs.HomeWindows * AddressMap.EntriesBytes);
    }

    private static nuint GranuleCount
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => CurrentOs.HomeWindows << WindowGranuleShift;
    }

    // A block that starts in the last granules of a window has following bytes behind its states. In home they are those of the next window, or the last of these.
    private static nuint RangeBytes => StatesStart + (CurrentOs.HomeWindows * AddressMap.StatesBytes) + Units.PageBytes;

    public static bool Initialize()
    {
        if (s_home == null)
        {
            bool isReserved = RangeBytes <= Os.AddressSpaceLimit / LeastShare;
            nuint bytes = isReserved ? RangeBytes : EntriesStart;
            Home* home = (Home*)GuardPages.Reserve(bytes);
            if (home != null && Os.Commit(home, EntriesStart, false))
            {
                home->_firstGranule = unchecked((nuint)NoGranule);
                home->Window = (byte*)NoWindow;
                home->_isReserved = isReserved;
                s_home = home;
            }
            else if (home != null)
            {
                GuardPages.Release(home, bytes);
            }
        }

        return s_home != null;
    }

    /// <summary>Which granule of home a block's address, turned, is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nuint GranuleOf(Home* home, nuint turned) => turned - Shared.Read(&home->_firstGranule);

    /// <summary>Whether there is such a granule; there is none where there is no home.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Holds(nuint granule) => granule < GranuleCount;

    /// <summary>In the array of states, where those lie that no page entry holds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* StateAt(Home* home, nuint granule) => (byte*)home + StatesStart + granule;

    /// <summary>As <see cref="StateAt"/>, of an address in one of its windows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* StateOf(nuint address) => StateAt(s_home, GranuleOf(s_home, address >> Units.GranuleShift));

    /// <summary>
    /// What the table is to have for a window in which a heap is to have memory; null when the window is too far away, or the system has no memory. The first makes the home.
    /// </summary>
    public static byte* Add(nuint window)
    {
        Home* home = s_home;
        if (home->Window == (byte*)NoWindow && !Make(home, window))
        {
            return null;
        }

        nuint granule = GranuleOf(home, window << WindowGranuleShift);
        bool isAdded = Holds(granule)
            && Os.Commit(EntryOf(home, granule), AddressMap.EntriesBytes, false)
            && Os.Commit(StateAt(home, granule), AddressMap.StatesBytes + Units.PageBytes, false);
        return isAdded ? home->Window : null;
    }

    private static PageEntry* EntryOf(Home* home, nuint granule) =>
        (PageEntry*)((byte*)home + EntriesStart) + (granule >> (Units.PageShift - Units.GranuleShift));

    // Linux hands out lower and lower addresses; where commits are charged, they rise.
    private static bool Make(Home* home, nuint window)
    {
        nuint count = CurrentOs.HomeWindows;
        nuint before = Os.ChargesCommits ? 0 : Bits.Min(window, count * 3 / 4);
        nuint first = Bits.Min(window - before, AddressMap.WindowCount - count);
        if (!home->_isReserved
            || !Os.Show(EntryOf(home, 0), count * AddressMap.EntriesBytes)
            || !Os.Show(StateAt(home, 0), (count * AddressMap.StatesBytes) + Units.PageBytes))
        {
            return false;
        }

        home->Window = (byte*)EntryOf(home, 0) - (first << AddressMap.EntriesShift);

        // Partner: GranuleOf. Who sees this sees Window.
        Shared.Write(&home->_firstGranule, first << WindowGranuleShift);
        return true;
    }
}
