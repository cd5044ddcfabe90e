using System.Runtime.CompilerServices;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>
/// Calls of a signal handler that has interrupted its own thread inside the heap, perhaps while that held the lock of a bin or of the regions. So they
/// wait for no lock if they can help it: they take what another bin has, and leave what they free to the next call that may wait.
/// </summary>
internal static unsafe partial class Heap
{
    /// <summary>A block from a bin that has one of the class or of a larger one, and is not locked; null when there is none.</summary>
    private static byte* AllocateInterrupted(HeapState* heap, uint flags, nuint bytes, nuint alignment)
    {
        uint first = bytes <= SizeClass.LargestBytes && alignment <= Units.GranuleBytes ? SizeClass.Of(bytes) : SizeClass.Count;
        for (uint index = first; index < HeapState.BinCount(heap); index++)
        {
            Bin* bin = HeapState.BinOf(heap, index);
            if ((bin->FreeCount == 0 && bin->Depot == null) || !OsLock.EnterSoon(&bin->Lock))
            {
                continue;
            }

            byte* block = bin->FreeCount != 0 || bin->Depot != null ? Bin.TakeOne(bin, &heap->Regions, index) : null;
            OsLock.Leave(&bin->Lock);
            if (block != null && *AddressMap.StateOf(block) == BlockState.Dead)
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

    /// <summary>Leaves a live block of a slab to the next call that may wait; gives it back now when there is no room for it.</summary>
    private static void FreeInterrupted(HeapState* heap, byte* block, byte* state)
    {
        nint* left = (nint*)&heap->Left;
        for (int place = 0; place < HeapState.LeftBlocks; place++)
        {
            // Partner: GiveLeft.
            if (left[place] == 0 && Shared.CompareExchange(&left[place], (nint)block, 0) == 0)
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
        heap->HasLeft = false;
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
