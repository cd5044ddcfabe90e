namespace PrivateHeaps.Win32;

/// <summary>The last-error codes of winerror.h that the heap functions set.</summary>
internal static class Win32Error
{
    public const uint NoError = 0;
    public const uint InvalidHandle = 6;
    public const uint NotEnoughMemory = 8;
    public const uint BadLength = 24;
    public const uint GenFailure = 31;
    public const uint InvalidParameter = 87;
    public const uint InsufficientBuffer = 122;
    public const uint Discarded = 157;
    public const uint NotLocked = 158;
    public const uint NoMoreItems = 259;
    public const uint InvalidAddress = 487;
    public const uint NoAccess = 998;
    public const uint AlreadyInitialized = 1247;
    public const uint NoSystemResources = 1450;
}
