namespace PrivateHeaps.Tool;

/// <summary>Where the parts of the built project lie: the tool in out/tool, the native libraries beside it in out/native.</summary>
internal static class Installation
{
    private static readonly string s_native = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "native"));

    /// <summary>The library for LD_PRELOAD: malloc and its relatives over the process heap.</summary>
    public static string MallocLibrary => Path.Combine(s_native, "libprivateheaps-malloc.so");

    /// <summary>The library with the Win32 heap functions as C functions.</summary>
    public static string HeapLibrary => Path.Combine(s_native, "libprivateheaps.so");

    /// <summary>The directory of windows.h and heapapi.h.</summary>
    public static string IncludeDirectory => Path.Combine(s_native, "include");
}
