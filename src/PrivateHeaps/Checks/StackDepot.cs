using System.Runtime.InteropServices;
using PrivateHeaps.Foundation;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Checks;

/// <summary>
/// Stores each distinct stack of calls once, for the life of the process, and names it by a number. A hash table whose chains only grow: to look up and
/// to add takes no lock, so a thread that a signal or a fork has interrupted here is in nobody's way.
/// </summary>
/// <remarks>
/// A number is a place: the entries lie one behind the other in chunks, and the number counts units of eight bytes from the start of the first.
/// </remarks>
internal static unsafe class StackDepot
{
    /// <summary>Frames that a stack can have; the outer ones of a deeper one are left out.</summary>
    public const int FrameCapacity = 16;

    private const uint BucketCount = 1 << 16;
    private const int UnitBytes = 8;
    private const int UnitsOfChunkBits = 15;
    private const long UnitsOfChunk = 1L << UnitsOfChunkBits;
    private const long ChunkCount = 8192;
    private const long FirstUnit = 1;

    private static State* s_state;

    /// <summary>Takes the memory for the table, while there is some. May be called again; false when there is none.</summary>
    public static bool Initialize()
    {
        if (s_state == null)
        {
            State* state = (State*)Metadata.Take((nuint)sizeof(State));
            uint* buckets = state == null ? null : (uint*)Metadata.Take(BucketCount * sizeof(uint));
            nint* chunks = buckets == null ? null : (nint*)Metadata.Take((nuint)ChunkCount * (nuint)sizeof(nint));
            if (chunks == null)
            {
                return false;
            }

            state->Buckets = buckets;
            state->Chunks = chunks;
            state->NextUnit = FirstUnit;
            s_state = state;
        }

        return true;
    }

    /// <summary>The number of the stack with these frames, at most <see cref="FrameCapacity"/>; 0 for one without frames, and when memory is out.</summary>
    public static uint Add(nuint* frames, int frameCount)
    {
        if (frameCount == 0 || s_state == null)
        {
            return 0;
        }

        uint hash = HashOf(frames, frameCount);
        uint* bucket = &s_state->Buckets[hash % BucketCount];

        // Partner: the exchange below; whoever reads a number sees the entry that it names.
        uint first = Shared.Read(bucket);
        uint found = Find(first, 0, frames, frameCount, hash);
        if (found != 0)
        {
            return found;
        }

        uint added = Take(frameCount);
        if (added == 0)
        {
            return 0;
        }

        Entry* entry = At(added);
        entry->Hash = hash;
        entry->FrameCount = (uint)frameCount;
        for (int index = 0; index < frameCount; index++)
        {
            FramesOf(entry)[index] = frames[index];
        }

        for (; ; )
        {
            entry->Next = first;
            uint seen = Shared.CompareExchange(bucket, added, first);
            if (seen == first)
            {
                return added;
            }

            // Somebody else was faster, perhaps with the same stack; then the place that was taken stays unused.
            found = Find(seen, first, frames, frameCount, hash);
            if (found != 0)
            {
                return found;
            }

            first = seen;
        }
    }

    /// <summary>The frames of a stack, the innermost first, as return addresses; 0 of them for a number that names none.</summary>
    public static int Frames(uint stack, out nuint* frames)
    {
        Entry* entry = stack == 0 || s_state == null ? null : At(stack);
        frames = entry == null ? null : FramesOf(entry);
        return entry == null ? 0 : (int)entry->FrameCount;
    }

    // From one entry of a chain to another, which does not count.
    private static uint Find(uint from, uint to, nuint* frames, int frameCount, uint hash)
    {
        for (uint number = from; number != to; number = At(number)->Next)
        {
            Entry* entry = At(number);
            if (entry->Hash == hash && entry->FrameCount == (uint)frameCount && IsSame(FramesOf(entry), frames, frameCount))
            {
                return number;
            }
        }

        return 0;
    }

    private static bool IsSame(nuint* one, nuint* other, int count)
    {
        for (int index = 0; index < count; index++)
        {
            if (one[index] != other[index])
            {
                return false;
            }
        }

        return true;
    }

    // The next place with room for so many frames; one that would reach into the next chunk is left empty.
    private static uint Take(int frameCount)
    {
        long units = (sizeof(Entry) / UnitBytes) + frameCount;
        for (; ; )
        {
            long end = Shared.Add(&s_state->NextUnit, units);
            long start = end - units;
            long chunk = start >> UnitsOfChunkBits;
            if (chunk >= ChunkCount || !HasChunk(&s_state->Chunks[chunk]))
            {
                return 0;
            }

            if ((end - 1) >> UnitsOfChunkBits == chunk)
            {
                return (uint)start;
            }
        }
    }

    private static bool HasChunk(nint* chunk)
    {
        // Partner: the exchange below.
        if (Shared.Read(chunk) != 0)
        {
            return true;
        }

        void* fresh = Metadata.Take((nuint)UnitsOfChunk * UnitBytes);
        if (fresh != null && Shared.CompareExchange(chunk, (nint)fresh, 0) != 0)
        {
            Metadata.Give(fresh, (nuint)UnitsOfChunk * UnitBytes);
        }

        return Shared.Read(chunk) != 0;
    }

    private static Entry* At(uint number) => (Entry*)(s_state->Chunks[number >> UnitsOfChunkBits] + (nint)((number % UnitsOfChunk) * UnitBytes));

    private static nuint* FramesOf(Entry* entry) => (nuint*)(entry + 1);

    private static uint HashOf(nuint* frames, int count)
    {
        ulong hash = (ulong)count;
        for (int index = 0; index < count; index++)
        {
            hash = (hash ^ frames[index]) * 0x9E3779B97F4A7C15;
            hash ^= hash >> 32;
        }

        return (uint)hash;
    }

    /// <summary>The frames lie behind it.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 16)]
    private struct Entry
    {
        /// <summary>The number of the next entry of the bucket; 0 for none. Fixed before the entry can be found.</summary>
        public uint Next;
        public uint Hash;
        public uint FrameCount;
    }

    private struct State
    {
        /// <summary>The numbers of the first entries; written by exchanges.</summary>
        public uint* Buckets;

        /// <summary>Written once each, by an exchange.</summary>
        public nint* Chunks;

        /// <summary>Behind the last place that was given away; counted by additions. Grows beyond the last chunk when that is full.</summary>
        public long NextUnit;
    }
}
