using System.Runtime.CompilerServices;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>
/// Calls of a signal handler that has interrupted its own thread inside the heap, perhaps while that held the lock of a bin, of the regions or of what lies
/// below. So they wait for no lock before they have seen that it is not this thread that holds it: they take what a bin has, and leave what
/// they free to the next call that may wait. An allocation for which that does not do is refused.
/// </summary>
internal static unsafe partial class Heap
{
    private static byte* AllocateInterrupted(HeapState* heap, uint flags, nuint bytes, nuint alignment)
    {
        byte* block = null;
        bool isSmall = bytes <= SizeClass.LargestBytes && alignment <= Units.GranuleBytes && !heap->IsFitted && (flags & HeapFlags.SettableUserValue) == 0;
        if (isSmall)
        {
            block = TakeInterrupted(heap, flags, bytes, mayGrow: false);
        }

        // Nobody can take these locks in this thread's name now: who is not seen to hold them does not.
        if (block == null && MayWait(heap))
        {
            block = isSmall ? TakeInterrupted(heap, flags, bytes, mayGrow: true) : null;
            block = block != null ? block : AllocateInside(heap, null, flags | HeapFlags.SettableUserValue, bytes, alignment, lastTry: true);
        }

        return block;
    }

    /// <summary>A block from a bin that is not locked, of the class or of a larger one; null when there is none.</summary>
    private static byte* TakeInterrupted(HeapState* heap, uint flags, nuint bytes, bool mayGrow)
    {
        for (uint index = SizeClass.Of(bytes); index < HeapState.BinCount(heap) && SizeClass.BlockBytes(index) <= HeapState.LargestSlabBytes(heap); index++)
        {
            Bin* bin = HeapState.BinOf(heap, index);
            if ((Bin.IsEmpty(bin) && !mayGrow) || !OsLock.EnterSoon(&bin->Lock))
            {
                continue;
            }

            byte* block = mayGrow ? Bin.TakeOne(bin, &heap->Regions, index) : Bin.TakeWithoutLocks(bin, &heap->Regions);
            OsLock.Leave(&bin->Lock);
            if (block != null && Shared.Read(AddressMap.StateOf(block)) == BlockState.Dead)
            {
                BlockState.SetLive(AddressMap.StateOf(block), SizeClass.BlockBytes(index) - bytes);
                if ((flags & HeapFlags.ZeroMemory) != 0)
                {
                    Os.Clear(block, bytes);
                }

                return block;
            }
        }

        return null;
    }

    /// <summary>Whether the calling thread was interrupted where it held none of the locks that come after those of the bins.</summary>
    private static bool MayWait(HeapState* heap) =>
        OsLock.MayWait(&heap->Regions.Lock) && Arena.MayWait() && AddressMap.MayWait() && Metadata.MayWait();

    /// <summary>Whether the interrupted call is one with this very block: it may be freeing it and have seen that it is live, so that who frees or resizes it now, too, has lost.</summary>
    private static bool IsInHand(ThreadState* self, HeapState* heap, void* block) => Shared.Read(&self->Table[heap->Slot]->Busy) == (nuint)block;

    /// <summary>Gives a dead block of a slab back if that is possible without a lock that this thread may hold, and else leaves it to the next call that may wait.</summary>
    private static void FreeInterrupted(HeapState* heap, byte* block, byte* state)
    {
        Bin* bin = HeapState.BinOf(heap, AddressMap.EntryOf(block)->Kind);
        if (MayWait(heap) && OsLock.EnterSoon(&bin->Lock))
        {
            Round round = new() { Block = block, State = state };
            Bin.Give(bin, &heap->Regions, &round, 1, Bias.None);
            OsLock.Leave(&bin->Lock);
            return;
        }

        nint* left = (nint*)&heap->Left;
        for (int place = 0; place < HeapState.LeftBlocks; place++)
        {
            // Partner: GiveLeft.
            if (Shared.Read(&left[place]) == 0 && Shared.CompareExchange(&left[place], (nint)block, 0) == 0)
            {
                Shared.Write(&heap->HasLeft, true);
                return;
            }
        }

        GiveSmall(heap, null, AddressMap.EntryOf(block)->Kind, block, state);
    }

    /// <summary>Gives back what interrupted calls have left. The caller is inside the heap and holds no lock.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GiveLeft(HeapState* heap)
    {
        Shared.Write(&heap->HasLeft, false);
        nint* left = (nint*)&heap->Left;
        for (int place = 0; place < HeapState.LeftBlocks; place++)
        {
            byte* block = (byte*)Shared.Exchange(&left[place], 0);
            if (block != null)
            {
                GiveSmall(heap, null, AddressMap.EntryOf(block)->Kind, block, AddressMap.StateOf(block));
            }
        }
    }
}
