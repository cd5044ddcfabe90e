namespace PrivateHeaps.Win32;

/// <summary>Everything in which the two families differ, as Windows has it.</summary>
internal static class MemoryDifferences
{
    /// <summary>The flags that an allocation may have; others are refused. A reallocation may have <see cref="MemoryFlags.Modify"/> too.</summary>
    public static uint AllocationFlags(MemoryFamily family) =>
        family == MemoryFamily.Global ? MemoryFlags.GlobalValid : MemoryFlags.LocalValid;

    /// <summary>What asks for, and what shows, a discardable block. In a Local call any of the bits does.</summary>
    public static uint Discardable(MemoryFamily family) =>
        family == MemoryFamily.Global ? MemoryFlags.GlobalDiscardable : MemoryFlags.LocalDiscardable;

    /// <summary>A fixed block of 0 bytes gets this size.</summary>
    public static nuint FixedBytesForZero(MemoryFamily family) => family == MemoryFamily.Global ? 1u : 0u;

    /// <summary>Whether a fixed block can be made moveable.</summary>
    public static bool FixedBecomesMoveable(MemoryFamily family) => family == MemoryFamily.Global;

    /// <summary>Whether unlocking what has no lock count, a fixed block or a handle that is not in use, counts as a success.</summary>
    public static bool UnlocksAnything(MemoryFamily family) => family == MemoryFamily.Global;

    /// <summary>The last error of Flags and Handle for an address where no memory is.</summary>
    public static uint NoMemoryThereError(MemoryFamily family) => family == MemoryFamily.Global ? Win32Error.InvalidHandle : Win32Error.NoAccess;

    /// <summary>Whether Lock sets the last error for an address where no memory is.</summary>
    public static bool LockReportsNoMemoryThere(MemoryFamily family) => family == MemoryFamily.Global;
}
