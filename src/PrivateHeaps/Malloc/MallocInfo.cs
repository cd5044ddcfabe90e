using System.Runtime.InteropServices;

namespace PrivateHeaps.Malloc;

/// <summary>struct mallinfo2 of malloc.h: ten words, of which those that describe how glibc works inside stay 0. Sizes are bytes.</summary>
[StructLayout(LayoutKind.Explicit, Size = 80)]
internal struct MallocInfo
{
    /// <summary>arena: committed for the process heap.</summary>
    [FieldOffset(0)] public nuint CommittedBytes;

    /// <summary>uordblks: the requested bytes of the live blocks.</summary>
    [FieldOffset(56)] public nuint AllocatedBytes;

    /// <summary>fordblks: committed and not requested.</summary>
    [FieldOffset(64)] public nuint FreeBytes;

    /// <summary>keepcost: what malloc_trim could give back at most.</summary>
    [FieldOffset(72)] public nuint TrimmableBytes;
}
