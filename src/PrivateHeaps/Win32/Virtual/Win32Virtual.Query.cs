using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Win32;

/// <summary>VirtualProtect and VirtualQuery, also for memory that VirtualAlloc did not reserve: heaps, stacks, images.</summary>
internal static unsafe partial class Win32Virtual
{
    private const uint ElfMagic = 0x464C457F;

    /// <summary>Changes the protection of committed pages of one reservation.</summary>
    public static int VirtualProtect(void* lpAddress, nuint dwSize, uint flNewProtect, uint* lpflOldProtect)
    {
        if (lpflOldProtect == null)
        {
            return Refuse(Win32Error.NoAccess);
        }

        if (!PageProtection.IsValid(flNewProtect) || !PageRange.TryMake(lpAddress, dwSize, out PageRange range))
        {
            return Refuse(Win32Error.InvalidParameter);
        }

        if (!Reservations.Enter())
        {
            return Refuse(Win32Error.NotEnoughMemory);
        }

        uint old = 0;
        uint error;
        Reservation* reservation = FindOrdinary(in range);
        if (reservation != null)
        {
            old = PageRun.Find(reservation, range.Start)->Protection;
            error = PageRun.AreCommitted(reservation, in range)
                ? SetCommitted(reservation, in range, PageProtection.Kept(flNewProtect))
                : Win32Error.InvalidAddress;
            Reservations.Leave();
        }
        else
        {
            bool foreign = !TouchesReservation(in range);
            Reservations.Leave();
            error = foreign ? ProtectForeign(in range, flNewProtect, out old) : Win32Error.InvalidAddress;
        }

        if (error != Win32Error.NoError)
        {
            return Refuse(error);
        }

        *lpflOldProtect = old;
        return True;
    }

    /// <summary>Describes the pages from an address on that are in the same state; returns the bytes of the description, or 0.</summary>
    public static nuint VirtualQuery(void* lpAddress, MEMORY_BASIC_INFORMATION* lpBuffer, nuint dwLength)
    {
        if (dwLength < (nuint)sizeof(MEMORY_BASIC_INFORMATION))
        {
            return (nuint)Refuse(Win32Error.BadLength);
        }

        if (lpBuffer == null)
        {
            return (nuint)Refuse(Win32Error.NoAccess);
        }

        if (!PageRange.TryMake(lpAddress, 1, out PageRange page))
        {
            return (nuint)Refuse(Win32Error.InvalidParameter);
        }

        if (!Reservations.Enter())
        {
            return (nuint)Refuse(Win32Error.NotEnoughMemory);
        }

        MEMORY_BASIC_INFORMATION information = default;
        information.BaseAddress = (nint)page.Start;
        Reservation* reservation = Reservations.Find(page.Start);
        if (reservation != null)
        {
            Describe(reservation, page.Start, &information);
            Reservations.Leave();
        }
        else
        {
            PageRange gap = GapAround(page.Start);
            Reservations.Leave();
            if (!TryDescribeForeign(in gap, &information))
            {
                return (nuint)Refuse(Win32Error.GenFailure);
            }
        }

        *lpBuffer = information;
        return (nuint)sizeof(MEMORY_BASIC_INFORMATION);
    }

    private static void Describe(Reservation* reservation, byte* page, MEMORY_BASIC_INFORMATION* information)
    {
        byte* end;
        if (reservation->IsWindow)
        {
            information->Protect = AddressWindows.IsMapped(reservation, page, out end) ? PageProtection.ReadWrite : 0;
        }
        else
        {
            PageRun* run = PageRun.Find(reservation, page);
            information->Protect = run->Protection;
            end = PageRun.EndOf(reservation, run);
        }

        information->AllocationBase = (nint)reservation->Start;
        information->AllocationProtect = reservation->Protection;
        information->RegionSize = (nuint)(end - page);
        information->State = information->Protect == 0 ? AllocationFlags.Reserve : AllocationFlags.Commit;
        information->Type = AllocationFlags.Private;
    }

    /// <summary>
    /// What the system says. Inaccessible memory counts as reserved: of others' memory nobody can tell it from committed memory without access.
    /// The system may show a reservation and what lies beside it as one, so the answer is cut to the gap between reservations.
    /// </summary>
    private static bool TryDescribeForeign(in PageRange gap, MEMORY_BASIC_INFORMATION* information)
    {
        nuint page = (nuint)information->BaseAddress;
        if (!LinuxMaps.TryFind(page, out MappedRange range))
        {
            return false;
        }

        information->RegionSize = Bits.Min(range.End, (nuint)gap.End) - page;
        if (!range.IsMapped)
        {
            information->State = AllocationFlags.Free;
            information->Protect = PageProtection.NoAccess;
            return true;
        }

        bool reserved = range.Access == PageAccess.None;
        information->AllocationBase = (nint)Bits.Max(range.AllocationStart, (nuint)gap.Start);
        information->AllocationProtect = PageProtection.Of(range.Access);
        information->State = reserved ? AllocationFlags.Reserve : AllocationFlags.Commit;
        information->Protect = reserved ? 0 : information->AllocationProtect;
        information->Type = range.File == 0 ? AllocationFlags.Private : IsImage(in range) ? AllocationFlags.Image : AllocationFlags.Mapped;
        return true;
    }

    private static bool IsImage(in MappedRange range)
    {
        uint magic;
        return !range.IsShared && Os.TryRead((void*)range.AllocationStart, &magic, sizeof(uint)) && magic == ElfMagic;
    }

    private static uint ProtectForeign(in PageRange range, uint protection, out uint old)
    {
        old = 0;
        for (nuint address = (nuint)range.Start; address < (nuint)range.End;)
        {
            if (!LinuxMaps.TryFind(address, out MappedRange mapped) || !mapped.IsMapped)
            {
                return Win32Error.InvalidAddress;
            }

            old = address == (nuint)range.Start ? PageProtection.Of(mapped.Access) : old;
            address = mapped.End;
        }

        return LinuxPages.Protect(range.Start, range.Bytes, PageProtection.AccessOf(protection)) ? Win32Error.NoError : Win32Error.InvalidParameter;
    }

    private static bool TouchesReservation(in PageRange range)
    {
        nuint index = Reservations.IndexBehind(range.End - 1);
        return index != 0 && Reservations.At(index - 1)->End > range.Start;
    }

    /// <summary>From the end of the reservation below an address to the start of the one above.</summary>
    private static PageRange GapAround(byte* address)
    {
        PageRange gap;
        nuint index = Reservations.IndexBehind(address);
        gap.Start = index == 0 ? null : Reservations.At(index - 1)->End;
        gap.End = index == Reservations.Count ? (byte*)LinuxPages.EndOfAddresses : Reservations.At(index)->Start;
        return gap;
    }
}
