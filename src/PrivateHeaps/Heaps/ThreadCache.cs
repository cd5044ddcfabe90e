using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>
/// One thread's magazines for one heap. It belongs to (thread, slot of the heap) for the life of the thread, and no living thread's is ever handed
/// to another, so whoever sets Busy through a stale pointer sets his own. A heap without serialization has one for all threads.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = HeadBytes)]
internal unsafe partial struct ThreadCache
{
    // Cache lines whole, so that each magazine is one.
    private const int HeadBytes = 192;

    // Of Offsets in the structure. A constant, since to name the field costs the fast path an instruction.
    private const nuint OffsetsStart = 32;

    // The offsets are written by the word, four at once.
    private const int OffsetWords = (int)(SizeClass.TableBytes / Units.GranuleBytes * sizeof(short) / sizeof(ulong)) + 1;

    // Behind those of the classes lies a magazine that never has a block.
    private const uint EmptyIndex = SizeClass.Count;

    // A heap gets its first cache only when it is used a little, since caches are what most of a small heap's memory would be. It comes sooner where heaps follow one another
    // in a slot, so that the cache serves the next one, too, and there are not many.
    private const uint CallsBeforeCache = 16;
    private const uint CallsBeforeNextCache = 2;
    private const uint FewHeaps = 1024;
    private const nuint SmallestTable = 16;
    private const nuint LineBytes = 64;

    /// <summary>The handle of the heap that it serves or served last; the mark of handles alone if there was none. Written by the owner.</summary>
    public nint Handle;

    /// <summary>
    /// <see cref="Handle"/> while the owner is outside, so that one comparison tells who comes with a handle that the cache is of that heap and that he has not interrupted
    /// himself; while the owner is inside what he looks at: the address that he was given as a block's, or near it, or <see cref="Anywhere"/>, or
    /// <see cref="Nowhere"/>. Plain stores of the owner; who closes the gate, or takes a slab away, makes them visible by the process barrier. The handle may be of a heap that
    /// is gone: whether the fast path is open shows in <see cref="OpenTag"/> and <see cref="Offsets"/>, once the owner has said that he is inside.
    /// </summary>
    public nuint Busy;

    /// <summary>
    /// The owner, never null; <see cref="Threads.Nobody"/> for a shared cache, for one in no use, and for one whose thread ended while the heap
    /// stood still: who opens the gate collects it. A thread's state is never another thread's before none of its caches names it any more.
    /// </summary>
    public ThreadState* Thread;

    /// <summary>The tag of the heap's slabs that have the bias of this cache, less their class. A free by the fast path needs exactly such a tag.</summary>
    public uint TagBase;

    /// <summary>
    /// As long as the fast path is open the tag of the last class whose states lie in the array, with the bias of this cache; else, and for a fitted heap, which has no
    /// slabs, NoTag, which no tag is near: who frees sees whether the gate is open when he looks for the block's class. Written under the heap's CacheLock. It is the last
    /// class since magazines of higher ones lie at lower addresses: how far a tag is below it, is how far its magazine lies behind that class's.
    /// </summary>
    public uint OpenTag;

    /// <summary>
    /// By granules of a size up to SizeClass.TableBytes, how far from the start of the structure the magazine lies. Those of up to 240 bytes share a cache line with
    /// what each call looks at: with many heaps in turn a line is what a call costs. While the fast path is closed all lead to a magazine that
    /// is always empty: who allocates sees whether the gate is open when he looks for a block. Written under the heap's CacheLock.
    /// </summary>
    public MagazineOffsets Offsets;

    /// <summary>The heap it serves; null when that was destroyed. Written under the heap's CacheLock.</summary>
    public HeapState* Heap;

    public ThreadCache* Next;
    public ThreadCache* Previous;

    /// <summary>In Busy: the owner may look at any address. No address, and what comes with it for a handle finds the last entry of a table, which has no such cache.</summary>
    public static nuint Anywhere
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => nuint.MaxValue;
    }

    /// <summary>In Busy: the owner looks at no address that he was given, as one who allocates, or only at a block that is his own. As <see cref="Anywhere"/> otherwise.</summary>
    public static nuint Nowhere
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => nuint.MaxValue - 1;
    }

    /// <summary>Whether this value of Busy says that the owner is outside: whether it is a handle.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsOutside(nuint view) => (view & (2 * HeapRegistry.HandleMark - 1)) == HeapRegistry.HandleMark;

    /// <summary>The owner is outside from now on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Leave(ThreadCache* cache) => Shared.Write(&cache->Busy, (nuint)cache->Handle);

    /// <summary>Whether the fast path is open for a size. The owner has said that he is inside.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsOpenFor(ThreadCache* cache, nuint bytes) =>
        bytes > SizeClass.TableBytes ? HasSlabs(cache) : MagazineOfTable(cache, bytes) != MagazineOf(cache, EmptyIndex);

    /// <summary>Whether the fast path is open and the heap has slabs. The owner has said that he is inside.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool HasSlabs(ThreadCache* cache) => Shared.Read(&cache->OpenTag) != PageEntry.NoTag;

    // The magazines lie in front of the structure, one for each size class, the one of the smallest blocks last. Behind it lies what is made next, the first rounds: so
    // what a call looks at is seldom in more than one page.
    public static nuint StructureBytes => (nuint)sizeof(ThreadCache) + MagazinesBytes;

    private static nuint MagazinesBytes => (EmptyIndex + 1) * (nuint)sizeof(Magazine);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Magazine* MagazineOf(ThreadCache* cache, uint index) => (Magazine*)((byte*)cache - sizeof(Magazine) - (nuint)index * (nuint)sizeof(Magazine));

    /// <summary>The magazine of the class whose tag is so much below <see cref="OpenTag"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Magazine* MagazineBelow(ThreadCache* cache, nuint below) =>
        (Magazine*)((byte*)cache - PageEntry.FirstStateKind * (nuint)sizeof(Magazine) + below * (nuint)sizeof(Magazine));

    /// <summary>The class of a magazine of the cache.</summary>
    public static uint IndexOf(ThreadCache* cache, Magazine* magazine) => (uint)(((nuint)cache - (nuint)magazine) / (nuint)sizeof(Magazine)) - 1;

    /// <summary>The magazine for a size of at most SizeClass.TableBytes. A table in the cache itself is the shortest way there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Magazine* MagazineOfTable(ThreadCache* cache, nuint bytes) =>
        (Magazine*)((byte*)cache + Shared.Read((short*)((byte*)cache + OffsetsStart) + ((bytes + (Units.GranuleBytes - 1)) >> Units.GranuleShift)));

    /// <summary>
    /// The cache through which this thread uses the heap; null when it must do without: the heap is hardly used yet, the thread has no state of its own, or there is no memory.
    /// </summary>
    public static ThreadCache* For(ThreadState* self, HeapState* heap, nint handle)
    {
        if (heap->SharesCache)
        {
            Share(self, heap);
            return heap->SharedCache;
        }

        if (!self->IsAttached || !Os.HasProcessBarrier)
        {
            return null;
        }

        if (heap->Slot < self->TableCount && self->Table[heap->Slot]->Heap == heap)
        {
            return self->Table[heap->Slot];
        }

        return ForFirst(self, heap, handle);
    }

    // One of the thread's first calls.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ThreadCache* ForFirst(ThreadState* self, HeapState* heap, nint handle)
    {
        bool isHardlyUsed = heap->Slot != 0 && heap->FirstCalls < FirstCallsWithout(heap);
        NoteFirstCall(heap);
        if (isHardlyUsed)
        {
            return null;
        }

        // A signal handler that called in between would wait for this thread.
        ulong held = Host.HoldSignals();
        ThreadCache* cache = Bind(self, heap, handle);
        Host.ReleaseSignals(held);
        return cache;
    }

    /// <summary>Every thread gets a cache for the heap with its next call, however little the heap was used so far.</summary>
    public static void EnableFor(HeapState* heap)
    {
        heap->FrontEnd = HeapState.LowFragmentation;
        heap->FirstCalls = CallsBeforeCache;
    }

    // A call comes without a cache: after the first few of these the front end of a growable heap turns itself on.
    private static void NoteFirstCall(HeapState* heap)
    {
        if (heap->FirstCalls < CallsBeforeCache)
        {
            heap->FirstCalls++;
        }
        else if (!heap->IsBounded)
        {
            heap->FrontEnd = HeapState.LowFragmentation;
        }
    }

    /// <summary>
    /// The front end turns itself on, too, when more blocks live than there are such calls. This is where it is asked for, since calls that a cache has served are not
    /// counted; but their blocks lie in no bin and in no magazine. Those that other threads take or free meanwhile count either way.
    /// </summary>
    public static void LookForUse(HeapState* heap)
    {
        nuint live = 0;
        OsLock.Enter(&heap->CacheLock);
        for (uint index = 0; heap->Caches != null && index < HeapState.BinCount(heap); index++)
        {
            Bin* bin = HeapState.BinOf(heap, index);
            live += bin->BlockCount - Bits.Min(bin->FreeCount, bin->BlockCount);
            for (ThreadCache* cache = heap->Caches; cache != null; cache = cache->Next)
            {
                live -= Bits.Min(live, Magazine.Count(MagazineOf(cache, index)));
            }
        }

        OsLock.Leave(&heap->CacheLock);
        if (live > CallsBeforeCache && !heap->IsBounded)
        {
            heap->FrontEnd = HeapState.LowFragmentation;
        }
    }

    private static uint FirstCallsWithout(HeapState* heap) =>
        heap->Generation > 1 && HeapRegistry.Count <= FewHeaps ? CallsBeforeNextCache : CallsBeforeCache;

    /// <summary>
    /// Gives back what an ended thread had here. Does not wait for a heap that stands still: the cache is then left to who opens the gate,
    /// or to who is destroying the heap.
    /// </summary>
    public static void Abandon(ThreadCache* cache, HeapState* heap)
    {
        for (; ; )
        {
            bool inside = Gate.TryEnter(cache, heap);
            if (inside)
            {
                Flush(cache, heap);
                Gate.Leave(heap, cache);
            }

            OsLock.Enter(&heap->CacheLock);
            bool linked = cache->Heap == heap;
            if (linked && !inside)
            {
                if (Shared.Read(&heap->Gate) == 0)
                {
                    // It was opened meanwhile.
                    OsLock.Leave(&heap->CacheLock);
                    continue;
                }

                cache->Thread = Threads.Nobody;
                OsLock.Leave(&heap->CacheLock);
                return;
            }

            if (linked)
            {
                UnlinkLocked(cache, heap);
            }

            OsLock.Leave(&heap->CacheLock);
            Drop(cache);
            return;
        }
    }

    /// <summary>Collects the caches that ended threads left behind. The caller holds CacheLock and has the heap stand still.</summary>
    public static void CollectAbandoned(HeapState* heap)
    {
        for (ThreadCache* cache = heap->Caches, next; cache != null; cache = next)
        {
            next = cache->Next;
            if (cache->Thread == Threads.Nobody)
            {
                Flush(cache, heap);
                UnlinkLocked(cache, heap);
                Drop(cache);
            }
        }
    }

    /// <summary>Takes every cache from a heap that is being destroyed; their blocks go with it. The caller holds CacheLock and has the heap stand still.</summary>
    public static void ForgetAll(HeapState* heap)
    {
        while (heap->Caches != null)
        {
            ThreadCache* cache = heap->Caches;
            Forget(cache, heap);
            UnlinkLocked(cache, heap);
            if (cache->Thread == Threads.Nobody)
            {
                Drop(cache);
            }
        }
    }

    /// <summary>Takes the cache's blocks back into their slabs; the caller is inside the heap or has it stand still.</summary>
    public static void Flush(ThreadCache* cache, HeapState* heap)
    {
        for (uint index = 0; heap->IsFitted && index < SizeClass.TableCount; index++)
        {
            Magazine* magazine = MagazineOf(cache, index);
            FittedHeap.Give(&heap->Fitted, &heap->Regions, magazine->Base, Magazine.Count(magazine));
            Magazine.Forget(magazine);
        }

        for (uint index = 0; index < HeapState.BinCount(heap); index++)
        {
            Magazine.Flush(MagazineOf(cache, index), HeapState.BinOf(heap, index), &heap->Regions, BiasOf(cache));
        }
    }

    /// <summary>Forgets all blocks: they are gone. The caller has the heap stand still.</summary>
    public static void Forget(ThreadCache* cache, HeapState* heap)
    {
        // Of a heap without the larger bins, no magazine of theirs was ever used; of the others most were not either.
        uint count = Bits.Max(HeapState.BinCount(heap), SizeClass.TableCount);
        for (uint index = 0; index < count; index++)
        {
            Magazine* magazine = MagazineOf(cache, index);
            if (magazine->Top != &magazine->Only || magazine->Spare != null || magazine->HasReturned)
            {
                Magazine.Forget(magazine);
            }
        }
    }

    [InlineArray(OffsetWords * sizeof(ulong) / sizeof(short))]
    public struct MagazineOffsets
    {
        private short _first;
    }
}
