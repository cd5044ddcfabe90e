using PrivateHeaps.Foundation;
using PrivateHeaps.Heaps;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Win32;

/// <summary>
/// All ranges that VirtualAlloc reserved, by address. Everything here and in what hangs on it is used between <see cref="Enter"/> and
/// <see cref="Leave"/>, which a fork waits for: so a child finds a table in which nothing is half done.
/// </summary>
internal static unsafe class Reservations
{
    private const nuint FirstCapacity = 64;

    private static State* s_state;

    public static nuint Count => s_state->Count;

    /// <summary>Takes the lock; false, and without it, when there is no memory for the table.</summary>
    public static bool Enter()
    {
        if (!Engine.Start())
        {
            return false;
        }

        FaceLock.Enter();
        if (s_state == null)
        {
            s_state = (State*)Metadata.Take((nuint)sizeof(State));
            if (s_state == null)
            {
                FaceLock.Leave();
                return false;
            }
        }

        return true;
    }

    public static void Leave() => FaceLock.Leave();

    public static Reservation* At(nuint index) => s_state->Items[index];

    /// <summary>The reservation that an address lies in, or null.</summary>
    public static Reservation* Find(byte* address)
    {
        nuint index = IndexBehind(address);
        return index != 0 && address < s_state->Items[index - 1]->End ? s_state->Items[index - 1] : null;
    }

    /// <summary>How many reservations start at the address or below.</summary>
    public static nuint IndexBehind(byte* address)
    {
        nuint low = 0, high = s_state->Count;
        while (low < high)
        {
            nuint middle = (low + high) / 2;
            if (s_state->Items[middle]->Start <= address)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    /// <summary>Lists a range that was reserved just now; null when there is no memory.</summary>
    public static Reservation* Add(byte* start, nuint bytes, uint protection, bool isWindow)
    {
        Reservation* reservation = MakeRoom() ? (Reservation*)Metadata.Take((nuint)sizeof(Reservation)) : null;
        if (reservation == null)
        {
            return null;
        }

        reservation->Start = start;
        reservation->End = start + bytes;
        reservation->Protection = protection;
        reservation->Runs = isWindow ? null : PageRun.Create(null, start);
        reservation->Frames = isWindow ? (nuint*)GuardPages.Map(FramesBytes(reservation)) : null;
        if (reservation->Runs == null && reservation->Frames == null)
        {
            Metadata.Give(reservation, (nuint)sizeof(Reservation));
            return null;
        }

        nuint index = IndexBehind(start);
        Reservation** place = s_state->Items + index;
        Os.Copy(place + 1, place, (s_state->Count - index) * (nuint)sizeof(Reservation*));
        *place = reservation;
        s_state->Count++;
        return reservation;
    }

    /// <summary>Takes a reservation off the list; nothing refers to it any more.</summary>
    public static void Remove(Reservation* reservation)
    {
        nuint index = IndexBehind(reservation->Start);
        Reservation** place = s_state->Items + index;
        Os.Copy(place - 1, place, (s_state->Count - index) * (nuint)sizeof(Reservation*));
        s_state->Count--;
        PageRun.DropAll(reservation);
        if (reservation->IsWindow)
        {
            GuardPages.Release(reservation->Frames, FramesBytes(reservation));
        }

        Metadata.Give(reservation, (nuint)sizeof(Reservation));
    }

    private static nuint FramesBytes(Reservation* reservation) => reservation->Bytes / LinuxPages.PageBytes * (nuint)sizeof(nuint);

    private static bool MakeRoom()
    {
        if (s_state->Count < s_state->Capacity)
        {
            return true;
        }

        nuint capacity = Bits.Max(FirstCapacity, s_state->Capacity * 2);
        Reservation** items = (Reservation**)Metadata.Take(capacity * (nuint)sizeof(Reservation*));
        if (items == null)
        {
            return false;
        }

        if (s_state->Items != null)
        {
            Os.Copy(items, s_state->Items, s_state->Count * (nuint)sizeof(Reservation*));
            Metadata.Give(s_state->Items, s_state->Capacity * (nuint)sizeof(Reservation*));
        }

        s_state->Items = items;
        s_state->Capacity = capacity;
        return true;
    }

    private struct State
    {
        public Reservation** Items;
        public nuint Count;
        public nuint Capacity;
    }
}
