using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Win32;

/// <summary>Whole pages: all that contain a byte of the range that a caller named.</summary>
internal unsafe struct PageRange
{
    /// <summary>Reservations start at multiples of this; the lowest may not start below it.</summary>
    public const nuint GranularityBytes = 64 * Units.KiB;

    public byte* Start;
    public byte* End;

    public readonly nuint Bytes => (nuint)(End - Start);

    /// <summary>False for no bytes, and for a range that does not lie below the end of the addresses.</summary>
    public static bool TryMake(void* address, nuint bytes, out PageRange range) => TryMake(address, bytes, LinuxPages.PageBytes, out range);

    /// <summary>As above, with a start that is rounded down to the alignment.</summary>
    public static bool TryMake(void* address, nuint bytes, nuint alignment, out PageRange range)
    {
        range = default;
        nuint end = LinuxPages.EndOfAddresses;
        if (bytes == 0 || (nuint)address >= end || bytes > end - (nuint)address)
        {
            return false;
        }

        range.Start = (byte*)Bits.RoundDown((nuint)address, alignment);
        range.End = (byte*)Bits.RoundUp((nuint)address + bytes, LinuxPages.PageBytes);
        return true;
    }
}
