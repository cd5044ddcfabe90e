using System.Runtime.InteropServices;

namespace PrivateHeaps.Malloc;

/// <summary>What the malloc family tells its caller beside the result, in a .NET process. The native library has a file of the same name and shape.</summary>
internal static unsafe class CCaller
{
    public static void SetErrno(int code) => Marshal.SetLastSystemError(code);
}
