using PrivateHeaps.Platform;

namespace PrivateHeaps.Win32;

/// <summary>
/// Windows: reservations whose pages show frames. What a window's array says, what a frame's entry says and what the system has mapped agree
/// whenever the lock of <see cref="Reservations"/> is free; it guards all of this.
/// </summary>
internal static unsafe class AddressWindows
{
    /// <summary>
    /// Makes each page of the list show its frame, or none for 0, in the place of what it showed before. Returns an error, and then nothing
    /// has changed: 87 for a page of no window and for a frame that is not allocated or already shown somewhere, 8 when the system refuses.
    /// </summary>
    public static uint Map(in PageList list)
    {
        nuint claimed = 0;
        while (claimed < list.Count && IsInWindow(list.Page(claimed))
            && (list.Numbers[claimed] == 0 || PhysicalFrames.Claim(list.Numbers[claimed], list.Page(claimed))))
        {
            claimed++;
        }

        if (claimed < list.Count)
        {
            Unclaim(in list, claimed);
            return Win32Error.InvalidParameter;
        }

        for (nuint index = 0; index < list.Count; index++)
        {
            list.Numbers[index] = Put(list.Page(index), list.Numbers[index]);
        }

        // From here on the list has what was shown before, and in the end what nothing shows any more.
        bool shown = Show(in list);
        if (!shown)
        {
            for (nuint index = list.Count; index-- != 0;)
            {
                list.Numbers[index] = Put(list.Page(index), list.Numbers[index]);
            }

            // The usual refusal is for too many mappings, so those of neighbors are made one first, which takes the spare ones.
            if (!list.IsScattered)
            {
                LinuxPages.Empty(list.Page(0), list.Count * LinuxPages.PageBytes);
            }

            Show(in list);
        }

        Unclaim(in list, list.Count);
        return shown ? Win32Error.NoError : Win32Error.NotEnoughMemory;
    }

    /// <summary>
    /// Frees frames, and empties the pages that show them. Returns how many, in order; fewer than asked for with the error of the first that
    /// was not.
    /// </summary>
    public static nuint Free(nuint* numbers, nuint count, out uint error)
    {
        error = Win32Error.NoError;
        nuint freed = 0;
        while (freed < count && error == Win32Error.NoError)
        {
            if (!PhysicalFrames.TryFind(numbers[freed], out byte* page))
            {
                error = Win32Error.InvalidParameter;
                break;
            }

            nuint length = 1;
            while (freed + length < count && numbers[freed + length] == numbers[freed] + length
                && PhysicalFrames.TryFind(numbers[freed] + length, out byte* next)
                && next == (page == null ? null : page + (length * LinuxPages.PageBytes)))
            {
                length++;
            }

            if (page != null && !LinuxPages.Empty(page, length * LinuxPages.PageBytes))
            {
                error = Win32Error.NotEnoughMemory;
                break;
            }

            for (nuint index = 0; page != null && index < length; index++)
            {
                Put(page + (index * LinuxPages.PageBytes), 0);
            }

            PhysicalFrames.Drop(numbers[freed], length);
            freed += length;
        }

        return freed;
    }

    /// <summary>Whether a window's page shows a frame, and where the pages end of which the same is true.</summary>
    public static bool IsMapped(Reservation* window, byte* page, out byte* end)
    {
        nuint* slot = SlotOf(window, page);
        bool mapped = *slot != 0;
        nuint* next = slot + ((nuint)(window->End - page) / LinuxPages.PageBytes);
        if (window->MappedCount != 0)
        {
            nuint* last = next;
            for (next = slot + 1; next < last && *next != 0 == mapped; next++)
            {
            }
        }

        end = page + ((nuint)(next - slot) * LinuxPages.PageBytes);
        return mapped;
    }

    /// <summary>Before a window is released: nothing shows its frames any more.</summary>
    public static void Close(Reservation* window)
    {
        for (byte* page = window->Start; window->MappedCount != 0; page += LinuxPages.PageBytes)
        {
            nuint number = Put(page, 0);
            if (number != 0)
            {
                PhysicalFrames.Unclaim(number);
            }
        }
    }

    /// <summary>Empties all windows, without asking what they show.</summary>
    public static void EmptyAll()
    {
        for (nuint index = 0; index < Reservations.Count; index++)
        {
            Reservation* window = Reservations.At(index);
            if (window->IsWindow && window->MappedCount != 0)
            {
                LinuxPages.Empty(window->Start, window->Bytes);
                for (byte* page = window->Start; window->MappedCount != 0; page += LinuxPages.PageBytes)
                {
                    Put(page, 0);
                }
            }
        }
    }

    /// <summary>Makes the system show what the windows' arrays say of the pages in the list.</summary>
    private static bool Show(in PageList list)
    {
        nuint index = 0;
        while (index < list.Count)
        {
            byte* page = list.Page(index);
            nuint number = *SlotOf(page);
            nuint length = 1;
            while (index + length < list.Count && list.Page(index + length) == page + (length * LinuxPages.PageBytes)
                && *SlotOf(list.Page(index + length)) == (number == 0 ? 0 : number + length))
            {
                length++;
            }

            if (!(number == 0 ? LinuxPages.Empty(page, length * LinuxPages.PageBytes) : PhysicalFrames.Map(page, number, length)))
            {
                return false;
            }

            index += length;
        }

        return true;
    }

    private static void Unclaim(in PageList list, nuint count)
    {
        for (nuint index = 0; index < count; index++)
        {
            if (list.Numbers[index] != 0)
            {
                PhysicalFrames.Unclaim(list.Numbers[index]);
            }
        }
    }

    private static bool IsInWindow(byte* page)
    {
        Reservation* window = Reservations.Find(page);
        return window != null && window->IsWindow;
    }

    private static nuint* SlotOf(byte* page) => SlotOf(Reservations.Find(page), page);

    private static nuint* SlotOf(Reservation* window, byte* page) => window->Frames + ((nuint)(page - window->Start) / LinuxPages.PageBytes);

    /// <summary>Notes which frame a page shows; returns the one before.</summary>
    private static nuint Put(byte* page, nuint number)
    {
        Reservation* window = Reservations.Find(page);
        nuint* slot = SlotOf(window, page);
        nuint before = *slot;
        *slot = number;
        window->MappedCount += number != 0 ? 1u : 0u;
        window->MappedCount -= before != 0 ? 1u : 0u;
        return before;
    }
}
