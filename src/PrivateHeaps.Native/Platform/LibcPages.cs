using System.Runtime;
using System.Runtime.CompilerServices;

namespace PrivateHeaps.Platform;

/// <summary>
/// The C functions that <see cref="LinuxPages"/> and its neighbors call beside those of <see cref="Libc"/>; shim_pages.c has them. What is
/// said there about errno and other libraries holds here too.
/// </summary>
internal static unsafe class LibcPages
{
    /// <summary>Opens a file for reading: its number, or -1.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_open")]
    public static extern int open(byte* path);

    /// <summary>As read(2): the number of bytes, 0 at the end, or -1.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_read")]
    public static extern nint read(int file, void* buffer, nuint capacity);

    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_close")]
    public static extern int close(int file);

    /// <summary>An empty file in memory (memfd_create) that programs executed later do not have: its number, or -1.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_memory_file")]
    public static extern int memory_file();

    /// <summary>What tells the file from others; 0 when the number names no file.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_file_identity")]
    public static extern ulong file_identity(int file);

    /// <summary>How long the file is; (nuint)(-1) when the number names none that has a length.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_file_bytes")]
    public static extern nuint file_bytes(int file);

    /// <summary>RLIMIT_FSIZE; nuint.MaxValue for no limit.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_file_size_limit")]
    public static extern nuint file_size_limit();

    /// <summary>As fallocate(2): 0, or -1 on failure.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_fallocate")]
    public static extern int fallocate(int file, int mode, nuint offset, nuint bytes);

    /// <summary>The affinity mask of the calling thread; returns how many bytes of it are set, or -1.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_allowed_processors")]
    public static extern int allowed_processors(ulong* mask, int capacity);

    /// <summary>EAX of CPUID leaf 1 on x86; else 0.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_processor_signature")]
    public static extern uint processor_signature();
}
