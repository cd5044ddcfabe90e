using PrivateHeaps.Foundation;

namespace PrivateHeaps.Platform;

/// <summary>What the systems with mmap do alike.</summary>
internal static unsafe class Posix
{
    public const int ProtectNone = 0;
    public const int ProtectReadWrite = 3;
    public const int ProtectReadWriteExecute = 7;
    private const int ProtectRead = 1;
    private const int MapFixed = 0x10;

    /// <summary>A fresh mapping at a multiple of the alignment; null when there is none. What an alignment above a page needs more is cut off at both ends.</summary>
    public static void* Map(nuint bytes, nuint alignment, int protection, int flags)
    {
        nuint extra = alignment > Os.PageBytes ? alignment : 0;
        byte* start = (byte*)Libc.mmap(null, bytes + extra, protection, flags, -1, 0);
        if ((nint)start == -1)
        {
            return null;
        }

        byte* aligned = extra == 0 ? start : (byte*)Bits.RoundUp((nuint)start, alignment);
        nuint before = (nuint)(aligned - start);
        Release(start, before);
        Release(aligned + bytes, extra - before);
        return aligned;
    }

    /// <summary>Makes pages readable.</summary>
    public static bool Show(void* address, nuint bytes) => Libc.mprotect(address, bytes, ProtectRead) == 0;

    /// <summary>Puts an inaccessible mapping in the place of pages.</summary>
    public static bool Hide(void* address, nuint bytes, int flags) => (nint)Libc.mmap(address, bytes, ProtectNone, flags | MapFixed, -1, 0) != -1;

    /// <summary>Ends a mapping or a part of one; false when the system refuses, and then it is as it was.</summary>
    public static bool Release(void* address, nuint bytes) => bytes == 0 || Libc.munmap(address, bytes) == 0;
}
