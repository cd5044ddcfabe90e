namespace PrivateHeaps.Win32;

/// <summary>For faces whose functions exist on Linux so far.</summary>
internal static class LinuxOnly
{
    /// <exception cref="PlatformNotSupportedException">The system is not Linux.</exception>
    public static void Require()
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException("This function runs on Linux so far; on Windows, kernel32 has one of the same name.");
        }
    }
}
