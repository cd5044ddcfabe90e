namespace PrivateHeaps.Platform;

/// <summary>
/// Frames on Linux: pages of a file in memory that has no name. They keep their contents while they are mapped nowhere, and can be mapped at
/// any address. A program may close files that it does not know of, and then open one under the same number; so the file's identity is asked
/// for before anything is done with it.
/// </summary>
internal static unsafe class LinuxFrames
{
    private const int MapSharedFixed = 0x11; // MAP_SHARED | MAP_FIXED
    private const int PunchHole = 3; // FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE

    /// <summary>A new empty file, or -1.</summary>
    public static int Create() => LibcPages.memory_file();

    public static void Close(int file) => LibcPages.close(file);

    /// <summary>A number that no other file in memory has; 0 when there is no such file.</summary>
    public static ulong Identity(int file) => LibcPages.file_identity(file);

    /// <summary>The size beyond which growing a file raises a signal in this process (RLIMIT_FSIZE).</summary>
    public static nuint LargestFileBytes => LibcPages.file_size_limit();

    /// <summary>Gives a part of the file its memory, which is zero; false when there is not enough, and then it has none.</summary>
    public static bool Populate(int file, nuint offset, nuint bytes)
    {
        // The child of a fork may have written where it still shows what was dropped here.
        Drop(file, offset, bytes);
        return LibcPages.fallocate(file, 0, offset, bytes) == 0;
    }

    /// <summary>Takes the memory of a part of the file back, wherever it is still mapped.</summary>
    public static void Drop(int file, nuint offset, nuint bytes) => LibcPages.fallocate(file, PunchHole, offset, bytes);

    /// <summary>Maps a part of the file, for reading and writing, in the place of whatever is at the address.</summary>
    public static bool Map(int file, byte* address, nuint offset, nuint bytes) =>
        (nint)Libc.mmap(address, bytes, (int)(PageAccess.Read | PageAccess.Write), MapSharedFixed, file, (nint)offset) != -1;
}
