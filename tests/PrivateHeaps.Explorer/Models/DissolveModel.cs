using PrivateHeaps.Heaps;
using PrivateHeaps.Slabs;

namespace PrivateHeaps.Explorer.Models;

/// <summary>Whose the slab is that goes.</summary>
internal enum SlabBias
{
    /// <summary>It is common.</summary>
    Nobodys,

    /// <summary>It is biased to the thread that frees its last block.</summary>
    Ours,

    /// <summary>It is biased to another thread, which has freed its last block before and does so again.</summary>
    Theirs,
}

/// <summary>
/// A thread frees the block with which a slab goes, and allocates where it lay, while others free a block of that slab, too: threads that have looked at page and state
/// when it was one, and come to change the state when the memory is another's. As many frees succeed as there were blocks, and what is hit by one is freed
/// whole.
/// </summary>
internal sealed unsafe class DissolveModel(
    string name, int threads, SlabBias bias, nuint blockBytes, nuint laterBytes, bool freesLater = false, bool haveCaches = true) : Model(name, threads)
{
    /// <summary>Sizes of which a slab has one block: with a state among the others, and with one in its page entry.</summary>
    public const nuint SmallBytes = 3584, LargeBytes = SizeClass.LargestBytes;

    // As many free slabs the bin keeps.
    private readonly uint _others = SizeClass.PagesOfBlock(SizeClass.Of(blockBytes)) == 0 ? 2u : 1u;

    private nint _heap;

    private static nint* Last => Notes;

    private static nint* Block => Notes + 1;

    private static nint* Later => Notes + 2;

    private static nint* Frees => Notes + 3;

    public override void Prepare()
    {
        base.Prepare();
        const nuint initialBytes = 4 * 1024 * 1024;
        _heap = haveCaches ? MakeHeap(initialBytes) : MakeHeapWithoutCaches(initialBytes);
        HeapState* heap = HeapRegistry.Find(_heap);
        int maker = bias == SlabBias.Theirs ? 1 : 0;
        Finding.Unless(HeapState.HasBin(heap, SizeClass.Of(blockBytes)), "the bin is made");
        Bin* bin = HeapState.BinOf(heap, SizeClass.Of(blockBytes));
        byte* first = AllocateAlone(maker, bin);
        bin->Sharing = bias == SlabBias.Nobodys ? byte.MaxValue : (byte)0;
        byte* second = _others == 2 ? AllocateAlone(maker, bin) : null;
        byte* third = bias == SlabBias.Theirs ? AllocateAlone(maker, bin) : null;
        *Last = (nint)AllocateAlone(0, bin);
        if (freesLater)
        {
            // These stay, and only count as free, so that a slab that comes back serves the next call.
            bin->FreeCount += _others;
        }
        else
        {
            Finding.Unless(Free(maker, _heap, first) && (second == null || Free(maker, _heap, second)) && (third == null || Free(maker, _heap, third)), "the block is freed");
        }

        for (ThreadCache* cache = heap->Caches; cache != null; cache = cache->Next)
        {
            // Of the others, each keeps what it frees.
            ThreadCache.Flush(cache, heap);
            ThreadCache.MagazineOf(cache, SizeClass.Of(blockBytes))->HasReturned = cache->Thread != State(0);
        }

        // None is vacant: others have put the last blocks back.
        for (Slab* slab = bin->Partial; bias != SlabBias.Ours && slab != null; slab = slab->Next)
        {
            Slab.SetBias(slab, bias == SlabBias.Nobodys ? Bias.None : ThreadCache.BiasOf(State(maker)->Table[heap->Slot]));
        }

        // What the bin keeps for threads that are not alone it has already, as far as it knows.
        bin->FreePages += blockBytes == SmallBytes ? 64u : 0;

        // Who has no cache gets none in so few calls.
        heap->FirstCalls = 0;

        // The free slab that is last goes next.
        *Block = bias == SlabBias.Theirs ? (nint)bin->Partial->Previous->Base : *Last;
    }

    // Each block is a slab of its own, since the first slab of a class is as small as can be; and of those that are free the bin keeps two, or one of larger blocks.
    private byte* AllocateAlone(int thread, Bin* bin)
    {
        uint count = bin->SlabCount;
        bin->SlabCount = 0;
        byte* block = Allocate(thread, _heap, blockBytes);
        bin->SlabCount += count;
        return block;
    }

    public override void Run(int thread)
    {
        Frees[thread] = Free(thread, _heap, (void*)(thread == 0 ? *Last : *Block)) ? 1 : 0;
        if (thread == 0)
        {
            *Later = (nint)Allocate(0, _heap, laterBytes);
            Frees[0] += freesLater && Free(0, _heap, (void*)*Later) ? 1 : 0;
        }
    }

    public override void Check()
    {
        bool isLive = Heap.Size(State(-1), _heap, 0, (void*)*Later) == laterBytes;
        Finding.Unless(Frees[0] + Frees[1] + Frees[2] == (isLive ? 1 : 2), "as many frees succeed as there were blocks");
        Finding.Unless(isLive || freesLater || *Later == *Block, "no other block is touched");
        HeapState.BinOf(HeapRegistry.Find(_heap), SizeClass.Of(blockBytes))->FreeCount -= freesLater ? _others : 0;
        Conservation.Check(State(-1), _heap, freesLater ? (int)_others : isLive ? 1 : 0);
    }
}
