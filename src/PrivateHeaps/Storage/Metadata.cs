using System.Runtime.CompilerServices;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Storage;

/// <summary>
/// Memory for the engine's own structures, behind guard pages for any block that a caller can overrun. Objects of up to 8 KiB come from free lists in
/// steps of a cache line, larger ones in powers of two. Memory is reused and never given back, so a stale pointer into it can always be read.
/// Any thread may call; the lock is a leaf: nothing else is taken under it.
/// </summary>
internal static unsafe class Metadata
{
    private const uint LineBytes = 64;
    private const uint SmallBytes = 8 * Units.KiB;
    private const int SmallListCount = (int)(SmallBytes / LineBytes) + 1;
    private const int ListCount = SmallListCount + 48;
    private const nuint DiscardBytes = 256 * Units.KiB;

    // What is made accessible at once: little for who has few heaps, and few calls for who has many.
    private const nuint FirstStepBytes = 256 * Units.KiB;
    private const nuint StepBytes = 1 * Units.MiB;

    private static State* s_state;

    // The first reservation, which begins with the state as soon as it can be made accessible.
    private static byte* s_first;

    /// <summary>Bytes of all objects that are taken; what a heap took is given back when it is destroyed.</summary>
    public static nuint TakenBytes => s_state->TakenBytes;

    /// <summary>Objects that were refused because <see cref="Refuse"/> had said so, ever.</summary>
    public static int RefusedCount => s_state->RefusedCount;

    /// <summary>Makes the first reservation, whose head holds this class's own state.</summary>
    public static bool Initialize()
    {
        if (s_state != null)
        {
            return true;
        }

        s_first = s_first != null ? s_first : (byte*)GuardPages.Reserve(GuardedRange.LeastBytes);
        if (s_first == null || !Os.Commit(s_first, FirstStepBytes, false))
        {
            return false;
        }

        s_state = (State*)s_first;
        byte* next = s_first + Bits.RoundUp((nuint)sizeof(State), LineBytes);
        GuardedRange.Begin(&s_state->Range, next, s_first + FirstStepBytes, s_first + GuardedRange.LeastBytes);
        return true;
    }

    /// <summary>A zeroed object of at least the given size, aligned to a cache line; null when the system has no memory.</summary>
    // Many call it: inlined, it would make the library 12 KiB longer.
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void* Take(nuint bytes)
    {
        void* taken = TakeUncleared(bytes, out nuint used);

        // Most of a large object was never touched: to have it back from the system is cheaper than to write it all.
        if (used != 0 && (used < DiscardBytes || !Os.Discard(taken, used)))
        {
            Os.Clear(taken, used);
        }

        return taken;
    }

    /// <summary>As <see cref="Take"/>, for who writes all that he reads: it may hold anything.</summary>
    public static void* TakeUncleared(nuint bytes) => TakeUncleared(bytes, out _);

    // All of an object was used before, or nothing.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void* TakeUncleared(nuint bytes, out nuint used)
    {
        nuint rounded = RoundedBytes(bytes);
        void** list = (void**)&s_state->Lists + ListIndex(rounded);
        OsLock.Enter(&s_state->Lock);
        void* taken = null;
        used = 0;
        if (s_state->TakesBeforeRefusal == 0 || !Refuses())
        {
            taken = *list;
            if (taken != null)
            {
                *list = *(void**)taken;
                used = rounded;
            }
            else
            {
                taken = GuardedRange.Take(&s_state->Range, rounded, StepBytes);
            }

            s_state->TakenBytes += taken == null ? 0 : rounded;
        }

        OsLock.Leave(&s_state->Lock);
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

    /// <summary>
    /// Refuses the object with this number (from 1) of those that are taken from now on, and, if memory stays away, all that come after it; 0: none any more. For tests.
    /// </summary>
    public static void Refuse(int number, bool stays)
    {
        OsLock.Enter(&s_state->Lock);
        s_state->TakesBeforeRefusal = number;
        s_state->RefusalStays = stays;
        OsLock.Leave(&s_state->Lock);
    }

    /// <summary>Holds the lock across a fork.</summary>
    public static void EnterLock() => OsLock.Enter(&s_state->Lock);

    public static void LeaveLock() => OsLock.Leave(&s_state->Lock);

    /// <summary>See <see cref="OsLock.MayWait"/>.</summary>
    public static bool MayWait() => OsLock.MayWait(&s_state->Lock);

    // Under the lock, while one is to be refused.
    private static bool Refuses()
    {
        if (s_state->TakesBeforeRefusal > 1)
        {
            s_state->TakesBeforeRefusal--;
            return false;
        }

        s_state->TakesBeforeRefusal = s_state->RefusalStays ? 1 : 0;
        s_state->RefusedCount++;
        return true;
    }

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

    private struct State
    {
        public OsLock Lock;
        public GuardedRange Range;

        /// <summary>See <see cref="Refuse"/>; 0 when none is to be refused.</summary>
        public int TakesBeforeRefusal;
        public bool RefusalStays;
        public int RefusedCount;
        public nuint TakenBytes;
        public FreeLists Lists;
    }

    [InlineArray(ListCount)]
    private struct FreeLists
    {
        private nint _head;
    }
}
