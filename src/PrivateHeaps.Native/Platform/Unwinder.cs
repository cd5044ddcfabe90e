using System.Runtime;
using System.Runtime.CompilerServices;

namespace PrivateHeaps.Platform;

/// <summary>The stacks of C programs; shim_stack.c has it. Only the native library needs it: .NET describes its stacks itself.</summary>
internal static unsafe class Unwinder
{
    /// <summary>
    /// The return addresses on the calling thread's stack, those inside this library left out, the innermost first; how many they are. Allocates nothing and
    /// takes no lock; any thread, also in a signal handler.
    /// </summary>
    [MethodImpl(MethodImplOptions.InternalCall), RuntimeImport("*", "ph_capture_stack")]
    public static extern int Capture(nuint* frames, int capacity);
}
