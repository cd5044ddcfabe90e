using System.Runtime.CompilerServices;
using PrivateHeaps.Checks;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>
/// One heap. The structure belongs to its slot of the registry for the life of the process: a thread that comes with a stale handle finds a
/// heap with another handle, never something else. The words of the gate outlive the heaps that pass through the slot; all else is new each time.
/// </summary>
internal unsafe struct HeapState
{
    public const int NameBytes = 32;
    public const int LeftBlocks = 32;

    /// <summary>The front end of a heap with caches, by the number that Windows has for its own.</summary>
    public const uint LowFragmentation = 2;

    // The gate. Partners: ThreadCache.Busy, OpenTag and Offsets; see Gate.

    /// <summary>The handle while the heap lives, else 0. Written while the heap stands still; read by everybody.</summary>
    public nint Handle;

    /// <summary>Bits of <see cref="Gate"/>; 0 lets everybody in.</summary>
    public int Gate;

    /// <summary>Threads inside without a cache, and exclusive operations under way.</summary>
    public int Visitors;

    /// <summary>Threads that found the gate closed and have not come in since.</summary>
    public int Waiting;

    /// <summary>How often the gate was closed since those who waited were last let in. Written by the holder of the exclusion.</summary>
    public int Overtaken;

    /// <summary>Held by the thread for which the heap stands still.</summary>
    public OsLock ExclusionLock;
    public ThreadState* ExclusionOwner;
    public uint ExclusionDepth;

    /// <summary>How many of ExclusionDepth the program asked for by HeapLock. Written by the owner.</summary>
    public uint LockDepth;

    /// <summary>Guards Caches.</summary>
    public OsLock CacheLock;

    /// <summary>The caches of all threads for this heap.</summary>
    public ThreadCache* Caches;

    /// <summary>The caches by their numbers, which are set in UsedNumbers; see Bias. Written under CacheLock.</summary>
    public NumberedCaches CacheOfNumber;
    public uint UsedNumbers;

    /// <summary>The one cache of all threads for heaps without serialization in this slot; made for the first such heap and then kept.</summary>
    public ThreadCache* SharedCache;

    // The slot, for the life of the process. The list is that of the registry, in order of creation, or of its free slots; under the registry lock.

    public uint Slot;
    public nuint Generation;
    public HeapState* NextHeap;
    public HeapState* PreviousHeap;

    /// <summary>The bins of the classes above the table's; empty while the slot has no heap.</summary>
    public Bin* LargeBins;

    // Fixed at creation. From Options on everything is zeroed for a new heap.

    public uint Options;
    public nuint MaximumBytes;
    public bool IsFitted;
    public bool IsCounted;

    /// <summary>How often all blocks were dropped. Written while the heap stands still; who is inside twice in one call compares it.</summary>
    public nuint ClearCount;

    /// <summary>Whether Left may hold something.</summary>
    public bool HasLeft;

    // What changes as it is used.

    /// <summary>0, or <see cref="LowFragmentation"/> since a growable heap was used a little, or that was asked for.</summary>
    public uint FrontEnd;

    /// <summary>When the heap has taken so many fresh pages, idle depots are looked for. Approximate.</summary>
    public nuint ReapAtPages;

    /// <summary>Calls that were served without a cache, since a heap that is hardly used gets none. Approximate, and counted for the first few.</summary>
    public uint FirstCalls;

    /// <summary>What the processors keep of full magazines; null until a bin is much contended.</summary>
    public Depots* Depots;
    public RegionSet Regions;
    public FittedHeap Fitted;
    public UserValues UserValues;
    public HeapName Name;

    /// <summary>Dead blocks that a call could not give back. Interlocked; see Heap.Interrupted.</summary>
    public LeftAddresses Left;

    /// <summary>Null for a heap without checks, which looks at nothing else of them. For the life of the heap, but the process heap's may come later.</summary>
    public CheckState* Checks;

    /// <summary>Caches stay closed, so that every call takes the slow path, which counts or checks it or adds the forced flags.</summary>
    public readonly bool IsSlow => IsCounted || IsChecked || (Options & HeapFlags.Forced) != 0;

    /// <summary>Every call looks after blocks; false for a heap that only samples, too.</summary>
    public readonly bool IsChecked => Checks != null && Checks->ClosesCaches;

    public readonly bool IsSerialized => (Options & HeapFlags.NoSerialize) == 0;

    /// <summary>All threads use SharedCache.</summary>
    public readonly bool SharesCache => !IsSerialized;

    public readonly bool IsBounded => MaximumBytes != 0;

    /// <summary>The bin of a size class below BinCount. Those of the table's classes lie behind the structure.</summary>
    public static Bin* BinOf(HeapState* heap, uint index) =>
        index < SizeClass.TableCount ? (Bin*)(heap + 1) + index : heap->LargeBins + (index - SizeClass.TableCount);

    /// <summary>How many bins there are: none in a fitted heap, and those of blocks above 1 KiB only since the first such block.</summary>
    public static uint BinCount(HeapState* heap) =>
        heap->IsFitted ? 0 : Shared.Read((nint*)&heap->LargeBins) == 0 ? SizeClass.TableCount : (uint)SizeClass.Count;

    /// <summary>The largest size that comes from slabs; a fitted heap has none.</summary>
    public static nuint LargestSlabBytes(HeapState* heap) => heap->IsBounded ? SizeClass.LargestBoundedBytes : SizeClass.LargestBytes;

    /// <summary>Makes the bin of a class if need be; false when the heap has none for it or there is no memory.</summary>
    public static bool HasBin(HeapState* heap, uint index) =>
        index < BinCount(heap) ? index < SizeClass.TableCount || SizeClass.BlockBytes(index) <= LargestSlabBytes(heap)
        : !heap->IsFitted && SizeClass.BlockBytes(index) <= LargestSlabBytes(heap) && AddLargeBins(heap);

    /// <summary>Drops all depots and leaves the bins empty, as those of a slot without a heap are. The slabs are the caller's.</summary>
    public static void DropBins(HeapState* heap)
    {
        DropBins((Bin*)(heap + 1), SizeClass.TableCount);
        if (heap->LargeBins != null)
        {
            DropBins(heap->LargeBins, SizeClass.Count - SizeClass.TableCount);
        }
    }

    // Hardly any bin has a depot, and to clear all of them at once is cheaper than to look which were used.
    private static void DropBins(Bin* bins, uint count)
    {
        for (Bin* bin = bins; bin < bins + count; bin++)
        {
            if (((nuint)bin->Depot | (nuint)bin->Empties) != 0)
            {
                Rounds.DropAll(bin->Depot);
                Rounds.DropAll(bin->Empties);
            }
        }

        Os.Clear(bins, count * (nuint)sizeof(Bin));
    }

    private static nuint LargeBinsBytes => (SizeClass.Count - SizeClass.TableCount) * (nuint)sizeof(Bin);

    private static bool AddLargeBins(HeapState* heap)
    {
        Bin* bins = (Bin*)Metadata.Take(LargeBinsBytes);
        if (bins != null && Shared.CompareExchange((nint*)&heap->LargeBins, (nint)bins, 0) != 0)
        {
            // Another thread was first.
            Metadata.Give(bins, LargeBinsBytes);
        }

        return heap->LargeBins != null;
    }

    public static nuint StructureBytes => (nuint)sizeof(HeapState) + SizeClass.TableCount * (nuint)sizeof(Bin);

    [InlineArray((int)Bias.LastNumber + 1)]
    public struct NumberedCaches
    {
        private nint _first;
    }

    [InlineArray(LeftBlocks)]
    public struct LeftAddresses
    {
        private nint _first;
    }

    [InlineArray(NameBytes)]
    public struct HeapName
    {
        private byte _first;
    }
}
