namespace PrivateHeaps.Win32;

/// <summary>The statuses of ntstatus.h that the Rtl functions return and a raising allocation raises, and the last errors that Windows makes of them.</summary>
internal static class NtStatus
{
    public const uint Success = 0;
    public const uint NoMoreEntries = 0x8000001A;
    public const uint Unsuccessful = 0xC0000001;
    public const uint InvalidInfoClass = 0xC0000003;
    public const uint AccessViolation = 0xC0000005;
    public const uint InvalidHandle = 0xC0000008;
    public const uint InvalidParameter = 0xC000000D;
    public const uint NoMemory = 0xC0000017;
    public const uint BufferTooSmall = 0xC0000023;

    public static uint ToError(uint status) => status switch
    {
        Success => Win32Error.NoError,
        NoMoreEntries => Win32Error.NoMoreItems,
        Unsuccessful => Win32Error.GenFailure,
        AccessViolation => Win32Error.NoAccess,
        InvalidHandle => Win32Error.InvalidHandle,
        NoMemory => Win32Error.NotEnoughMemory,
        BufferTooSmall => Win32Error.InsufficientBuffer,
        _ => Win32Error.InvalidParameter,
    };
}
