// Locals that are taken by address need not be zeroed first: C# assigns each before its first use.
[module: System.Runtime.CompilerServices.SkipLocalsInit]

namespace PrivateHeaps.Foundation;

/// <summary>The units that memory is counted in. The engine's page is 4 KiB on every system; where the system's is larger, commits are rounded.</summary>
internal static class Units
{
    /// <summary>Every block starts on a granule, and every granule of memory has one state byte.</summary>
    public const int GranuleShift = 4;
    public const int GranuleBytes = 1 << GranuleShift;

    public const int PageShift = 12;
    public const int PageBytes = 1 << PageShift;
    public const int GranulesPerPage = PageBytes / GranuleBytes;

    public const int KiB = 1 << 10;
    public const int MiB = 1 << 20;
    public const int GiB = 1 << 30;
}
