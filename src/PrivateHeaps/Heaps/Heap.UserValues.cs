using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>Blocks to which the program attaches a value and flags of its own.</summary>
internal static unsafe partial class Heap
{
    /// <summary>As <see cref="Allocate"/>, a block that something can be attached to; it has the flags of the call and the value null.</summary>
    public static void* AllocateSettable(ThreadState* thread, nint handle, uint flags, nuint bytes) =>
        AllocateSlow(thread, handle, flags | HeapFlags.SettableUserValue, bytes, 0);

    /// <summary>Reads what is attached to a live block, or attaches something; false with BadBlock, BadHandle, or BadParameter when the block takes nothing.</summary>
    public static bool AccessUserInfo(ThreadState* thread, nint handle, uint flags, void* block, UserInfo* info, bool write)
    {
        ThreadState* self = Threads.Attach(thread);
        HeapState* heap = HeapRegistry.Find(handle);
        if (heap == null || !Gate.Enter(self, heap, handle, flags, ThreadCache.Anywhere, out ThreadCache* cache))
        {
            return Refuse(thread, HeapFailure.BadHandle) != 0;
        }

        HeapFailure failure = HeapFailure.BadBlock;
        if (Locate(heap, block, out _, out _))
        {
            failure = HeapFailure.None;
            if (!write)
            {
                *info = UserValues.Get(&heap->UserValues, block);
            }
            else if (!UserValues.Change(&heap->UserValues, block, info->Flags, info->Value))
            {
                failure = HeapFailure.BadParameter;
            }
        }

        Gate.Leave(heap, cache);
        return failure == HeapFailure.None || Refuse(thread, failure) != 0;
    }

    // For a block that was just allocated; a block that cannot be listed is given back.
    private static byte* MakeSettable(HeapState* heap, ThreadCache* cache, byte* block, uint flags)
    {
        if (block == null || UserValues.Set(&heap->UserValues, block, flags & HeapFlags.UserFlags, null))
        {
            return block;
        }

        Locate(heap, block, out PageEntry* entry, out byte* state, out uint tag);
        FreeInside(heap, cache, block, entry, state, tag);
        return null;
    }
}
