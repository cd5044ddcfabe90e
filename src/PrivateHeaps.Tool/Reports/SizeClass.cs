namespace PrivateHeaps.Tool.Reports;

/// <summary>The blocks of one range of requested sizes. Live = Allocated - Freed.</summary>
/// <param name="FromBytes">The smallest size in the range.</param>
/// <param name="ToBytes">The largest size in the range.</param>
/// <param name="Allocated">Blocks of these sizes that were allocated, in all.</param>
/// <param name="Freed">Blocks of these sizes that were freed, in all.</param>
internal sealed record SizeClass(ulong FromBytes, ulong ToBytes, ulong Allocated, ulong Freed)
{
    /// <summary>Blocks still live. A block that was inherited by fork and freed by the child has no allocation here, so this never goes below 0.</summary>
    public ulong Live => Allocated > Freed ? Allocated - Freed : 0;
}
