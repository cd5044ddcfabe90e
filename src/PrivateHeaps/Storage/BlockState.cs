using System.Runtime.CompilerServices;
using PrivateHeaps.Foundation;

namespace PrivateHeaps.Storage;

/// <summary>
/// The code in the state bytes. At the first granule of a live block stands 1 + slack (block size - requested size) when the slack is at
/// most 108; from <see cref="FirstMedium"/> on it says the slack together with the two following bytes, and as <see cref="Long"/> the four following bytes say it, seven bits
/// each. Following bytes are 128 or more, so that an address inside a block never looks like the start of one. Everything else is 0: no live block starts here. So a byte
/// that is positive as a signed number is a live block's, which one comparison decides.
/// <para>
/// A block that is held has <see cref="Held"/> added to its first byte: it is its holder's, a handle or a call that changes it, and to all who come with its address no live
/// block. Where a block is known to start, that tells it from all others.
/// </para>
/// </summary>
internal static unsafe class BlockState
{
    public const byte Dead = 0;
    public const nuint ShortSlackMaximum = 108;

    /// <summary>A page entry that holds a state has room for two bytes behind it: from here to <see cref="Long"/> are enough for the slack of any block of a slab.</summary>
    public const byte FirstMedium = 110;
    public const byte Long = 127;
    public const byte FollowingBase = 128;
    public const nuint LongSlackMaximum = (1 << 28) - 1;
    public const byte Held = 128;

    private const int MediumDigits = 2;
    private const int MediumShift = MediumDigits * DigitBits;
    private const int LongDigits = 4;
    private const int DigitBits = 7;
    private const uint DigitMask = (1 << DigitBits) - 1;

    /// <summary>Whether a live block starts at the granule of this state byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsLive(byte state) => (sbyte)state > Dead;

    /// <summary>Whether it is the state of a live block and says all of the slack, which is one less.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsShort(byte state) => (byte)(state - 1) <= ShortSlackMaximum;

    /// <summary>Where a block is known to start, or could: whether there is one, live or held.</summary>
    public static bool IsBlock(byte state) => state != Dead;

    /// <summary>The same: whether it is held.</summary>
    public static bool IsHeld(byte state) => state > Held;

    /// <summary>Marks a block live. A slack above <see cref="ShortSlackMaximum"/> needs a block of at least five granules, which it implies.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetLive(byte* state, nuint slack)
    {
        if (slack <= ShortSlackMaximum)
        {
            Shared.Write(state, (byte)(slack + 1));
        }
        else
        {
            SetLong(state, slack, 0);
        }
    }

    /// <summary>As <see cref="SetLive"/>, for a block of a slab, without a call.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetSlabLive(byte* state, nuint slack)
    {
        if (slack <= ShortSlackMaximum)
        {
            Shared.Write(state, (byte)(slack + 1));
        }
        else
        {
            SetMedium(state, slack, 0);
        }
    }

    /// <summary>As <see cref="SetLive"/>, by the holder of a block that stays held.</summary>
    public static void SetHeld(byte* state, nuint slack)
    {
        if (slack <= ShortSlackMaximum)
        {
            Shared.Write(state, (byte)(Held + slack + 1));
        }
        else
        {
            SetLong(state, slack, Held);
        }
    }

    /// <summary>
    /// Holds a live block, whoever else holds or kills it at the same instant: true for exactly one of them. <see cref="SetLive"/> lets it go, <see cref="Kill"/> ends it.
    /// </summary>
    public static bool TryHold(byte* state)
    {
        for (; ; )
        {
            byte seen = Shared.Read(state);
            if (!IsLive(seen))
            {
                return false;
            }

            if (Shared.CompareExchange(state, (byte)(Held + seen), seen) == seen)
            {
                return true;
            }
        }
    }

    /// <summary>
    /// Makes a block dead if it is live, whoever else does so at the same instant: true for exactly one of them, until the block is live again.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryKill(byte* state)
    {
        for (; ; )
        {
            byte seen = Shared.Read(state);
            if (!IsLive(seen))
            {
                return false;
            }

            // Another thread may have changed the slack meanwhile.
            if (Shared.CompareExchange(state, Dead, seen) == seen)
            {
                return true;
            }
        }
    }

    /// <summary>As <see cref="TryKill"/>; false also when the slack changed at the same instant: who needs to know tries that one then.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryKillAtOnce(byte* state)
    {
        byte seen = Shared.Read(state);
        return IsLive(seen) && Shared.CompareExchange(state, Dead, seen) == seen;
    }

    /// <summary>Makes the holder's block dead; true.</summary>
    public static bool Kill(byte* state)
    {
        Shared.Write(state, Dead);
        return true;
    }

    /// <summary>The slack of a live block or of a held one.</summary>
    public static nuint Slack(byte* state)
    {
        byte first = (byte)(Shared.Read(state) & ~Held);
        return first < FirstMedium ? (nuint)first - 1 : LongSlack(state);
    }

    /// <summary>Writes a number into following bytes, lowest digit first.</summary>
    public static void WriteDigits(byte* following, nuint number, int digits)
    {
        for (int digit = 0; digit < digits; digit++)
        {
            following[digit] = (byte)(FollowingBase | (number & DigitMask));
            number >>= DigitBits;
        }
    }

    public static nuint ReadDigits(byte* following, int digits)
    {
        nuint number = 0;
        for (int digit = digits - 1; digit >= 0; digit--)
        {
            number = (number << DigitBits) | (following[digit] & DigitMask);
        }

        return number;
    }

    // Who asks holds nothing: the number may be changing, and counts when it was read twice.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static nuint LongSlack(byte* state)
    {
        for (nuint slack = ReadSlack(state); ;)
        {
            nuint again = ReadSlack(state);
            if (again == slack)
            {
                return slack;
            }

            slack = again;
        }
    }

    private static nuint ReadSlack(byte* state)
    {
        byte first = (byte)(Shared.Read(state) & ~Held);
        return first < FirstMedium ? (nuint)first - 1
            : first == Long ? ReadDigits(state + 1, LongDigits)
            : ((nuint)(first - FirstMedium) << MediumShift) | ReadDigits(state + 1, MediumDigits);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SetLong(byte* state, nuint slack, byte mark)
    {
        if (FirstMedium + (slack >> MediumShift) < Long)
        {
            SetMedium(state, slack, mark);
            return;
        }

        WriteDigits(state + 1, slack, LongDigits);
        Shared.Write(state, (byte)(mark + Long));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SetMedium(byte* state, nuint slack, byte mark)
    {
        state[1] = (byte)(FollowingBase | slack);
        state[2] = (byte)(FollowingBase | (slack >> DigitBits));
        Shared.Write(state, (byte)(mark + FirstMedium + (byte)(slack >> MediumShift)));
    }
}
