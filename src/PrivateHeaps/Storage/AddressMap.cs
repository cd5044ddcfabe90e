using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Storage;

/// <summary>
/// From any address to what the engine knows about it. The address space is cut into windows of 64 MiB; a window that holds heap memory
/// has a PageEntry for each page and a state byte for each granule, in <see cref="Home"/> or else in a range of its own. So two loads decide about any address, without
/// reading the caller's memory. Windows are added under the lock and never removed; readers take no lock. What the table has for a window is where its entries would begin if
/// they went on down to address 0, so an address alone says how far from there its entry lies.
/// </summary>
internal static unsafe class AddressMap
{
    public const int WindowShift = 26;
    public const nuint WindowBytes = (nuint)1 << WindowShift;
    public const nuint WindowMask = WindowBytes - 1;

    /// <summary>User addresses have 47 bits on x86-64 and at most 48 on arm64. A constant to the compiler; the table counts under a limit of address space.</summary>
    public static nuint WindowCount
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (nuint)1 << ((X86Base.IsSupported ? 47 : 48) - WindowShift);
    }

    public const int EntriesShift = WindowShift - Units.PageShift + EntryShift;
    public const nuint EntriesBytes = (nuint)1 << EntriesShift;
    public const nuint StatesBytes = WindowBytes >> Units.GranuleShift;

    // The bytes of a page entry as a power of two.
    private const int EntryShift = 4;

    // A block may start so near the end of its window that the bytes which follow its state byte would belong to the next one. They lie here.
    private const nuint TailBytes = 8;

    /// <summary>Bytes of a window's range outside of home.</summary>
    public const nuint RangeBytes = EntriesBytes + StatesBytes + Units.PageBytes;

    private static byte** s_windows;
    private static State* s_state;

    public static bool Initialize()
    {
        s_state = s_state != null ? s_state : (State*)Metadata.Take((nuint)sizeof(State));
        s_windows = s_windows != null ? s_windows : (byte**)GuardPages.Map(WindowCount * (nuint)sizeof(byte*));
        return s_state != null && s_windows != null && Home.Initialize();
    }

    /// <summary>Of the address's window, what <see cref="EntryIn"/> and <see cref="StateIn(byte*, nuint)"/> ask for; null when no heap ever had memory there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* WindowOf(nuint address)
    {
        nuint window = address >> WindowShift;
        return window < WindowCount ? WindowAt(window) : null;
    }

    /// <summary>
    /// The address with its four low bits turned to the top. They are zero in a block's address, so that one comparison then refuses both
    /// misaligned addresses and those beyond user space, and what is left counts granules.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nuint Turn(void* address) => BitOperations.RotateRight((nuint)address, Units.GranuleShift);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsPossibleBlock(nuint turned) => turned >> (WindowShift - Units.GranuleShift) < WindowCount;

    /// <summary>
    /// The page entry of an address, and in the array of states its state byte. False: no block can start there, or no heap ever had memory near it.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryFind(void* block, out PageEntry* entry, out byte* state)
    {
        Home* home = Home.Current;
        nuint turned = Turn(block);
        nuint granule = Home.GranuleOf(home, turned);
        if (Home.Holds(granule))
        {
            entry = EntryIn(home->Window, (nuint)block);
            state = Home.StateAt(home, granule);
            return true;
        }

        return TryFindAbroad(block, out entry, out state);
    }

    /// <summary>As <see cref="TryFind"/>, for what does not lie in home.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryFindAbroad(void* block, out PageEntry* entry, out byte* state)
    {
        byte* window;
        if (!IsPossibleBlock(Turn(block)) || (window = KnownWindowOf((nuint)block)) == null)
        {
            entry = null;
            state = null;
            return false;
        }

        entry = EntryIn(window, (nuint)block);
        state = StateAbroad(window, (nuint)block);
        return true;
    }

    /// <summary>As <see cref="WindowOf"/>, for an address that is known to lie in heap memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* KnownWindowOf(nuint address) => WindowAt(address >> WindowShift);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PageEntry* EntryIn(byte* window, nuint address) =>
        (PageEntry*)(window + ((address >> (Units.PageShift - EntryShift)) & ~(nuint)((1 << EntryShift) - 1)));

    /// <summary>In the array of states, where those lie that no page entry holds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* StateIn(byte* window, nuint address) =>
        window == Home.Current->Window ? Home.StateOf(address) : StateAbroad(window, address);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* StateAbroad(byte* window, nuint address) =>
        window + (address >> WindowShift << EntriesShift) + EntriesBytes + ((address & WindowMask) >> Units.GranuleShift);

    /// <summary>The state byte of an address in a page with this tag.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* StateIn(byte* window, nuint address, uint tag) => StateIn(EntryIn(window, address), StateIn(window, address), address, tag);

    /// <summary>The same where the page entry and the byte in the array are known. Where no block starts, neither says that one is live.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* StateIn(PageEntry* entry, byte* state, nuint address, uint tag) =>
        PageEntry.HoldsState(tag) && PageEntry.IsStart(entry, address) ? PageEntry.StateOf(entry) : state;

    /// <summary>The page entry of an address in heap memory.</summary>
    public static PageEntry* EntryOf(void* address) => EntryIn(KnownWindowOf((nuint)address), (nuint)address);

    /// <summary>The state byte of an address in heap memory.</summary>
    public static byte* StateOf(void* address)
    {
        byte* window = KnownWindowOf((nuint)address);
        return StateIn(window, (nuint)address, Shared.Read(&EntryIn(window, (nuint)address)->Tag));
    }

    /// <summary>As <see cref="StateOf"/>, of what is known to lie in the array: all but blocks of slabs.</summary>
    public static byte* ArrayStateOf(void* address) => StateIn(KnownWindowOf((nuint)address), (nuint)address);

    /// <summary>Makes the metadata of all windows of a range; false when the system has no memory.</summary>
    public static bool Cover(void* start, nuint bytes)
    {
        nuint last = ((nuint)start + bytes - 1) >> WindowShift;
        if (last >= WindowCount)
        {
            return false;
        }

        for (nuint window = (nuint)start >> WindowShift; window <= last; window++)
        {
            if (WindowAt(window) == null && !AddWindow(window))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The metadata range of a window that nobody knows yet, for <see cref="GiveWindow"/>; null when the system has no memory.</summary>
    public static byte* TakeWindow()
    {
        EnterLock();
        byte* range = TakeRange();
        LeaveLock();
        return range;
    }

    /// <summary>The range becomes that of the address's window if that has none; else, and for null, it is kept for another.</summary>
    public static void GiveWindow(byte* range, byte* address)
    {
        nuint window = (nuint)address >> WindowShift;
        EnterLock();
        if (address != null && WindowAt(window) == null && !TryAddHome(window))
        {
            SetRange(window, range);
        }
        else
        {
            *(byte**)range = s_state->Unused;
            s_state->Unused = range;
        }

        LeaveLock();
    }

    /// <summary>Writes the same entry for every page of a range.</summary>
    public static void SetEntries(byte* start, nuint pages, uint tag, void* owner)
    {
        while (pages != 0)
        {
            nuint piece = Bits.Min(pages, (WindowBytes - ((nuint)start & WindowMask)) >> Units.PageShift);
            PageEntry* entry = EntryOf(start);
            for (PageEntry* end = entry + piece; entry < end; entry++)
            {
                PageEntry.Set(entry, tag, owner);
            }

            start += piece << Units.PageShift;
            pages -= piece;
        }
    }

    /// <summary>
    /// As <see cref="Forget"/> for whole pages with equal blocks, smaller than a page, that are all dead: of their states only what follows the first byte can be
    /// set, so that larger blocks need not have all of theirs cleared.
    /// </summary>
    public static void ForgetDead(byte* start, nuint bytes, uint blockBytes)
    {
        const nuint followingBytes = 8;
        if (blockBytes < 4 * followingBytes << Units.GranuleShift)
        {
            Forget(start, bytes);
            return;
        }

        for (nuint offset = 0; offset + blockBytes <= bytes; offset += blockBytes)
        {
            *(ulong*)ArrayStateOf(start + offset) = 0;
        }

        ClearEntries(start, bytes);
    }

    private static void ClearEntries(byte* start, nuint bytes)
    {
        while (bytes != 0)
        {
            nuint piece = Bits.Min(bytes, WindowBytes - ((nuint)start & WindowMask));
            Os.Clear(EntryOf(start), (piece >> Units.PageShift) * (nuint)sizeof(PageEntry));
            start += piece;
            bytes -= piece;
        }
    }

    /// <summary>Clears entries and states of a range, so that no address in it counts as a block. Large spans go back to the system.</summary>
    public static void Forget(byte* start, nuint bytes)
    {
        while (bytes != 0)
        {
            nuint piece = Bits.Min(bytes, WindowBytes - ((nuint)start & WindowMask));
            byte* window = KnownWindowOf((nuint)start);
            ClearSpan((byte*)EntryIn(window, (nuint)start), (piece >> Units.PageShift) * (nuint)sizeof(PageEntry));
            ClearSpan(StateIn(window, (nuint)start), piece >> Units.GranuleShift);
            start += piece;
            bytes -= piece;

            // In home the states of the next window are what follows.
            if (((nuint)start & WindowMask) == 0 && (window != Home.Current->Window || WindowOf((nuint)start) != window))
            {
                Os.Clear(StateIn(window, (nuint)start - 1) + 1, TailBytes);
            }
        }
    }

    /// <summary>
    /// Gives the memory behind entries and states of a range back, as far as it is whole pages. All of them must be zero already. Other threads
    /// may ask about any address meanwhile, so where the system would make the pages inaccessible they are kept.
    /// </summary>
    public static void GiveBack(byte* start, nuint bytes)
    {
        while (bytes != 0)
        {
            nuint piece = Bits.Min(bytes, WindowBytes - ((nuint)start & WindowMask));
            byte* window = KnownWindowOf((nuint)start);
            GiveBackSpan((byte*)EntryIn(window, (nuint)start), (piece >> Units.PageShift) * (nuint)sizeof(PageEntry));
            GiveBackSpan(StateIn(window, (nuint)start), piece >> Units.GranuleShift);
            start += piece;
            bytes -= piece;
        }
    }

    // Zeroes metadata; whole pages of a long span are given back instead of being written, where the system can. Shorter spans are of pieces of the arena, whose
    // next heap would have to fetch the pages again.
    private static void ClearSpan(byte* span, nuint bytes)
    {
        const nuint worthGivingBack = Arena.LargestPieceBytes >> Units.GranuleShift;
        if (bytes >= worthGivingBack)
        {
            byte* first = (byte*)Bits.RoundUp((nuint)span, Units.PageBytes);
            nuint whole = Bits.RoundDown((nuint)(span + bytes - first), Units.PageBytes);
            if (Os.Discard(first, whole))
            {
                Os.Clear(span, (nuint)(first - span));
                Os.Clear(first + whole, (nuint)(span + bytes - (first + whole)));
                return;
            }
        }

        Os.Clear(span, bytes);
    }

    // Partner: AddWindow.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* WindowAt(nuint window) => (byte*)Shared.Read((nint*)(s_windows + window));

    public static void EnterLock() => OsLock.Enter(&s_state->Lock);

    public static void LeaveLock() => OsLock.Leave(&s_state->Lock);

    /// <summary>See <see cref="OsLock.MayWait"/>.</summary>
    public static bool MayWait() => OsLock.MayWait(&s_state->Lock);

    private static void GiveBackSpan(byte* span, nuint bytes)
    {
        byte* first = (byte*)Bits.RoundUp((nuint)span, Units.PageBytes);
        byte* last = (byte*)Bits.RoundDown((nuint)span + bytes, Units.PageBytes);
        if (first < last)
        {
            Os.Discard(first, (nuint)(last - first));
        }
    }

    private static bool AddWindow(nuint window)
    {
        EnterLock();
        bool there = WindowAt(window) != null || TryAddHome(window);
        byte* range = there ? null : TakeRange();
        if (range != null)
        {
            SetRange(window, range);
            there = true;
        }

        LeaveLock();
        return there;
    }

    private static bool TryAddHome(nuint window)
    {
        byte* entries = Home.Add(window);
        if (entries != null)
        {
            SetWindow(window, entries);
        }

        return entries != null;
    }

    private static void SetRange(nuint window, byte* range) => SetWindow(window, range - (window << EntriesShift));

    // Partner: WindowAt reads without the lock; what it leads to is zero, which means "no block" everywhere.
    private static void SetWindow(nuint window, byte* entries) => Shared.Write((nint*)(s_windows + window), (nint)entries);

    private static byte* TakeRange()
    {
        byte* range = s_state->Unused;
        if (range == null)
        {
            return (byte*)GuardedRange.Take(&s_state->Ranges, RangeBytes, Units.PageBytes);
        }

        s_state->Unused = *(byte**)range;
        *(byte**)range = null;
        return range;
    }

    private struct State
    {
        public OsLock Lock;
        public GuardedRange Ranges;

        /// <summary>Ranges that were taken for no window, linked by their first words.</summary>
        public byte* Unused;
    }
}
