using System.Runtime.CompilerServices;
using PrivateHeaps.Foundation;

namespace PrivateHeaps.Storage;

/// <summary>
/// The code in the state bytes. At the first granule of a live block stands 1 + slack (block size - requested size) when the slack is at
/// most 125, else <see cref="Long"/> with the slack in the four following bytes, seven bits each. Following bytes are 128 or more, so that
/// an address inside a block never looks like the start of one. Everything else is 0: no live block starts here. So a byte that is
/// positive as a signed number is a live block's, which one comparison decides.
/// </summary>
internal static unsafe class BlockState
{
    public const byte Dead = 0;
    public const nuint ShortSlackMaximum = 125;
    public const byte Long = 127;
    public const byte FollowingBase = 128;
    public const nuint LongSlackMaximum = (1 << 28) - 1;

    private const int DigitBits = 7;
    private const uint DigitMask = (1 << DigitBits) - 1;

    /// <summary>Whether a live block starts at the granule of this state byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsLive(byte state) => (sbyte)state > Dead;

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
            SetLiveLong(state, slack);
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

    /// <summary>Changes the slack of a live block; false when the block is dead, or dies at the same instant.</summary>
    public static bool TrySetLive(byte* state, nuint slack)
    {
        for (; ; )
        {
            byte seen = Shared.Read(state);
            if (!IsLive(seen))
            {
                return false;
            }

            if (slack > ShortSlackMaximum)
            {
                WriteDigits(state + 1, slack, 4);
            }

            if (Shared.CompareExchange(state, slack > ShortSlackMaximum ? Long : (byte)(slack + 1), seen) == seen)
            {
                return true;
            }
        }
    }

    /// <summary>The slack of a live block.</summary>
    public static nuint Slack(byte* state)
    {
        byte first = Shared.Read(state);
        return first == Long ? ReadDigits(state + 1, 4) : (nuint)first - 1;
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

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SetLiveLong(byte* state, nuint slack)
    {
        WriteDigits(state + 1, slack, 4);
        Shared.Write(state, Long);
    }
}
