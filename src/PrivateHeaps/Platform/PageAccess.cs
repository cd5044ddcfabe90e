namespace PrivateHeaps.Platform;

/// <summary>What a program may do with a page. The values are those of mmap and mprotect.</summary>
[Flags]
internal enum PageAccess
{
    None = 0,
    Read = 1,
    Write = 2,
    Execute = 4,
}
