using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Storage;

/// <summary>
/// From any address to what the engine knows about it. The address space is cut into windows of 64 MiB; a window that holds heap memory
/// has one metadata range: a PageEntry for each page, then a state byte for each granule. So two loads decide about any address, without
/// reading the caller's memory. Windows are added under the lock and never removed; readers take no lock.
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

    public const nuint EntriesBytes = (WindowBytes >> Units.PageShift) * 16;
    public const nuint StatesBytes = WindowBytes >> Units.GranuleShift;

    // A block may start so near the end of its window that the bytes which follow its state byte would belong to the next one. They lie here.
    private const nuint TailBytes = 8;

    /// <summary>Bytes of a window's range.</summary>
    public const nuint RangeBytes = EntriesBytes + StatesBytes + Units.PageBytes;

    private static byte** s_windows;
    private static State* s_state;

    public static bool Initialize()
    {
        s_state = s_state != null ? s_state : (State*)Metadata.Take((nuint)sizeof(State));
        s_windows = s_windows != null ? s_windows : (byte**)GuardPages.Map(WindowCount * (nuint)sizeof(byte*));
        return s_state != null && s_windows != null;
    }

    /// <summary>The metadata range of the address's window; null when no heap ever had memory there.</summary>
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
    public static bool IsPossibleBlock(nuint turned) => turned >> (WindowShift - Units.GranuleShift) < WindowCount;

    /// <summary>As <see cref="WindowOf"/>, for what is a possible block's address.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* WindowOfTurned(nuint turned) => WindowAt(turned >> (WindowShift - Units.GranuleShift));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PageEntry* EntryOfTurned(byte* window, nuint turned) =>
        (PageEntry*)window + ((turned & (WindowMask >> Units.GranuleShift)) >> (Units.PageShift - Units.GranuleShift));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* StateOfTurned(byte* window, nuint turned) => window + EntriesBytes + (turned & (WindowMask >> Units.GranuleShift));

    /// <summary>As <see cref="WindowOf"/>, for an address that is known to lie in heap memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* KnownWindowOf(nuint address) => WindowAt(address >> WindowShift);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PageEntry* EntryIn(byte* window, nuint address) => (PageEntry*)window + ((address & WindowMask) >> Units.PageShift);

    /// <summary>In the array of states, where those lie that no page entry holds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* StateIn(byte* window, nuint address) => window + EntriesBytes + ((address & WindowMask) >> Units.GranuleShift);

    /// <summary>The state byte of an address in a page with this tag.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* StateIn(byte* window, nuint address, uint tag)
    {
        // Where no block starts, neither place says that one is live.
        PageEntry* entry = EntryIn(window, address);
        return PageEntry.HoldsState(tag) && PageEntry.IsStart(entry, address) ? PageEntry.StateOf(entry) : StateIn(window, address);
    }

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
        if (address != null && WindowAt(window) == null)
        {
            SetWindow(window, range);
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
            if (((nuint)start & WindowMask) == 0)
            {
                Os.Clear(window + EntriesBytes + StatesBytes, TailBytes);
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
        bool there = WindowAt(window) != null;
        if (!there)
        {
            byte* range = TakeRange();
            there = range != null;
            SetWindow(window, range);
        }

        LeaveLock();
        return there;
    }

    // Partner: WindowAt reads without the lock; the range is zero, which means "no block" everywhere.
    private static void SetWindow(nuint window, byte* range) => Shared.Write((nint*)(s_windows + window), (nint)range);

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
