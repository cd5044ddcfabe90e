using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Storage;

/// <summary>
/// Mappings of the engine's own structures, each between guard pages: pages that nobody can access. The system may place such a mapping beside a block
/// that has one, too; what the program then writes beyond its block is a fault at its own access, and never reaches what the heaps stand on.
/// Every mapping that is not a caller's memory comes from here. Any thread may call; no lock.
/// </summary>
internal static unsafe class GuardPages
{
    /// <summary>
    /// On each side. Overruns are short or follow an index; one that goes step by step meets a guard of any size. It is whole pages on every system, of which the largest
    /// have 64 KiB, and costs addresses only: the guard pages of neighbors become one mapping of the system's.
    /// </summary>
    public const nuint Bytes = 64 * Units.KiB;

    /// <summary>A range that is accessible at once and zero, as from Os.Map; null when there is none.</summary>
    public static void* Map(nuint bytes)
    {
        void* structures = Reserve(bytes);
        if (structures != null && !Os.Commit(structures, bytes, false))
        {
            Drop(structures, bytes, 0);
            return null;
        }

        return structures;
    }

    /// <summary>A range that is inaccessible as yet, as from Os.Reserve; null when there is none.</summary>
    public static void* Reserve(nuint bytes)
    {
        byte* range = (byte*)Os.Reserve(RangeBytes(bytes));
        return range == null ? null : range + Bytes;
    }

    /// <summary>Ends what <see cref="Map"/> or <see cref="Reserve"/> made, of the same size. Not under the lock of <see cref="Metadata"/>.</summary>
    public static void Release(void* structures, nuint bytes) => Drop(structures, bytes, bytes);

    /// <summary>Bytes of the range that so many of structures take, with the guard pages.</summary>
    public static nuint RangeBytes(nuint bytes) => Bits.RoundUp(bytes, Os.PageBytes) + (2 * Bytes);

    private static void Drop(void* structures, nuint bytes, nuint accessibleBytes) =>
        Leftovers.Release((byte*)structures - Bytes, RangeBytes(bytes), structures, accessibleBytes);
}
