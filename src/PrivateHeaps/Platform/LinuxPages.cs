using System.Runtime.Intrinsics.X86;

namespace PrivateHeaps.Platform;

/// <summary>
/// Ranges of whole pages that a program manages itself, on Linux: reserved, made accessible page by page, and emptied. What the engine uses
/// for its own memory is in <see cref="LinuxOs"/>. A function that returns false has changed nothing, except where it says otherwise.
/// </summary>
internal static unsafe class LinuxPages
{
    // MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE: what is only reserved must not count against the overcommit limit.
    private const int MapPrivate = 0x4022;
    private const int MapFixed = 0x10;
    private const int MapFixedNoReplace = 0x100000;
    private const int MapShared = 0x4021;
    private const int AdviseCold = 20;
    private const int SpareCount = 6;

    // Guarded by the caller's lock.
    private static byte* s_spare;

    // Whoever finds it 0 writes the same number.
    private static nuint s_pageBytes;

    /// <summary>As <see cref="Os.PageBytes"/>, also before the engine has started.</summary>
    public static nuint PageBytes => s_pageBytes != 0 ? s_pageBytes : s_pageBytes = Libc.page_bytes();

    /// <summary>The first address behind all that a program can have: 47 bits less a page on x86-64, 48 bits on arm64.</summary>
    public static nuint EndOfAddresses => X86Base.IsSupported ? ((nuint)1 << 47) - 4096 : (nuint)1 << 48;

    /// <summary>An inaccessible range at a multiple of the alignment; null when there is none.</summary>
    public static byte* Reserve(nuint bytes, nuint alignment) => (byte*)Posix.Map(bytes, alignment, (int)PageAccess.None, MapPrivate);

    /// <summary>Reserves exactly this range; false when something is there.</summary>
    public static bool ReserveAt(byte* address, nuint bytes)
    {
        byte* start = (byte*)Libc.mmap(address, bytes, (int)PageAccess.None, MapPrivate | MapFixedNoReplace, -1, 0);
        if (start != address && (nint)start != -1)
        {
            // A kernel that does not know the flag takes the address for a hint.
            Release(start, bytes);
        }

        return start == address;
    }

    /// <summary>Changes the access to pages, which keep their contents. False may have changed a part.</summary>
    public static bool Protect(byte* address, nuint bytes, PageAccess access) => Libc.mprotect(address, bytes, (int)access) == 0;

    /// <summary>
    /// Makes pages inaccessible and gives their contents back, whatever was mapped there; they stay reserved, and read as zero when next accessible.
    /// One caller at a time.
    /// </summary>
    public static bool Empty(byte* address, nuint bytes)
    {
        if (TryEmpty(address, bytes))
        {
            return true;
        }

        Release(s_spare, s_spare == null ? 0 : SpareCount * PageBytes);
        s_spare = null;
        return TryEmpty(address, bytes);
    }

    /// <summary>
    /// Holds a few mappings in reserve, which <see cref="Empty"/> gives up: a process that has as many as it may cannot even replace one, and could
    /// not undo what it was about to do. False when there are none to hold. One caller at a time.
    /// </summary>
    public static bool HoldSpare()
    {
        if (s_spare == null)
        {
            // Shared, so that none becomes one with a neighbor; and of two kinds in turn.
            byte* start = (byte*)Libc.mmap(null, SpareCount * PageBytes, (int)PageAccess.None, MapShared, -1, 0);
            bool held = (nint)start != -1;
            for (nuint page = 1; held && page < SpareCount; page += 2)
            {
                held = Protect(start + (page * PageBytes), PageBytes, PageAccess.Read);
            }

            s_spare = held ? start : null;
            Release(start, held || (nint)start == -1 ? 0 : SpareCount * PageBytes);
        }

        return s_spare != null;
    }

    /// <summary>Tells the system that pages will not be used soon. They keep their contents. Kernels before 5.4 do not listen.</summary>
    public static void Cool(byte* address, nuint bytes) => Libc.madvise(address, bytes, AdviseCold);

    public static void Release(byte* address, nuint bytes) => Posix.Release(address, bytes);

    private static bool TryEmpty(byte* address, nuint bytes) =>
        (nint)Libc.mmap(address, bytes, (int)PageAccess.None, MapPrivate | MapFixed, -1, 0) != -1;
}
