using System.Runtime.CompilerServices;
using PrivateHeaps.Checks;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>What of an allocation no magazine serves at once; see Heap.Allocate.cs.</summary>
internal static unsafe partial class Heap
{
    // A block that is borrowed is larger by one part in so many at most.
    private const uint LargestLoan = 4;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void* AllocateSlow(ThreadState* thread, nint handle, uint flags, nuint bytes, nuint alignment)
    {
        ThreadState* self = Threads.Attach(thread);
        HeapState* heap = HeapRegistry.Find(handle);
        if (heap == null)
        {
            return (void*)RefuseHandle(thread, handle, HeapCall.Allocate, flags, alignment != 0);
        }

        flags |= heap->Options & HeapFlags.Forced;
        if (heap->Checks != null)
        {
            return AllocateChecked(thread, self, handle, flags, bytes, alignment);
        }

        for (bool lastTry = false; ; lastTry = true)
        {
            if (!Gate.Enter(self, heap, handle, flags, ThreadCache.Nowhere, out ThreadCache* cache))
            {
                return (void*)Refuse(thread, HeapFailure.BadHandle);
            }

            bool isInterrupted = Gate.IsInterrupted(self, cache);
            byte* block = isInterrupted ? AllocateInterrupted(heap, flags, bytes, alignment) : AllocateInside(heap, cache, flags, bytes, alignment, lastTry);
            if ((flags & HeapFlags.SettableUserValue) != 0)
            {
                block = MakeSettable(heap, cache, block, flags);
            }

            Gate.Leave(heap, cache);

            // What is interrupted has half-changed magazines, which cannot be collected.
            if (block != null || lastTry || isInterrupted || !Reclaim(self, heap, handle, bytes))
            {
                return AnswerAllocation(thread, heap, block, bytes);
            }
        }
    }

    // Counts the block, or that there was no memory for one, and says so.
    private static void* AnswerAllocation(ThreadState* thread, HeapState* heap, byte* block, nuint bytes)
    {
        if (block == null)
        {
            if (heap->IsCounted)
            {
                Counting.Failed();
            }

            return (void*)Refuse(thread, HeapFailure.NoMemory);
        }

        if (heap->IsCounted)
        {
            Counting.Allocated(heap, bytes);
        }

        return block;
    }

    private static byte* AllocateInside(HeapState* heap, ThreadCache* cache, uint flags, nuint bytes, nuint alignment, bool lastTry)
    {
        byte* block;
        bool zero = (flags & HeapFlags.ZeroMemory) != 0;
        if (heap->IsFitted)
        {
            block = AllocateFitted(heap, cache, bytes, alignment);
        }
        else
        {
            bool isSmall = bytes <= (zero ? SizeClass.LargestBoundedBytes : HeapState.LargestSlabBytes(heap))
                && alignment <= Units.PageBytes
                && (flags & HeapFlags.SettableUserValue) == 0;

            // A block that grows gets a page run, behind which it can grow on; one of a slab only if there is none.
            if (!isSmall || (flags & HeapFlags.Grows) != 0)
            {
                block = AllocateLarge(&heap->Regions, bytes, alignment, flags);
                if (block != null || !isSmall)
                {
                    return block;
                }
            }

            block = AllocateSmall(heap, cache, bytes, alignment, lastTry);
        }

        if (zero && block != null)
        {
            Os.Clear(block, bytes);
        }

        return block;
    }

    private static byte* AllocateFitted(HeapState* heap, ThreadCache* cache, nuint bytes, nuint alignment)
    {
        if (cache != null && bytes <= SizeClass.TableBytes && alignment <= Units.GranuleBytes)
        {
            Magazine* magazine = ThreadCache.MagazineOf(cache, SizeClass.OfTable(bytes));
            if (magazine->Top != magazine->Base)
            {
                Round* top = --magazine->Top;
                BlockState.SetLive(top->State, magazine->BlockBytesPlusOne - 1 - bytes);
                return top->Block;
            }
        }

        return FittedHeap.Allocate(&heap->Fitted, &heap->Regions, bytes, alignment);
    }

    private static byte* AllocateSmall(HeapState* heap, ThreadCache* cache, nuint bytes, nuint alignment, bool lastTry)
    {
        uint index = alignment <= Units.GranuleBytes ? SizeClass.Of(bytes) : SizeClass.OfAligned(bytes, alignment);
        byte* block = HeapState.HasBin(heap, index) ? TakeSmall(heap, cache, index) : null;

        // The last resort of a full heap: a block of a larger class, should one have any left.
        while (block == null && lastTry && ++index < HeapState.BinCount(heap))
        {
            if (alignment <= Units.GranuleBytes || (SizeClass.BlockBytes(index) & (alignment - 1)) == 0)
            {
                block = TakeSmall(heap, cache, index);
            }
        }

        if (block != null)
        {
            BlockState.SetLive(AddressMap.StateOf(block), SizeClass.BlockBytes(index) - bytes);
        }

        return block;
    }

    private static byte* TakeSmall(HeapState* heap, ThreadCache* cache, uint index)
    {
        Bin* bin = HeapState.BinOf(heap, index);
        Magazine* magazine = cache == null ? null : ThreadCache.MagazineOf(cache, index);
        byte* block;
        if (magazine != null && (magazine->Top != magazine->Base || Magazine.Refill(magazine, bin, &heap->Depots, &heap->Regions, index, ThreadCache.BiasOf(cache))))
        {
            block = (--magazine->Top)->Block;
        }
        else
        {
            OsLock.Enter(&bin->Lock);
            block = Bin.TakeOne(bin, &heap->Regions, index);
            OsLock.Leave(&bin->Lock);
        }

        if (Shared.Read(&heap->HasLeft) && cache != null)
        {
            GiveLeft(heap);
        }

        ReapIfGrown(heap, cache);
        return block;
    }

    /// <summary>
    /// The class to take a block of the given one from: itself, or when all its blocks are in use a class of blocks a quarter larger at most that has a free one. Else a heap
    /// with a few blocks of each size would have memory for the most that there ever were of each. A class that borrows often gets blocks of its own after all, since to
    /// borrow takes three times as long.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static uint LenderOf(HeapState* heap, ThreadCache* cache, uint index)
    {
        if (!HeapState.HasBin(heap, index) || HasFree(heap, cache, index))
        {
            return index;
        }

        Bin* bin = HeapState.BinOf(heap, index);
        nuint most = SizeClass.BlockBytes(index) + SizeClass.BlockBytes(index) / LargestLoan;
        for (uint lender = index + 1; Bin.MayBorrow(bin) && HeapState.HasBin(heap, lender) && SizeClass.BlockBytes(lender) <= most; lender++)
        {
            if (HasFree(heap, cache, lender))
            {
                Bin.NoteBorrowed(bin);
                return lender;
            }
        }

        Bin.EndBorrowing(bin);
        return index;
    }

    // Whether the class seems to have a free block: others may take it meanwhile, and then one is made.
    private static bool HasFree(HeapState* heap, ThreadCache* cache, uint index)
    {
        Magazine* magazine = ThreadCache.MagazineOf(cache, index);
        return magazine->Top != magazine->Base || (magazine->Spare != null && magazine->Spare->Count != 0) || !Bin.IsEmpty(HeapState.BinOf(heap, index));
    }
}
