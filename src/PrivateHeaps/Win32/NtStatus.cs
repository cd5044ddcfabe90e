namespace PrivateHeaps.Win32;

/// <summary>The exception codes of ntstatus.h that a raising allocation reports.</summary>
internal static class NtStatus
{
    public const uint AccessViolation = 0xC0000005;
    public const uint NoMemory = 0xC0000017;
}
