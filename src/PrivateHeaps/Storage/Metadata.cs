using System.Runtime.CompilerServices;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Storage;

/// <summary>
/// Memory for the engine's own structures, far from any block that a caller can overrun. Objects of up to 8 KiB come from free lists in
/// steps of a cache line, larger ones in powers of two. Memory is reused and never given back, so a stale pointer into it can always be read.
/// Any thread may call; the lock is a leaf: nothing else is taken under it.
/// </summary>
internal static unsafe class Metadata
{
    private const uint LineBytes = 64;
    private const uint SmallBytes = 8 * Units.KiB;
    private const int SmallListCount = (int)(SmallBytes / LineBytes) + 1;
    private const int ListCount = SmallListCount + 48;
    private const nuint FirstChunkBytes = 256 * Units.KiB;
    private const nuint DiscardBytes = 256 * Units.KiB;
    private const nuint ChunkBytes = 1 * Units.MiB;

    private static State* s_state;

    /// <summary>Bytes of all objects that are taken; what a heap took is given back when it is destroyed.</summary>
    public static nuint TakenBytes => s_state->TakenBytes;

    /// <summary>Maps the first chunk, whose head holds this class's own state.</summary>
    public static bool Initialize()
    {
        if (s_state != null)
        {
            return true;
        }

        byte* chunk = (byte*)Os.Map(FirstChunkBytes);
        if (chunk == null)
        {
            return false;
        }

        s_state = (State*)chunk;
        s_state->Next = chunk + Bits.RoundUp((nuint)sizeof(State), LineBytes);
        s_state->End = chunk + FirstChunkBytes;
        return true;
    }

    /// <summary>A zeroed object of at least the given size, aligned to a cache line; null when the system has no memory.</summary>
    public static void* Take(nuint bytes)
    {
        nuint rounded = RoundedBytes(bytes);
        void** list = (void**)&s_state->Lists + ListIndex(rounded);
        OsLock.Enter(&s_state->Lock);
        void* taken = *list;
        if (taken == null)
        {
            taken = Carve(rounded);
            s_state->TakenBytes += taken == null ? 0 : rounded;
            OsLock.Leave(&s_state->Lock);
            return taken;
        }

        *list = *(void**)taken;
        s_state->TakenBytes += rounded;
        OsLock.Leave(&s_state->Lock);

        // Most of a large object was never touched: to have it back from the system is cheaper than to write it all.
        if (rounded < DiscardBytes || !Os.Discard(taken, rounded))
        {
            Os.Clear(taken, rounded);
        }

        return taken;
    }

    /// <summary>Gives an object back; the size is the one it was taken with.</summary>
    public static void Give(void* taken, nuint bytes)
    {
        nuint rounded = RoundedBytes(bytes);
        void** list = (void**)&s_state->Lists + ListIndex(rounded);
        OsLock.Enter(&s_state->Lock);
        s_state->TakenBytes -= rounded;
        *(void**)taken = *list;
        *list = taken;
        OsLock.Leave(&s_state->Lock);
    }

    /// <summary>Holds the lock across a fork.</summary>
    public static void EnterLock() => OsLock.Enter(&s_state->Lock);

    public static void LeaveLock() => OsLock.Leave(&s_state->Lock);

    /// <summary>See <see cref="OsLock.MayWait"/>.</summary>
    public static bool MayWait() => OsLock.MayWait(&s_state->Lock);

    private static nuint RoundedBytes(nuint bytes)
    {
        if (bytes <= SmallBytes)
        {
            return bytes == 0 ? LineBytes : Bits.RoundUp(bytes, LineBytes);
        }

        return System.Numerics.BitOperations.RoundUpToPowerOf2(bytes);
    }

    private static nuint ListIndex(nuint rounded) =>
        rounded <= SmallBytes ? rounded / LineBytes : (nuint)(SmallListCount + System.Numerics.BitOperations.TrailingZeroCount(rounded) - 13);

    // Fresh memory from the system is zero, so a carved object needs no clearing.
    private static void* Carve(nuint rounded)
    {
        if (rounded >= FirstChunkBytes)
        {
            return Os.Map(rounded);
        }

        if ((nuint)(s_state->End - s_state->Next) < rounded)
        {
            byte* fresh = (byte*)Os.Map(ChunkBytes);
            if (fresh == null)
            {
                return null;
            }

            // The tail of the old chunk is too small for this object but not for a small one: no list holds it, and at most one object is lost.
            s_state->Next = fresh;
            s_state->End = fresh + ChunkBytes;
        }

        void* taken = s_state->Next;
        s_state->Next += rounded;
        return taken;
    }

    private struct State
    {
        public OsLock Lock;
        public byte* Next;
        public byte* End;
        public nuint TakenBytes;
        public FreeLists Lists;
    }

    [InlineArray(ListCount)]
    private struct FreeLists
    {
        private nint _head;
    }
}
