using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace PrivateHeaps.Platform;

/// <summary>
/// The C functions that <see cref="LinuxPages"/> and its neighbors call beside those of <see cref="Libc"/>, for a .NET process. The native
/// library has a file of the same name and shape.
/// </summary>
internal static unsafe class LibcPages
{
    private const string Library = "libc";
    private const int ReadOnlyCloseOnExec = 0x80000;
    private const uint CloseOnExecNoExecute = 9; // MFD_CLOEXEC | MFD_NOEXEC_SEAL
    private const uint CloseOnExec = 1;
    private const int AtEmptyPath = 0x1000;
    private const uint InodeNumber = 0x100; // STATX_INO
    private const int FileSize = 1; // RLIMIT_FSIZE
    private const int FromEnd = 2; // SEEK_END

    public static int open(byte* path) => open(path, ReadOnlyCloseOnExec);

    [DllImport(Library)]
    public static extern nint read(int file, void* buffer, nuint capacity);

    [DllImport(Library)]
    public static extern int close(int file);

    public static int memory_file()
    {
        byte* name = stackalloc byte[] { (byte)'f', (byte)'r', (byte)'a', (byte)'m', (byte)'e', (byte)'s', 0 };
        int file = memfd_create(name, CloseOnExecNoExecute);
        return file >= 0 ? file : memfd_create(name, CloseOnExec);
    }

    public static ulong file_identity(int file)
    {
        byte empty = 0;
        uint* status = stackalloc uint[64];
        if (statx(file, &empty, AtEmptyPath, InodeNumber, status) != 0)
        {
            return 0;
        }

        // stx_ino, and stx_dev_minor to tell the file systems apart.
        return *(ulong*)(status + 8) ^ ((ulong)status[35] << 48);
    }

    public static nuint file_bytes(int file) => (nuint)lseek(file, 0, FromEnd);

    public static nuint file_size_limit()
    {
        nuint* limit = stackalloc nuint[2];
        return getrlimit(FileSize, limit) == 0 ? limit[0] : nuint.MaxValue;
    }

    [DllImport(Library)]
    public static extern int fallocate(int file, int mode, nuint offset, nuint bytes);

    public static int allowed_processors(ulong* mask, int capacity)
    {
        new Span<byte>(mask, capacity).Clear();
        return sched_getaffinity(0, (nuint)capacity, mask) == 0 ? capacity : -1;
    }

    public static uint processor_signature() => X86Base.IsSupported ? (uint)X86Base.CpuId(1, 0).Eax : 0;

    [DllImport(Library)]
    private static extern nint lseek(int file, nint offset, int from);

    [DllImport(Library)]
    private static extern int open(byte* path, int flags);

    [DllImport(Library)]
    private static extern int memfd_create(byte* name, uint flags);

    [DllImport(Library)]
    private static extern int statx(int directory, byte* path, int flags, uint mask, uint* status);

    [DllImport(Library)]
    private static extern int getrlimit(int resource, nuint* limit);

    [DllImport(Library)]
    private static extern int sched_getaffinity(int process, nuint bytes, ulong* mask);
}
