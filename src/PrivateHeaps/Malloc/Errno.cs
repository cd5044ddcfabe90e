namespace PrivateHeaps.Malloc;

/// <summary>The two errors of the malloc family; the numbers are the same on every system that has it.</summary>
internal static class Errno
{
    public const int NoMemory = 12;
    public const int InvalidArgument = 22;
}
