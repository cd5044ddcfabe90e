using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>
/// The lock of the tables that a face keeps beside the heaps, such as reserved addresses. It lies in this layer because a fork must hold
/// it, and <see cref="Fork"/> cannot name what is above. Under it no heap is entered and only metadata is taken, so any lock of the engine but
/// that one may be held by who enters it.
/// </summary>
internal static unsafe class FaceLock
{
    private static OsLock* s_lock;

    public static bool Initialize()
    {
        s_lock = s_lock != null ? s_lock : (OsLock*)Metadata.Take((nuint)sizeof(OsLock));
        return s_lock != null;
    }

    public static void Enter() => OsLock.Enter(s_lock);

    public static void Leave() => OsLock.Leave(s_lock);
}
