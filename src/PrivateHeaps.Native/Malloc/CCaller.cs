using System.Runtime;
using System.Runtime.CompilerServices;

namespace PrivateHeaps.Malloc;

/// <summary>What the malloc family tells its caller beside the result, by the C shim. The managed library has a file of the same name and shape.</summary>
internal static unsafe class CCaller
{
    /// <summary>Sets the calling thread's errno.</summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_set_errno")]
    public static extern void SetErrno(int code);
}
