using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Win32;

/// <summary>
/// VirtualAlloc and VirtualFree: their return values and last errors, as Microsoft documents them. Called by <c>MemoryApi</c> in a .NET process
/// and by the exports of the C library; freestanding, so that both can.
/// </summary>
internal static unsafe partial class Win32Virtual
{
    /// <summary>BOOL values.</summary>
    private const int False = 0, True = 1;

    /// <summary>Reserves pages, commits them, or both; or says that their contents matter no more. Null when it is refused.</summary>
    public static void* VirtualAlloc(void* lpAddress, nuint dwSize, uint flAllocationType, uint flProtect)
    {
        // A commit that names no place can only be meant to reserve too.
        bool reserves = (flAllocationType & AllocationFlags.Reserve) != 0
            || (lpAddress == null && (flAllocationType & AllocationFlags.Commit) != 0);
        nuint alignment = reserves ? PageRange.GranularityBytes : LinuxPages.PageBytes;
        if (!IsAllocation(flAllocationType, flProtect) || !PageRange.TryMake(lpAddress, dwSize, alignment, out PageRange range)
            || (lpAddress != null && lpAddress < (void*)PageRange.GranularityBytes))
        {
            return RefuseAddress(Win32Error.InvalidParameter);
        }

        if (!Reservations.Enter())
        {
            return RefuseAddress(Win32Error.NotEnoughMemory);
        }

        uint protection = PageProtection.Kept(flProtect);
        uint error = reserves ? Reserve(ref range, flAllocationType, protection)
            : (flAllocationType & AllocationFlags.Commit) != 0 ? Commit(in range, protection)
            : Reset(in range, flAllocationType == AllocationFlags.Reset);
        Reservations.Leave();
        return error == Win32Error.NoError ? range.Start : RefuseAddress(error);
    }

    /// <summary>Decommits pages, or releases a whole reservation.</summary>
    public static int VirtualFree(void* lpAddress, nuint dwSize, uint dwFreeType)
    {
        bool releases = dwFreeType == AllocationFlags.Release && dwSize == 0;
        if ((!releases && dwFreeType != AllocationFlags.Decommit) || !PageRange.TryMake(lpAddress, dwSize == 0 ? 1 : dwSize, out PageRange range))
        {
            return Refuse(Win32Error.InvalidParameter);
        }

        if (!Reservations.Enter())
        {
            return Refuse(Win32Error.NotEnoughMemory);
        }

        uint error = releases ? Release(in range) : Decommit(in range, dwSize == 0);
        Reservations.Leave();
        return error == Win32Error.NoError ? True : Refuse(error);
    }

    /// <summary>The kinds of allocation that exist here: write watches, large pages and placeholders are not among them.</summary>
    private static bool IsAllocation(uint type, uint protection) => PageProtection.IsValid(protection) && (type & ~AllocationFlags.TopDown) switch
    {
        AllocationFlags.Reserve or AllocationFlags.Commit or AllocationFlags.Reserve | AllocationFlags.Commit => true,
        AllocationFlags.Reserve | AllocationFlags.Physical => protection == PageProtection.ReadWrite,
        AllocationFlags.Reset or AllocationFlags.ResetUndo => (type & AllocationFlags.TopDown) == 0,
        _ => false,
    };

    private static uint Reserve(ref PageRange range, uint type, uint protection)
    {
        nuint bytes = range.Bytes;

        // So that later a decommit is not refused.
        LinuxPages.HoldSpare();
        if (range.Start != null)
        {
            if (!LinuxPages.ReserveAt(range.Start, bytes))
            {
                return Win32Error.InvalidAddress;
            }
        }
        else
        {
            range.Start = LinuxPages.Reserve(bytes, PageRange.GranularityBytes);
            range.End = range.Start + bytes;
            if (range.Start == null)
            {
                return Win32Error.NotEnoughMemory;
            }
        }

        Reservation* reservation = Reservations.Add(range.Start, bytes, protection, (type & AllocationFlags.Physical) != 0);
        uint error = reservation == null ? Win32Error.NotEnoughMemory
            : (type & AllocationFlags.Commit) != 0 ? SetCommitted(reservation, in range, protection)
            : Win32Error.NoError;
        if (error != Win32Error.NoError)
        {
            if (reservation != null)
            {
                Reservations.Remove(reservation);
            }

            Leftovers.Release(range.Start, bytes, bytes);
        }

        return error;
    }

    private static uint Commit(in PageRange range, uint protection)
    {
        Reservation* reservation = FindOrdinary(in range);
        return reservation == null ? Win32Error.InvalidAddress : SetCommitted(reservation, in range, protection);
    }

    /// <summary>
    /// Gives pages a protection. Fresh ones are zero, because they were when they were reserved and are again when they are decommitted.
    /// </summary>
    private static uint SetCommitted(Reservation* reservation, in PageRange range, uint protection)
    {
        uint error = Win32Error.NotEnoughMemory;
        if (PageRun.Cut(reservation, in range))
        {
            if (LinuxPages.Protect(range.Start, range.Bytes, PageProtection.AccessOf(protection)))
            {
                PageRun.Set(reservation, in range, protection);
                error = Win32Error.NoError;
            }
            else
            {
                PageRun.Repeat(reservation, in range);
            }
        }

        PageRun.Join(reservation, in range);
        return error;
    }

    /// <summary>The contents are kept, so they can always be had back; the system only pages them out sooner.</summary>
    private static uint Reset(in PageRange range, bool cools)
    {
        if (FindOrdinary(in range) == null)
        {
            return Win32Error.InvalidAddress;
        }

        if (cools)
        {
            LinuxPages.Cool(range.Start, range.Bytes);
        }

        return Win32Error.NoError;
    }

    private static uint Release(in PageRange range)
    {
        Reservation* reservation = Reservations.Find(range.Start);
        if (reservation == null || reservation->Start != range.Start)
        {
            return Win32Error.InvalidAddress;
        }

        if (reservation->IsWindow)
        {
            AddressWindows.Close(reservation);
        }

        Leftovers.Release(reservation->Start, reservation->Bytes, reservation->Bytes);
        Reservations.Remove(reservation);
        return Win32Error.NoError;
    }

    private static uint Decommit(in PageRange named, bool whole)
    {
        Reservation* reservation = Reservations.Find(named.Start);
        if (reservation == null || (whole && reservation->Start != named.Start))
        {
            return Win32Error.InvalidAddress;
        }

        PageRange range = named;
        range.End = whole ? reservation->End : range.End;
        if (reservation->IsWindow || !reservation->Contains(in range))
        {
            return Win32Error.InvalidParameter;
        }

        uint error = Win32Error.NotEnoughMemory;
        if (PageRun.Cut(reservation, in range) && LinuxPages.Empty(range.Start, range.Bytes))
        {
            PageRun.Set(reservation, in range, 0);
            error = Win32Error.NoError;
        }

        PageRun.Join(reservation, in range);
        return error;
    }

    /// <summary>The reservation that holds the whole range and is no window; or null.</summary>
    private static Reservation* FindOrdinary(in PageRange range)
    {
        Reservation* reservation = Reservations.Find(range.Start);
        return reservation != null && !reservation->IsWindow && reservation->Contains(in range) ? reservation : null;
    }

    private static void* RefuseAddress(uint error)
    {
        Host.SetLastError(error);
        return null;
    }

    private static int Refuse(uint error)
    {
        Host.SetLastError(error);
        return False;
    }
}
