namespace PrivateHeaps.Checks;

/// <summary>The patterns that checked memory is filled with, as Windows has them, and the search for what has overwritten them.</summary>
internal static unsafe class Pattern
{
    /// <summary>Fresh memory that nobody has written to yet.</summary>
    public const uint Fresh = 0xBAADF00D;

    /// <summary>Memory that was freed.</summary>
    public const uint Freed = 0xFEEEFEEE;

    /// <summary>What lies behind the requested size of a block, and in front of a block on guard pages.</summary>
    public const uint Border = 0xABABABAB;

    /// <summary>Writes the pattern, its lowest byte first, from the address on.</summary>
    public static void Write(byte* address, nuint bytes, uint pattern)
    {
        nuint done = 0;
        ulong twice = pattern | ((ulong)pattern << 32);
        for (; done + sizeof(ulong) <= bytes; done += sizeof(ulong))
        {
            // Safety: x86 and ARM write words to any address.
            *(ulong*)(address + done) = twice;
        }

        for (; done < bytes; done++)
        {
            address[done] = ByteAt(pattern, done);
        }
    }

    /// <summary>Where the pattern was overwritten: false when it was not; else the first and the last such byte.</summary>
    public static bool IsDamaged(byte* address, nuint bytes, uint pattern, out nuint first, out nuint last)
    {
        ulong twice = pattern | ((ulong)pattern << 32);
        first = 0;
        last = 0;
        while (first + sizeof(ulong) <= bytes && *(ulong*)(address + first) == twice)
        {
            first += sizeof(ulong);
        }

        while (first < bytes && address[first] == ByteAt(pattern, first))
        {
            first++;
        }

        if (first == bytes)
        {
            return false;
        }

        for (last = bytes - 1; address[last] == ByteAt(pattern, last);)
        {
            last--;
        }

        return true;
    }

    private static byte ByteAt(uint pattern, nuint offset) => (byte)(pattern >> (int)(offset % sizeof(uint) * 8));
}
