using System.Numerics;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>How a cache comes to its thread and its heap, and is taken from them; and whether its fast path is open.</summary>
internal unsafe partial struct ThreadCache
{
    private static MagazineOffsets* s_openOffsets;
    private static MagazineOffsets* s_closedOffsets;

    public static bool Initialize()
    {
        s_openOffsets = s_openOffsets != null ? s_openOffsets : (MagazineOffsets*)Metadata.Take((nuint)sizeof(MagazineOffsets));
        s_closedOffsets = s_closedOffsets != null ? s_closedOffsets : (MagazineOffsets*)Metadata.Take((nuint)sizeof(MagazineOffsets));
        if (s_openOffsets == null || s_closedOffsets == null)
        {
            return false;
        }

        for (nuint bytes = 0; bytes <= SizeClass.TableBytes; bytes += Units.GranuleBytes)
        {
            ((short*)s_openOffsets)[bytes >> Units.GranuleShift] = OffsetOf(SizeClass.OfTable(bytes));
            ((short*)s_closedOffsets)[bytes >> Units.GranuleShift] = OffsetOf(EmptyIndex);
        }

        return true;
    }

    private static short OffsetOf(uint index) => (short)((byte*)MagazineOf(null, index) - (byte*)null);

    /// <summary>A cache with empty magazines that is in no list; null when there is no memory.</summary>
    public static ThreadCache* Create(ThreadState* self)
    {
        ThreadCache* cache = Threads.TakeCache();
        if (cache != null && CollidesWithThreadWords(cache))
        {
            Threads.GiveCache(cache);
            cache = null;
        }

        if (cache == null)
        {
            cache = Build();
        }

        if (cache != null)
        {
            cache->Thread = self;
        }

        return cache;
    }

    private static ThreadCache* Build()
    {
        byte* memory = (byte*)Metadata.Take(StructureBytes + LineBytes);
        ThreadCache* cache = memory == null ? null : (ThreadCache*)(memory + MagazinesBytes);
        if (cache != null)
        {
            if (CollidesWithThreadWords(cache))
            {
                cache = (ThreadCache*)((byte*)cache + LineBytes);
            }

            SetHandle(cache, (nint)HeapRegistry.HandleMark);
            Close(cache);
            for (uint index = 0; index <= EmptyIndex; index++)
            {
                Magazine.Initialize(MagazineOf(cache, index), Bits.Min(index, SizeClass.Count - 1));
            }
        }

        return cache;
    }

    // Processors compare the low twelve bits of addresses to find the store that a load depends on. Were Busy to lie like the words that lead to
    // the thread's state and to its caches, of which each call loads one right after the last one has stored Busy, a pair would take 4.8 ns in place of 4.1.
    private static bool CollidesWithThreadWords(ThreadCache* cache) => (((nuint)cache ^ (nuint)Host.ThreadWords()) & (Units.PageBytes - LineBytes)) == 0;

    // The caller has emptied its magazines.
    private static void Drop(ThreadCache* cache)
    {
        cache->Thread = Threads.Nobody;
        Threads.GiveCache(cache);
    }

    // Makes the cache one of the heap's; open unless the gate is closed or calls are counted. False when the heap was destroyed meanwhile.
    private static bool Link(ThreadCache* cache, HeapState* heap, nint handle)
    {
        if (!IsOutside(Shared.Read(&cache->Busy)))
        {
            // This is a signal handler, which has interrupted a call with the handle of the slot's last heap. That call must not find this heap's magazines.
            return false;
        }

        OsLock.Enter(&heap->CacheLock);
        if (Shared.Read(&heap->Handle) != handle)
        {
            // Partner: Gate.Dissolve, which under this lock makes the handle dead before it unlinks every cache. No later link may follow.
            OsLock.Leave(&heap->CacheLock);
            return false;
        }

        cache->Heap = heap;
        SetNumber(cache, heap);
        cache->Previous = null;
        cache->Next = heap->Caches;
        if (cache->Next != null)
        {
            cache->Next->Previous = cache;
        }

        heap->Caches = cache;
        SetHandle(cache, handle);
        SetOpen(cache, heap, Shared.Read(&heap->Gate) == 0);
        OsLock.Leave(&heap->CacheLock);
        return true;
    }

    // The number that the cache has as long as it is linked. The next cache with it takes over the slabs of its bias.
    private static void SetNumber(ThreadCache* cache, HeapState* heap)
    {
        uint free = ~heap->UsedNumbers & ((2u << (int)Bias.LastNumber) - 2);
        while (free != 0)
        {
            uint number = (uint)BitOperations.TrailingZeroCount(free);
            free &= free - 1;

            // Partners: Gate.AwaitOwner, which reads it after a process barrier; and Heap.EnterToChange, where a visitor says that he is inside, and then reads it.
            nint* place = (nint*)&heap->CacheOfNumber + number;
            Shared.Exchange(place, (nint)cache);
            if (number != Bias.First || Shared.Read(&heap->Visitors) == 0)
            {
                heap->UsedNumbers |= 1u << (int)number;
                cache->TagBase = PageEntry.WithBias(heap->Regions.TagBase, number);
                return;
            }

            Shared.Write(place, 0);
        }

        cache->TagBase = PageEntry.WithBias(heap->Regions.TagBase, Bias.Unnumbered);
    }

    /// <summary>The bias of slabs that the cache's thread makes; the cache may be null.</summary>
    public static uint BiasOf(ThreadCache* cache)
    {
        uint bias = cache == null ? Bias.First : PageEntry.BiasOf(cache->TagBase);
        return bias == Bias.Unnumbered ? Bias.None : bias;
    }

    // The reverse of Link; the caller holds the heap's CacheLock.
    private static void UnlinkLocked(ThreadCache* cache, HeapState* heap)
    {
        *(cache->Previous == null ? &heap->Caches : &cache->Previous->Next) = cache->Next;
        if (cache->Next != null)
        {
            cache->Next->Previous = cache->Previous;
        }

        uint number = PageEntry.BiasOf(cache->TagBase);
        if (number != Bias.Unnumbered)
        {
            heap->UsedNumbers &= ~(1u << (int)number);
            Shared.Write((nint*)&heap->CacheOfNumber + number, 0);
        }

        cache->Heap = null;
        if (IsOpenFor(cache, 0))
        {
            Close(cache);
        }
    }

    /// <summary>The caller holds the heap's CacheLock.</summary>
    public static void SetOpen(ThreadCache* cache, HeapState* heap, bool open)
    {
        if (open && !heap->IsSlow)
        {
            Shared.Write(&cache->OpenTag, heap->IsFitted ? PageEntry.NoTag : cache->TagBase + (PageEntry.FirstStateKind - 1));
            SetOffsets(cache, s_openOffsets);
        }
        else
        {
            Close(cache);
        }
    }

    /// <summary>Closes the fast path. The caller holds the heap's CacheLock, unless nobody else knows the cache.</summary>
    public static void Close(ThreadCache* cache)
    {
        Shared.Write(&cache->OpenTag, PageEntry.NoTag);
        SetOffsets(cache, s_closedOffsets);
    }

    private static void SetOffsets(ThreadCache* cache, MagazineOffsets* offsets)
    {
        for (int word = 0; word < OffsetWords; word++)
        {
            Shared.Write((ulong*)&cache->Offsets + word, ((ulong*)offsets)[word]);
        }
    }

    /// <summary>The handle to which the cache answers from now on. Nobody is inside with it.</summary>
    public static void SetHandle(ThreadCache* cache, nint handle)
    {
        cache->Handle = handle;
        Leave(cache);
    }

    // The thread's table leads to the shared cache from now on. If the slot's last heap left this thread a cache of its own, that goes.
    private static void Share(ThreadState* self, HeapState* heap)
    {
        if (!self->IsAttached || !MakeEntry(self, heap->Slot))
        {
            return;
        }

        ThreadCache* old = self->Table[heap->Slot];
        self->Table[heap->Slot] = heap->SharedCache;
        if (old->Thread == self)
        {
            Drop(old);
        }
    }

    /// <summary>A new heap has at once the cache that its slot's last one has left this thread, which costs no memory. Nobody else knows its handle yet, unless he lists all heaps.</summary>
    public static void BindAtHand(ThreadState* self, HeapState* heap, nint handle)
    {
        if (heap->Slot < self->TableCount && self->Table[heap->Slot]->Thread == self && !heap->SharesCache)
        {
            Link(self->Table[heap->Slot], heap, handle);
        }
    }

    private static ThreadCache* Bind(ThreadState* self, HeapState* heap, nint handle)
    {
        if (!MakeEntry(self, heap->Slot))
        {
            return null;
        }

        ThreadCache* cache = self->Table[heap->Slot];
        if (cache->Heap == heap)
        {
            // A handler came before.
            return cache;
        }

        if (cache->Thread != self)
        {
            cache = Create(self);
            if (cache == null)
            {
                return null;
            }

            self->Table[heap->Slot] = cache;
        }

        if (!Link(cache, heap, handle))
        {
            return null;
        }

        if (heap->Slot == 0)
        {
            self->Process = cache;
            Host.NoteHead(self);
        }

        return cache;
    }

    // Has the table long enough for the slot, whose entry is not the last; false when there is no memory.
    private static bool MakeEntry(ThreadState* self, nuint slot)
    {
        nuint count = self->TableCount;
        if (slot + 1 < count)
        {
            return true;
        }

        for (count = count == 0 ? SmallestTable : count; count <= slot + 1; count *= 2)
        {
        }

        ThreadCache** table = (ThreadCache**)Metadata.Take(count * (nuint)sizeof(ThreadCache*));
        if (table == null)
        {
            return false;
        }

        for (nuint index = 0; index < count; index++)
        {
            table[index] = index + 1 < self->TableCount ? self->Table[index] : Threads.ClosedCache;
        }

        table[count - 1] = Threads.LastCache;

        // A fork may come between any two of these lines, and its child takes what it finds in the thread's state for the thread's.
        ThreadCache** old = self->Table;
        nuint oldCount = self->TableCount;
        Shared.Write((nint*)&self->Table, (nint)table);
        Shared.Write(&self->TableMask, (count - 1) << HeapRegistry.SlotShift);
        Shared.Write(&self->TableCount, count);
        Host.NoteHead(self);
        if (oldCount != 0)
        {
            Metadata.Give(old, oldCount * (nuint)sizeof(ThreadCache*));
        }

        return true;
    }
}
