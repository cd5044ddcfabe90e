using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Checks;

/// <summary>
/// The freed blocks that a checked heap does not use again yet, up to a number of bytes. They leave in random order, so that nobody can tell when a
/// freed address comes back. Under the lock of the heap's checks.
/// </summary>
internal unsafe struct Quarantine
{
    private const uint SmallestCapacity = 256;

    /// <summary>What a block counts beside its bytes, so that empty ones do not stay for ever.</summary>
    public const nuint BytesOfEntry = 32;

    public nuint LimitBytes;
    public nuint Bytes;
    public uint Count;
    public ulong Seed;

    private uint _capacity;
    private nuint* _blocks;

    public readonly bool IsFull => Bytes > LimitBytes;

    /// <summary>Takes a block in; false when it is too large or there is no memory for its entry.</summary>
    public static bool Add(Quarantine* quarantine, byte* block, nuint bytes)
    {
        if (bytes >= quarantine->LimitBytes || (quarantine->Count == quarantine->_capacity && !Grow(quarantine)))
        {
            return false;
        }

        quarantine->_blocks[quarantine->Count++] = (nuint)block;
        quarantine->Bytes += bytes + BytesOfEntry;
        return true;
    }

    /// <summary>The block at a place below Count.</summary>
    public static byte* At(Quarantine* quarantine, uint place) => (byte*)quarantine->_blocks[place];

    /// <summary>Takes any block out; the caller subtracts its bytes by <see cref="Forget"/>.</summary>
    public static byte* TakeAny(Quarantine* quarantine)
    {
        uint place = (uint)((NextRandom(&quarantine->Seed) >> 32) % quarantine->Count);
        byte* block = (byte*)quarantine->_blocks[place];
        quarantine->_blocks[place] = quarantine->_blocks[--quarantine->Count];
        return block;
    }

    public static void Forget(Quarantine* quarantine, nuint bytes) => quarantine->Bytes -= bytes + BytesOfEntry;

    public static void Drop(Quarantine* quarantine)
    {
        if (quarantine->_blocks != null)
        {
            Metadata.Give(quarantine->_blocks, quarantine->_capacity * (nuint)sizeof(nuint));
        }

        quarantine->_blocks = null;
        quarantine->_capacity = 0;
        quarantine->Count = 0;
        quarantine->Bytes = 0;
    }

    /// <summary>A generator by Marsaglia (xorshift); the seed is not 0.</summary>
    public static ulong NextRandom(ulong* seed)
    {
        ulong value = *seed;
        value ^= value << 13;
        value ^= value >> 7;
        value ^= value << 17;
        return *seed = value;
    }

    private static bool Grow(Quarantine* quarantine)
    {
        uint capacity = quarantine->_capacity == 0 ? SmallestCapacity : quarantine->_capacity * 2;
        nuint* blocks = (nuint*)Metadata.Take(capacity * (nuint)sizeof(nuint));
        if (blocks == null)
        {
            return false;
        }

        if (quarantine->_blocks != null)
        {
            Os.Copy(blocks, quarantine->_blocks, quarantine->Count * (nuint)sizeof(nuint));
            Metadata.Give(quarantine->_blocks, quarantine->_capacity * (nuint)sizeof(nuint));
        }

        quarantine->_blocks = blocks;
        quarantine->_capacity = capacity;
        return true;
    }
}
