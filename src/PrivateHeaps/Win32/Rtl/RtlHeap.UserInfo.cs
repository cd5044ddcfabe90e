using PrivateHeaps.Heaps;
using PrivateHeaps.Platform;
using ThreadState = PrivateHeaps.Heaps.ThreadState;

namespace PrivateHeaps.Win32;

/// <summary>
/// Blocks, and what a program attaches to them: a block that was allocated with 0x100 takes a value, and that or 0x200, 0x400, 0x800 makes it
/// take flags. They stay with the block when it is resized, but flags are replaced when it grows.
/// </summary>
internal static unsafe partial class RtlHeap
{
    private const uint Attachable = HeapFlags.SettableUserValue | HeapFlags.UserFlags;

    /// <summary>As HeapAlloc; with any of 0xF00 in the flags something can be attached to the block.</summary>
    public static void* Allocate(ThreadState* thread, nint heap, uint flags, nuint bytes) => (flags & Attachable) == 0
        ? Win32Heap.HeapAlloc(thread, heap, flags, bytes)
        : Win32Heap.AllocSettable(thread, heap, flags, bytes);

    /// <summary>As HeapReAlloc; a block with flags that grows has those of this call afterwards.</summary>
    public static void* Reallocate(ThreadState* thread, nint heap, uint flags, void* block, nuint bytes)
    {
        UserInfo info = default;
        bool attached = Heap.AccessUserInfo(thread, heap, flags, block, &info, write: false) && info.IsSettable;
        bool grows = attached && bytes > Heap.Size(thread, heap, flags, block);
        void* resized = Win32Heap.HeapReAlloc(thread, heap, flags, block, bytes);
        if (resized != null && grows)
        {
            info.Flags = flags & HeapFlags.UserFlags;
            Heap.AccessUserInfo(thread, heap, flags, resized, &info, write: true);
        }

        return resized;
    }

    /// <summary>Tells what is attached to a live block, null and 0 where nothing can be. False with last error 87 for an address that is no block.</summary>
    public static byte GetUserInfo(ThreadState* thread, nint heap, uint flags, void* block, void** value, uint* userFlags)
    {
        UserInfo info = default;
        if (!Heap.AccessUserInfo(thread, heap, flags, block, &info, write: false))
        {
            return Refuse();
        }

        if (value != null)
        {
            *value = info.Value;
        }

        if (userFlags != null)
        {
            *userFlags = info.Flags;
        }

        return True;
    }

    /// <summary>Attaches a value; false with last error 87 for a block that takes none.</summary>
    public static byte SetUserValue(ThreadState* thread, nint heap, uint flags, void* block, void* value)
    {
        UserInfo info = default;
        bool found = Heap.AccessUserInfo(thread, heap, flags, block, &info, write: false);
        info.Value = value;
        return found && Heap.AccessUserInfo(thread, heap, flags, block, &info, write: true) ? True : Refuse();
    }

    /// <summary>Clears and sets flags, of 0xE00 only; false with last error 87 for others, and for a block that takes none.</summary>
    public static byte SetUserFlags(ThreadState* thread, nint heap, uint flags, void* block, uint reset, uint set)
    {
        UserInfo info = default;
        bool allowed = ((reset | set) & ~HeapFlags.UserFlags) == 0 && Heap.AccessUserInfo(thread, heap, flags, block, &info, write: false);
        if (!allowed)
        {
            return Refuse();
        }

        info.Flags = (info.Flags & ~reset) | set;
        return Heap.AccessUserInfo(thread, heap, flags, block, &info, write: true) ? True : Refuse();
    }

    /// <summary>BOOLEAN values have one byte.</summary>
    private const byte True = 1;

    private static byte Refuse()
    {
        Host.SetLastError(Win32Error.InvalidParameter);
        return 0;
    }
}
