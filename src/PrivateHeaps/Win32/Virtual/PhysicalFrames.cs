using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Win32;

/// <summary>
/// The frames that this process has allocated: for each whether it is, and at which page of a window it is mapped, if at any. A frame's number
/// is its place in the file behind all frames, plus an offset that keeps small numbers wrong. Guarded by the lock of <see cref="Reservations"/>.
/// <para>
/// Frames belong to the process that allocated them. The child of a fork has a copy of this table but not of the memory, which it shares with its
/// parent; so it starts with no frames and empty windows. A process that closed the file, with all that it did not know, starts anew too.
/// </para>
/// </summary>
internal static unsafe class PhysicalFrames
{
    /// <summary>Frames that are allocated in one go, which is how long others wait for the lock.</summary>
    private const nuint PieceCount = 256;

    private const nuint FirstNumber = 0x10000;

    // What an entry holds; any other value is the address of the page that shows the frame.
    private const nuint Free = 0;
    private const nuint Unmapped = 1;

    private static State* s_state;

    /// <summary>To be called first under the lock: forgets frames that are not this process's.</summary>
    public static void Refresh()
    {
        if (s_state != null && s_state->Entries != null
            && (s_state->Process != Libc.getpid() || s_state->Identity != LinuxFrames.Identity(s_state->File)))
        {
            AddressWindows.EmptyAll();
            if (s_state->Identity == LinuxFrames.Identity(s_state->File))
            {
                LinuxFrames.Close(s_state->File);
            }

            GuardPages.Release(s_state->Entries, EntriesBytes);
            *s_state = default;
        }
    }

    /// <summary>Allocates at most as many frames as wanted, with neighboring numbers; returns how many, 0 when there is no memory.</summary>
    public static nuint Allocate(nuint wanted, out nuint first)
    {
        first = 0;
        if (!Start())
        {
            return 0;
        }

        nuint index = s_state->LowestFree;
        while (index < s_state->Limit && s_state->Entries[index] != Free)
        {
            index++;
        }

        s_state->LowestFree = index;
        nuint limit = Bits.Min(Bits.Min(wanted, PieceCount), s_state->Limit - index);
        nuint count = 0;
        while (count < limit && s_state->Entries[index + count] == Free)
        {
            count++;
        }

        while (count != 0 && !LinuxFrames.Populate(s_state->File, OffsetOf(FirstNumber + index), count * LinuxPages.PageBytes))
        {
            count /= 2;
        }

        for (nuint taken = 0; taken < count; taken++)
        {
            s_state->Entries[index + taken] = Unmapped;
        }

        first = FirstNumber + index;
        return count;
    }

    /// <summary>Whether the number is that of an allocated frame; if so, the page that shows it, or null.</summary>
    public static bool TryFind(nuint number, out byte* page)
    {
        nuint entry = IsNumber(number) ? *EntryOf(number) : Free;
        page = entry == Unmapped ? null : (byte*)entry;
        return entry != Free;
    }

    /// <summary>Notes that a page is to show an allocated frame that none shows yet; false for any other number.</summary>
    public static bool Claim(nuint number, byte* page)
    {
        if (!IsNumber(number) || *EntryOf(number) != Unmapped)
        {
            return false;
        }

        *EntryOf(number) = (nuint)page;
        return true;
    }

    /// <summary>Notes that no page shows the frame any more.</summary>
    public static void Unclaim(nuint number) => *EntryOf(number) = Unmapped;

    /// <summary>Maps neighboring frames at neighboring pages.</summary>
    public static bool Map(byte* page, nuint number, nuint count) =>
        LinuxFrames.Map(s_state->File, page, OffsetOf(number), count * LinuxPages.PageBytes);

    /// <summary>Frees neighboring frames that no page shows.</summary>
    public static void Drop(nuint number, nuint count)
    {
        LinuxFrames.Drop(s_state->File, OffsetOf(number), count * LinuxPages.PageBytes);
        for (nuint index = 0; index < count; index++)
        {
            *EntryOf(number + index) = Free;
        }

        s_state->LowestFree = Bits.Min(s_state->LowestFree, number - FirstNumber);
    }

    private static nuint EntriesBytes => s_state->Limit * (nuint)sizeof(nuint);

    private static bool IsNumber(nuint number) => s_state != null && number - FirstNumber < s_state->Limit;

    private static nuint* EntryOf(nuint number) => s_state->Entries + (number - FirstNumber);

    private static nuint OffsetOf(nuint number) => (number - FirstNumber) * LinuxPages.PageBytes;

    /// <summary>Makes the file and the table, with an entry for each page of the machine's memory; false when that cannot be had.</summary>
    private static bool Start()
    {
        s_state = s_state != null ? s_state : (State*)Metadata.Take((nuint)sizeof(State));
        if (s_state == null || s_state->Entries != null)
        {
            return s_state != null;
        }

        if (!LinuxMachine.TryMeasure(out MemoryTotals totals))
        {
            return false;
        }

        int file = LinuxFrames.Create();
        s_state->Limit = Bits.Min((nuint)totals.Physical, LinuxFrames.LargestFileBytes) / LinuxPages.PageBytes;
        s_state->Entries = file < 0 || s_state->Limit == 0 ? null : (nuint*)GuardPages.Map(EntriesBytes);
        if (s_state->Entries == null)
        {
            s_state->Limit = 0;
            LinuxFrames.Close(file);
            return false;
        }

        s_state->File = file;
        s_state->Identity = LinuxFrames.Identity(file);
        s_state->Process = Libc.getpid();
        return true;
    }

    private struct State
    {
        public nuint* Entries;

        /// <summary>Entries of the table; 0 without one.</summary>
        public nuint Limit;

        /// <summary>No entry below it is free.</summary>
        public nuint LowestFree;
        public int File;
        public int Process;
        public ulong Identity;
    }
}
