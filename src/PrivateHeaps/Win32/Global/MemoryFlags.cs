namespace PrivateHeaps.Win32;

/// <summary>The flags of the Global and Local functions, as winbase.h has them, as far as they have an effect.</summary>
internal static class MemoryFlags
{
    public const uint Moveable = 0x0002;
    public const uint ZeroInit = 0x0040;
    public const uint Modify = 0x0080;
    public const uint GlobalDiscardable = 0x0100;
    public const uint LocalDiscardable = 0x0F00;
    public const uint DdeShare = 0x2000;

    /// <summary>All that an allocation may have.</summary>
    public const uint GlobalValid = 0x7F72;
    public const uint LocalValid = 0x0F72;

    /// <summary>In the result of Flags: there is no block.</summary>
    public const uint Discarded = 0x4000;

    /// <summary>The result of Flags when there is nothing to tell about.</summary>
    public const uint InvalidHandle = 0x8000;
}
