using PrivateHeaps.Foundation;

namespace PrivateHeaps.Platform;

/// <summary>
/// The operations of <see cref="Os"/> on Windows. Three rules differ from those of mmap: committed memory is charged whether it is touched or
/// not, decommitted pages are gone until they are committed again, and a reservation is released whole or not at all.
/// </summary>
internal static unsafe class WindowsOs
{
    private const uint Commits = 0x1000;
    private const uint Reserves = 0x2000;
    private const uint Decommits = 0x4000;
    private const uint Releases = 0x8000;

    private const uint NoAccess = 0x01;
    private const uint ReadWrite = 0x04;
    private const uint ExecuteOnly = 0x10;
    private const uint ExecuteReadWrite = 0x40;
    private const uint Guard = 0x100;

    // Reservations start at multiples of this.
    private const nuint GranularityBytes = 64 * Units.KiB;

    private const int PlacementAttempts = 16;
    private const long NanosecondsPerMillisecond = 1_000_000;
    private const uint Infinite = uint.MaxValue;

    public static void Fill(out OsTable table)
    {
        table.PageBytes = (nuint)Environment.SystemPageSize;
        table.ChargesCommits = true;
        table.UsesHugePages = false;
        table.HugePageBytes = 0;
        table.WishHuge = null;
        table.CountResident = null;
        table.DivideHuge = null;
        table.Nanoseconds = null;
        table.Reserve = &Reserve;
        table.Map = &Map;
        table.Commit = &Commit;
        table.Decommit = &Decommit;
        table.Release = &Release;
        table.Resize = &Resize;
        table.Move = null;
        table.NodeNumber = null;
    }

    // Milliseconds are the finest that Windows waits; rounded up, since a wait of 0 would be none.
    public static void Wait(int* word, int value, long nanoseconds)
    {
        long milliseconds = (nanoseconds + (NanosecondsPerMillisecond - 1)) / NanosecondsPerMillisecond;
        uint timeout = nanoseconds < 0 || milliseconds >= Infinite ? Infinite : (uint)milliseconds;
        _ = Kernel32.WaitOnAddress(word, &value, sizeof(int), timeout);
    }

    public static void Wake(int* word, int count)
    {
        if (count == 1)
        {
            Kernel32.WakeByAddressSingle(word);
        }
        else
        {
            Kernel32.WakeByAddressAll(word);
        }
    }

    public static void Yield() => _ = Kernel32.SwitchToThread();

    // Not by ReadProcessMemory: that is a debugger's door, which some systems watch, and which in Wine opens inaccessible pages too and may leave
    // threads stopped. So only who takes the memory away in this very instant, in a thread of his own, has the fault he would have in kernel32.
    public static bool TryRead(void* from, void* to, nuint bytes)
    {
        byte* place = (byte*)from;
        byte* end = place + bytes;
        if (end < place)
        {
            return false;
        }

        while (place < end)
        {
            MemoryInformation pages;
            if (Kernel32.VirtualQuery(place, &pages, (nuint)sizeof(MemoryInformation)) == 0
                || pages.State != Commits
                || (pages.Protection & (NoAccess | ExecuteOnly | Guard)) != 0)
            {
                return false;
            }

            place = (byte*)pages.Start + pages.Bytes;
        }

        Os.Copy(to, from, bytes);
        return true;
    }

    public static bool Hide(void* address, nuint bytes) => Decommit(address, bytes);

    private static void* Reserve(nuint bytes) => Kernel32.VirtualAlloc(null, bytes, Reserves, NoAccess);

    // The ends of a larger reservation cannot be cut off. So its place is found, left, and taken again at the aligned address;
    // if another thread was faster there, once more.
    private static void* Map(nuint bytes, nuint alignment, bool executable)
    {
        uint protection = Protection(executable);
        if (alignment <= GranularityBytes)
        {
            return Kernel32.VirtualAlloc(null, bytes, Reserves | Commits, protection);
        }

        for (int attempt = 0; attempt < PlacementAttempts; attempt++)
        {
            void* place = Kernel32.VirtualAlloc(null, bytes + alignment, Reserves, NoAccess);
            if (place == null)
            {
                break;
            }

            _ = Kernel32.VirtualFree(place, 0, Releases);
            void* aligned = Kernel32.VirtualAlloc((void*)Bits.RoundUp((nuint)place, alignment), bytes, Reserves | Commits, protection);
            if (aligned != null)
            {
                return aligned;
            }
        }

        return null;
    }

    private static bool Commit(void* address, nuint bytes, bool executable) =>
        Kernel32.VirtualAlloc(address, bytes, Commits, Protection(executable)) != null;

    private static bool Decommit(void* address, nuint bytes) => Kernel32.VirtualFree(address, bytes, Decommits) != 0;

    private static bool Release(void* address, nuint bytes) => Kernel32.VirtualFree(address, 0, Releases) != 0;

    // What a shrink takes away stays reserved, and can be had back.
    private static bool Resize(void* address, nuint oldBytes, nuint newBytes)
    {
        if (newBytes <= oldBytes)
        {
            return Decommit((byte*)address + newBytes, oldBytes - newBytes);
        }

        byte* end = (byte*)address + oldBytes;
        MemoryInformation behind;
        return Kernel32.VirtualQuery(end, &behind, (nuint)sizeof(MemoryInformation)) != 0
            && behind.Reservation == address
            && behind.State == Reserves
            && behind.Bytes >= newBytes - oldBytes
            && Kernel32.VirtualAlloc(end, newBytes - oldBytes, Commits, behind.ReservationProtection) != null;
    }

    private static uint Protection(bool executable) => executable ? ExecuteReadWrite : ReadWrite;
}
