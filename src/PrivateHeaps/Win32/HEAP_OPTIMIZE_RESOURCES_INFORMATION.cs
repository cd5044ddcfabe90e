using System.Runtime.InteropServices;

namespace PrivateHeaps.Win32;

/// <summary>The buffer of <see cref="HEAP_INFORMATION_CLASS.HeapOptimizeResources"/>: 8 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct HEAP_OPTIMIZE_RESOURCES_INFORMATION
{
    /// <summary>Must be HEAP_OPTIMIZE_RESOURCES_CURRENT_VERSION, which is 1.</summary>
    public uint Version;

    /// <summary>Must be 0.</summary>
    public uint Flags;
}
