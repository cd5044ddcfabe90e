namespace PrivateHeaps.Win32;

/// <summary>GlobalAlloc or LocalAlloc with its companions. Both share code and handles; <see cref="MemoryDifferences"/> lists what differs.</summary>
internal enum MemoryFamily
{
    Global,
    Local,
}
