using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Storage;

/// <summary>
/// A large reservation between <see cref="GuardPages"/> that becomes accessible step by step from its front, and is followed by another when it is used up: so
/// that many structures take few of the mappings that a process may have. Guarded by its owner's lock; under it nothing else is taken.
/// </summary>
internal unsafe struct GuardedRange
{
    /// <summary>Bytes of the smallest reservation, for those who have few addresses.</summary>
    public const nuint LeastBytes = 1 * Units.MiB;

    // From next to end is accessible and was never taken; from there to the limit is what is to be made accessible yet.
    private byte* _next;
    private byte* _end;
    private byte* _limit;

    /// <summary>Bytes of a reservation; more for a single structure that is larger.</summary>
    public static nuint ReservationBytes => Bits.Min(64 * Units.MiB, Bits.Max(LeastBytes, Bits.RoundDown(Os.AddressSpaceLimit / 32, LeastBytes)));

    /// <summary>Goes on with a reservation of which the caller has used some and made some accessible.</summary>
    public static void Begin(GuardedRange* range, byte* next, byte* end, byte* limit)
    {
        range->_next = next;
        range->_end = end;
        range->_limit = limit;
    }

    /// <summary>Memory for ever, which is zero; null when the system has none. What is made accessible for it is a multiple of the step, if there is so much.</summary>
    public static void* Take(GuardedRange* range, nuint bytes, nuint stepBytes)
    {
        if ((nuint)(range->_end - range->_next) < bytes && !Extend(range, bytes, stepBytes))
        {
            return null;
        }

        void* taken = range->_next;
        range->_next += bytes;
        return taken;
    }

    // What is left of a reservation that is too small is lost: addresses, and less than a step that was never touched. One that cannot be made accessible stays for the
    // next try.
    private static bool Extend(GuardedRange* range, nuint bytes, nuint stepBytes)
    {
        if ((nuint)(range->_limit - range->_next) < bytes
            && !Reserve(range, Bits.Max(bytes, ReservationBytes)) && !Reserve(range, Bits.Max(bytes, LeastBytes)))
        {
            return false;
        }

        nuint missing = bytes - (nuint)(range->_end - range->_next);
        nuint step = Bits.Min(Bits.RoundUp(missing, stepBytes), (nuint)(range->_limit - range->_end));
        bool extended = Os.Commit(range->_end, step, false);
        range->_end += extended ? step : 0;
        return extended;
    }

    private static bool Reserve(GuardedRange* range, nuint bytes)
    {
        byte* start = (byte*)GuardPages.Reserve(bytes);
        if (start != null)
        {
            Begin(range, start, start, start + bytes);
        }

        return start != null;
    }
}
