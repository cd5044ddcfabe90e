using System.Runtime.CompilerServices;
using PrivateHeaps.Checks;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>
/// Blocks that are held: by a handle for as long as it has them, or by a call that is about to end them and still has something to do with them. To all who come
/// with the address a held block is no live one, so nobody else frees, resizes or holds it. The mark stands in the state byte, which a free compares, and of a
/// large block in its tag, too, by which those are claimed.
/// </summary>
internal static unsafe partial class Heap
{
    /// <summary>
    /// Holds a live block that <see cref="EnterToChange"/> has found; false when another thread has freed it meanwhile, or holds it. The tag becomes that by which the
    /// holder frees or resizes it.
    /// </summary>
    private static bool TryHold(HeapState* heap, byte* block, PageEntry* entry, byte* state, ref uint tag)
    {
        // What a checked heap frees, it frees under this lock.
        CheckState* checks = heap->Checks;
        if (checks != null)
        {
            OsLock.Enter(&checks->Lock);
        }

        bool held = PageEntry.KindOf(tag) is PageEntry.LargeKind or PageEntry.SoloKind ? TryHoldLarge(block, entry, state, tag) : BlockState.TryHold(state);
        if (checks != null)
        {
            OsLock.Leave(&checks->Lock);
        }

        tag = PageEntry.WithBias(tag, Bias.Held);
        return held;
    }

    private static bool TryHoldLarge(byte* block, PageEntry* entry, byte* state, uint tag)
    {
        bool claimed = ClaimLarge(entry, tag);
        if (claimed)
        {
            SetLarge(block, PageEntry.WithBias(tag, Bias.Held), entry->Pages, (Region*)entry->Owner, TakeSlack(state));
        }

        return claimed;
    }

    /// <summary>Frees a block that the caller holds, and tells how large it was. Inside the heap; the stack is for a heap with checks.</summary>
    private static nuint FreeHeld(ThreadState* self, HeapState* heap, ThreadCache* cache, uint flags, byte* block, uint stack)
    {
        LocateHeld(block, out PageEntry* entry, out byte* state, out uint tag);
        nuint bytes = RequestedBytes(heap, block, entry, state);
        UserValues.Remove(&heap->UserValues, block);

        if (heap->Checks != null)
        {
            GiveChecked(self, heap, cache, flags, block, stack, &bytes, isHeld: true);
        }
        else if (Gate.IsInterrupted(self, cache) && PageEntry.KindOf(tag) < SizeClass.Count)
        {
            BlockState.Kill(state);
            FreeInterrupted(heap, block, state);
        }
        else
        {
            FreeInside(heap, cache, block, entry, state, tag);
        }

        ReturnSurplus(heap, cache);
        return bytes;
    }

    /// <summary>
    /// Holds a block and forgets what is attached to it: it is this block's value then that goes, and not that of the next one at the address. The tag of a held block, or 0
    /// when another thread was faster.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static uint HoldWithoutValue(HeapState* heap, void* block, PageEntry* entry, byte* state, uint tag)
    {
        if (!TryHold(heap, (byte*)block, entry, state, ref tag))
        {
            return 0;
        }

        UserValues.Remove(&heap->UserValues, block);
        return tag;
    }

    /// <summary>Makes a block dead: that of the holder, or a live one, should nobody else be faster.</summary>
    private static bool TryEnd(byte* state, uint tag) => PageEntry.BiasOf(tag) == Bias.Held ? BlockState.Kill(state) : BlockState.TryKill(state);

    // What is known of a held block. The tag says that it is held whatever its kind, so who frees or resizes it by that does not look for a live one.
    private static void LocateHeld(void* block, out PageEntry* entry, out byte* state, out uint tag)
    {
        entry = AddressMap.EntryOf(block);
        state = AddressMap.StateOf(block);
        tag = PageEntry.WithBias(Shared.Read(&entry->Tag), Bias.Held);
    }

    /// <summary>As <see cref="Locate(HeapState*, void*, out PageEntry*, out byte*)"/>, held blocks included, for an address where a block starts or has started.</summary>
    public static bool LocateAny(HeapState* heap, void* block, out PageEntry* entry, out byte* state) =>
        Locate(heap, block, out entry, out state)
        || (entry != null && PageEntry.TagBaseOf(Shared.Read(&entry->Tag)) == heap->Regions.TagBase && BlockState.IsHeld(Shared.Read(state)));
}
