using System.Runtime.InteropServices;

namespace PrivateHeaps.Platform;

/// <summary>What the engine asks of the process around it, answered by .NET. The native library has a file of the same name and shape.</summary>
internal static unsafe class Host
{
    /// <summary>Sets the calling thread's last error, as <see cref="Marshal.GetLastPInvokeError"/> reports it.</summary>
    public static void SetLastError(uint code) => Marshal.SetLastPInvokeError((int)code);

    /// <summary>Never needed here: CurrentThread gives every thread its state before its first call.</summary>
    public static void SetThread(void* thread)
    {
    }

    /// <summary>A .NET thread that runs has not ended.</summary>
    public static int ThreadEnded() => 0;
}
