using System.Runtime.CompilerServices;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Win32;

/// <summary>
/// Address Windowing Extensions: frames are allocated and freed by number, and mapped into windows that VirtualAlloc reserved with MEM_PHYSICAL.
/// Called as <see cref="Win32Virtual"/> is. No privilege is needed.
/// </summary>
internal static unsafe class Win32PhysicalPages
{
    /// <summary>BOOL values.</summary>
    private const int False = 0, True = 1;

    /// <summary>The handle that GetCurrentProcess returns; no other one names this process here.</summary>
    public const nint CurrentProcess = -1;

    /// <summary>Allocates zeroed frames, perhaps fewer than asked for; at least one, if any was asked for.</summary>
    public static int AllocateUserPhysicalPages(nint hProcess, nuint* NumberOfPages, nuint* PageArray)
    {
        uint error = ReadCount(hProcess, NumberOfPages, PageArray, out nuint wanted);
        if (error != Win32Error.NoError)
        {
            return Refuse(error);
        }

        // Frames are memory that the system cannot page out, so no more than there is; asking for more could end another process.
        nuint count = LinuxMachine.TryMeasure(out MemoryTotals totals) ? Bits.Min(wanted, (nuint)totals.AvailablePhysical / LinuxPages.PageBytes) : 0;
        nuint granted = 0;
        nuint piece = 1;
        while (granted < count && piece != 0)
        {
            if (!Reservations.Enter())
            {
                break;
            }

            PhysicalFrames.Refresh();
            piece = PhysicalFrames.Allocate(count - granted, out nuint first);
            Reservations.Leave();

            // Not under the lock, because the caller's array may not be there.
            for (nuint index = 0; index < piece; index++)
            {
                PageArray[granted + index] = first + index;
            }

            granted += piece;
        }

        if (granted == 0 && wanted != 0)
        {
            return Refuse(Win32Error.NoSystemResources);
        }

        *NumberOfPages = granted;
        return True;
    }

    /// <summary>Frees frames wherever they are mapped, in order up to the first number that is not one of an allocated frame.</summary>
    public static int FreeUserPhysicalPages(nint hProcess, nuint* NumberOfPages, nuint* PageArray)
    {
        uint error = ReadCount(hProcess, NumberOfPages, PageArray, out nuint count);
        if (error != Win32Error.NoError)
        {
            return Refuse(error);
        }

        Unsafe.SkipInit(out PageList.Space space);
        nuint* numbers = (nuint*)&space;
        nuint freed = 0;
        while (freed < count && error == Win32Error.NoError)
        {
            nuint piece = Bits.Min(count - freed, PageList.ShortCount);
            if (!Os.TryRead(PageArray + freed, numbers, piece * (nuint)sizeof(nuint)))
            {
                error = Win32Error.NoAccess;
            }
            else if (!Reservations.Enter())
            {
                error = Win32Error.NotEnoughMemory;
            }
            else
            {
                PhysicalFrames.Refresh();
                freed += AddressWindows.Free(numbers, piece, out error);
                Reservations.Leave();
            }
        }

        if (error != Win32Error.NoError)
        {
            *NumberOfPages = freed;
            return Refuse(error);
        }

        return True;
    }

    /// <summary>Maps frames at neighboring pages of one window, or empties the pages (no array).</summary>
    public static int MapUserPhysicalPages(void* VirtualAddress, nuint NumberOfPages, nuint* PageArray)
    {
        Unsafe.SkipInit(out PageList.Space space);
        if (!Reservations.Enter())
        {
            return Refuse(Win32Error.NotEnoughMemory);
        }

        PhysicalFrames.Refresh();
        uint error = Win32Error.InvalidParameter;
        Reservation* window = Reservations.Find((byte*)VirtualAddress);
        if (window != null && window->IsWindow
            && NumberOfPages <= ((nuint)(window->End - (byte*)VirtualAddress) + LinuxPages.PageBytes - 1) / LinuxPages.PageBytes)
        {
            PageList list = default;
            error = list.Fill(&space, (byte*)VirtualAddress, PageArray, NumberOfPages);
            if (error == Win32Error.NoError)
            {
                error = PageArray == null || !HasZero(in list) ? Map(in list, PageArray != null) : Win32Error.InvalidParameter;
                list.Drop();
            }
        }

        Reservations.Leave();
        return error == Win32Error.NoError ? True : Refuse(error);
    }

    /// <summary>Maps each frame at a page of its own, of any window, or empties the page for 0; or empties all pages (no array).</summary>
    public static int MapUserPhysicalPagesScatter(void** VirtualAddresses, nuint NumberOfPages, nuint* PageArray)
    {
        Unsafe.SkipInit(out PageList.Space space);
        if (VirtualAddresses == null && NumberOfPages != 0)
        {
            return Refuse(Win32Error.NoAccess);
        }

        if (!Reservations.Enter())
        {
            return Refuse(Win32Error.NotEnoughMemory);
        }

        PhysicalFrames.Refresh();
        PageList list = default;
        uint error = list.Fill(&space, (nuint*)VirtualAddresses, PageArray, NumberOfPages);
        if (error == Win32Error.NoError)
        {
            error = Map(in list, PageArray != null);
            list.Drop();
        }

        Reservations.Leave();
        return error == Win32Error.NoError ? True : Refuse(error);
    }

    /// <summary>What maps frames must be able to undo that.</summary>
    private static uint Map(in PageList list, bool mayShow) =>
        LinuxPages.HoldSpare() || !mayShow ? AddressWindows.Map(in list) : Win32Error.NotEnoughMemory;

    private static bool HasZero(in PageList list)
    {
        nuint index = 0;
        while (index < list.Count && list.Numbers[index] != 0)
        {
            index++;
        }

        return index < list.Count;
    }

    private static uint ReadCount(nint process, nuint* count, nuint* array, out nuint value)
    {
        nuint read = 0;
        uint error = process != CurrentProcess ? Win32Error.InvalidHandle
            : !Os.TryRead(count, &read, (nuint)sizeof(nuint)) || (array == null && read != 0) ? Win32Error.NoAccess
            : read > nuint.MaxValue / (nuint)sizeof(nuint) ? Win32Error.InvalidParameter
            : Win32Error.NoError;
        value = read;
        return error;
    }

    private static int Refuse(uint error)
    {
        Host.SetLastError(error);
        return False;
    }
}
