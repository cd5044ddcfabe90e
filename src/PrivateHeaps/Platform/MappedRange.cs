namespace PrivateHeaps.Platform;

/// <summary>A range of the process's addresses, as the system sees it: mapped in one way throughout, or not mapped at all.</summary>
internal struct MappedRange
{
    public nuint Start;
    public nuint End;

    /// <summary>False for the range between two mappings; then nothing below counts.</summary>
    public bool IsMapped;

    public PageAccess Access;
    public bool IsShared;

    /// <summary>The mapped file: its device and number; 0 and 0 for none.</summary>
    public ulong Device;
    public ulong File;

    /// <summary>Where the neighboring mappings of the same file begin, so an image's first address; <see cref="Start"/> without a file.</summary>
    public nuint AllocationStart;
}
