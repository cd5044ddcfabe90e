using System.Numerics;
using PrivateHeaps.Foundation;

namespace PrivateHeaps.Storage;

/// <summary>
/// Finds contiguous runs of equal units in a range, first fit, over one bit a unit: 1 = used, so that the map of a vast range that is
/// hardly used is hardly touched itself. The units are pages of a region, granules of a small bounded heap, or 64 KiB pieces of an arena.
/// The owner holds a lock around every call. Conservation: FreeCount is the number of bits that are clear, and all below Hint are set.
/// </summary>
internal unsafe struct RunMap
{
    public const uint None = uint.MaxValue;
    private const int WordBits = 64;

    public ulong* Words;
    public uint Count;
    public uint FreeCount;
    public uint Hint;

    public static nuint BytesFor(uint count) => ((nuint)count + (WordBits - 1)) / WordBits * sizeof(ulong);

    /// <summary>Starts with every unit free. The words are zeroed memory of <see cref="BytesFor"/> bytes.</summary>
    public static void Initialize(RunMap* map, ulong* words, uint count)
    {
        map->Words = words;
        map->Count = count;
        map->FreeCount = count;
        map->Hint = 0;
    }

    /// <summary>Makes every unit free again; only the first touched ones can be used.</summary>
    public static void Reset(RunMap* map, uint touched)
    {
        ClearBits(map->Words, 0, touched);
        map->FreeCount = map->Count;
        map->Hint = 0;
    }

    /// <summary>
    /// The lowest free run of the given length whose first unit plus the phase is a multiple of the alignment (units; a power of two);
    /// None when there is none. Takes nothing.
    /// </summary>
    public static uint Find(RunMap* map, uint length, uint alignment, uint phase)
    {
        if (length > map->FreeCount)
        {
            return None;
        }

        uint start = NextClear(map->Words, map->Hint, map->Count);
        map->Hint = start;
        if (alignment == 1)
        {
            uint found = FindAnywhere(map->Words, start, map->Count, length);
            return found <= map->Count && length <= map->Count - found ? found : None;
        }

        while (start < map->Count)
        {
            uint aligned = ((start + phase + (alignment - 1)) & ~(alignment - 1)) - phase;
            if (aligned > map->Count || map->Count - aligned < length)
            {
                return None;
            }

            uint end = NextSet(map->Words, aligned, aligned + length);
            if (end == aligned + length)
            {
                return aligned;
            }

            start = NextClear(map->Words, end, map->Count);
        }

        return None;
    }

    // Where the lowest run of clear bits begins, perhaps only with those behind the last unit; None. A word at a time, whatever gaps it has: a heap that was used for
    // long has many that are too short.
    private static uint FindAnywhere(ulong* words, uint start, uint count, uint length)
    {
        uint before = 0;
        for (uint word = start / WordBits; word * WordBits < count; word++)
        {
            ulong used = words[word];
            if (before + (uint)BitOperations.TrailingZeroCount(used) >= length)
            {
                return word * WordBits - before;
            }

            if (used == 0)
            {
                before += WordBits;
                continue;
            }

            ulong starts = length < WordBits ? StartsOf(~used, length) : 0;
            if (starts != 0)
            {
                return word * WordBits + (uint)BitOperations.TrailingZeroCount(starts);
            }

            before = (uint)BitOperations.LeadingZeroCount(used);
        }

        return None;
    }

    // Where in the word so many set bits begin, one after the other.
    private static ulong StartsOf(ulong bits, uint length)
    {
        for (uint have = 1; have < length && bits != 0;)
        {
            uint more = Bits.Min(have, length - have);
            bits &= bits >> (int)more;
            have += more;
        }

        return bits;
    }

    /// <summary>Marks a run used; it must be free.</summary>
    public static void Take(RunMap* map, uint start, uint length)
    {
        SetBits(map->Words, start, length);
        map->FreeCount -= length;
        if (map->Hint == start)
        {
            map->Hint = start + length;
        }
    }

    /// <summary>Marks a run free; it must be used.</summary>
    public static void Give(RunMap* map, uint start, uint length)
    {
        ClearBits(map->Words, start, length);
        map->FreeCount += length;
        map->Hint = Bits.Min(map->Hint, start);
    }

    /// <summary>Whether the units [start, start + length) exist and are all free.</summary>
    public static bool IsFree(RunMap* map, uint start, uint length) =>
        start <= map->Count && length <= map->Count - start && NextSet(map->Words, start, start + length) == start + length;

    public static bool IsFreeAt(RunMap* map, uint index) => (map->Words[index / WordBits] >> (int)(index % WordBits) & 1) == 0;

    /// <summary>The first used unit at or after the index, or the limit.</summary>
    public static uint FreeEnd(RunMap* map, uint index, uint limit) => NextSet(map->Words, index, limit);

    /// <summary>The first free unit at or after the index, or the limit.</summary>
    public static uint UsedEnd(RunMap* map, uint index, uint limit) => NextClear(map->Words, index, limit);

    /// <summary>Length of the longest free run below the limit.</summary>
    public static uint LongestRun(RunMap* map, uint limit)
    {
        uint longest = 0;
        for (uint start = NextClear(map->Words, 0, limit); start < limit;)
        {
            uint end = NextSet(map->Words, start, limit);
            longest = Bits.Max(longest, end - start);
            start = NextClear(map->Words, end, limit);
        }

        return longest;
    }

    public static uint CountSet(ulong* words, uint start, uint length)
    {
        uint count = 0;
        for (uint index = start, end = start + length; index < end;)
        {
            uint bit = index % WordBits;
            uint span = Bits.Min(WordBits - bit, end - index);
            ulong set = words[index / WordBits] & MaskOf(bit, span);
            count += set == 0 ? 0 : Bits.CountSet(set);
            index += span;
        }

        return count;
    }

    public static void SetBits(ulong* words, uint start, uint length)
    {
        for (uint end = start + length; start < end;)
        {
            uint bit = start % WordBits;
            uint span = Bits.Min(WordBits - bit, end - start);
            words[start / WordBits] |= MaskOf(bit, span);
            start += span;
        }
    }

    public static void ClearBits(ulong* words, uint start, uint length)
    {
        for (uint end = start + length; start < end;)
        {
            uint bit = start % WordBits;
            uint span = Bits.Min(WordBits - bit, end - start);
            words[start / WordBits] &= ~MaskOf(bit, span);
            start += span;
        }
    }

    private static ulong MaskOf(uint bit, uint span) => (ulong.MaxValue >> (int)(WordBits - span)) << (int)bit;

    private static uint NextSet(ulong* words, uint start, uint limit) => Next(words, start, limit, 0);

    private static uint NextClear(ulong* words, uint start, uint limit) => Next(words, start, limit, ulong.MaxValue);

    // Looks for a bit that differs from the flip mask's: flip 0 finds a set bit, all ones a clear one.
    private static uint Next(ulong* words, uint start, uint limit, ulong flip)
    {
        if (start >= limit)
        {
            return limit;
        }

        uint word = start / WordBits;
        uint lastWord = (limit - 1) / WordBits;
        ulong bits = (words[word] ^ flip) & (ulong.MaxValue << (int)(start % WordBits));
        while (bits == 0)
        {
            if (++word > lastWord)
            {
                return limit;
            }

            bits = words[word] ^ flip;
        }

        return Bits.Min(limit, word * WordBits + (uint)BitOperations.TrailingZeroCount(bits));
    }
}
