using System.Runtime.InteropServices;

namespace PrivateHeaps.Malloc;

/// <summary>What the malloc family tells its caller beside the result, in a .NET process. The native library has a file of the same name and shape.</summary>
internal static unsafe class CCaller
{
    public static void SetErrno(int code) => Marshal.SetLastSystemError(code);

    public static void BadBlock(byte* function, void* block) =>
        Environment.FailFast($"{Marshal.PtrToStringUTF8((nint)function)}() was given 0x{(nuint)block:x}, which is not the start of a live block.");
}
