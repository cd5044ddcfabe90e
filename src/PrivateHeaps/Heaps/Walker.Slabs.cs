using System.Runtime.CompilerServices;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>
/// The step from block to block in slabs, which nearly all steps of a walk are: the page entry leads to the slab and so to the region, without a
/// search, and of the entry only what differs from block to block is written. 9 ns a step in place of 60. What is refused here, <see cref="Next"/> decides.
/// </summary>
internal static unsafe partial class Walker
{
    /// <summary>
    /// As <see cref="Next"/> in a heap that stands still for the calling thread, but perhaps not for calls with HEAP_NO_SERIALIZE: only steps whose
    /// structures are slabs, or stay as long as the heap. False for all others.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool NextStill(HeapState* heap, WalkEntry* entry)
    {
        Slab* slab = SlabUnder(heap, entry, out _);
        if (slab == null)
        {
            // A fitted heap has one region and its bitmap, and nothing else.
            return heap->IsFitted && Next(heap, entry) == HeapFailure.None;
        }

        uint slot = Slab.SlotOf(slab, (nuint)entry->Address) + 1;
        if (slot >= slab->SlotCount)
        {
            slab = SlabAt(heap, slab->Base + slab->Bytes, out _);
            slot = 0;
        }

        return slab != null && DescribeSlot(slab, slot, entry, true);
    }

    /// <summary>From a block to the next one of the same slab while other threads use the heap, which the caller has entered; false in every other case.</summary>
    public static bool NextInBin(HeapState* heap, WalkEntry* entry)
    {
        if (SlabUnder(heap, entry, out uint index) == null)
        {
            return false;
        }

        // Under the lock no slab of the class comes or goes. Its blocks do, but whether one is live is one byte.
        OsLock* gate = &HeapState.BinOf(heap, index)->Lock;
        OsLock.Enter(gate);
        Slab* slab = SlabUnder(heap, entry, out uint indexNow);
        bool found = false;
        if (slab != null && indexNow == index)
        {
            uint slot = Slab.SlotOf(slab, (nuint)entry->Address) + 1;
            found = slot < slab->SlotCount && DescribeSlot(slab, slot, entry, false);
        }

        OsLock.Leave(gate);
        return found;
    }

    // As SlabAt, for an entry that is a block.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Slab* SlabUnder(HeapState* heap, WalkEntry* entry, out uint index)
    {
        index = 0;
        return entry->Kind is WalkKind.BusyBlock or WalkKind.FreeBlock ? SlabAt(heap, entry->Address, out index) : null;
    }

    // The slab of this heap that the address lies in, and its class; null when there is none.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Slab* SlabAt(HeapState* heap, byte* address, out uint index)
    {
        index = 0;
        byte* window = AddressMap.WindowOf((nuint)address);
        if (window == null)
        {
            return null;
        }

        PageEntry* page = AddressMap.EntryIn(window, (nuint)address);
        index = (Shared.Read(&page->Tag) & PageEntry.UnbiasedMask) - heap->Regions.TagBase;
        return index < SizeClass.Count ? (Slab*)page->Owner : null;
    }

    // The entry was a block's and stays one, so what only regions have is not written. False when others may be changing a slack of several bytes.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool DescribeSlot(Slab* slab, uint slot, WalkEntry* entry, bool still)
    {
        byte* block = slab->Base + (nuint)slot * slab->BlockBytes;
        byte* state = Slab.StateOf(slab, block);
        byte seen = Shared.Read(state);
        bool busy = BlockState.IsBlock(seen);
        byte first = (byte)(seen & ~BlockState.Held);
        bool isLong = !BlockState.IsShort(first) && first != BlockState.Dead;
        if (isLong && !still)
        {
            return false;
        }

        nuint slack = !busy ? 0 : isLong ? BlockState.Slack(state) : (nuint)first - 1;
        entry->Kind = busy ? WalkKind.BusyBlock : WalkKind.FreeBlock;
        entry->RegionIndex = slab->Region->Index;
        entry->Address = block;
        entry->Bytes = slab->BlockBytes - slack;
        entry->OverheadBytes = slack;
        return true;
    }
}
