using System.Runtime.CompilerServices;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Heaps;

/// <summary>
/// Lets threads into a heap and makes it stand still. Who goes in says so first (a plain store to its cache's Busy, or Visitors) and then
/// looks whether the gate is open; who closes the gate closes it first, has every thread of the process pass a memory barrier, and then waits
/// until nobody says that he is inside. So one side pays two plain stores and the other, which is rare, pays for both.
/// </summary>
internal static unsafe partial class Gate
{
    /// <summary>The heap stands still for one thread, which may go on using it, as may calls with HEAP_NO_SERIALIZE.</summary>
    private const int Locked = 1;

    /// <summary>The heap stands still for everybody: it is being destroyed, or the process forks.</summary>
    private const int Frozen = 2;

    /// <summary>As Locked, for an operation that changes magazines and slabs: calls with HEAP_NO_SERIALIZE wait too.</summary>
    private const int Exclusive = 4;

    /// <summary>Locked or Exclusive, and nobody is inside with a cache any more: who comes must wait, while before this the closer waits for who is inside.</summary>
    private const int LockedStill = 8;

    /// <summary>The same of Frozen.</summary>
    private const int FrozenStill = 16;

    private const int SpinCount = 200;
    private const long RetryNanoseconds = 50_000;

    // Who waits for a lock is woken when the gate opens; that he looks by himself is for heaps that are destroyed.
    private const long LookNanoseconds = 10_000_000;

    // How often those who wait may be overtaken: a walk closes the gate at every slab, and would take long if it waited for others each time.
    private const int MostOvertaken = 16;

    // How long who closes the gate again lets those in first whom it kept out: 5 ms at most, should one of them have been stopped by the system.
    private const int PatienceTurns = 100;

    /// <summary>
    /// Goes into the heap, waiting while it stands still; false when the handle does not name it any more. The cache is null when the
    /// visit uses none; Leave must get the same one. What the caller will look at, a value for Busy, holds only with a cache: without one he may look anywhere.
    /// </summary>
    public static bool Enter(ThreadState* self, HeapState* heap, nint handle, uint flags, nuint view, out ThreadCache* cache)
    {
        cache = ThreadCache.For(self, heap, handle);

        // Busy already: a signal handler interrupted this very thread inside the heap, perhaps with half a change in a magazine.
        bool isInterrupted = cache != null && !ThreadCache.IsOutside(Shared.Read(&cache->Busy));
        self->IsInterrupted = isInterrupted;
        cache = isInterrupted ? null : cache;

        for (bool isWaiting = false; ; )
        {
            if (cache != null)
            {
                // Partner: the process barrier in CloseLocked.
                Shared.Write(&cache->Busy, view);
            }
            else
            {
                Shared.Increment(&heap->Visitors);
            }

            int gate = Shared.Read(&heap->Gate);
            bool passes = Shared.Read(&heap->Handle) == handle && (gate == 0 || MayPass(self, heap, flags, gate, isInterrupted));
            if (!passes)
            {
                Leave(heap, cache);
            }

            if (passes || (Shared.Read(&heap->Handle) != handle && (gate & Frozen) == 0))
            {
                if (isWaiting)
                {
                    Shared.Decrement(&heap->Waiting);
                }

                return passes;
            }

            if (!isWaiting)
            {
                // Partner: Open, which changes the gate and then looks who waits.
                Shared.Increment(&heap->Waiting);
                isWaiting = true;
            }

            // Who has interrupted himself looks again before the next one closes the gate and waits for him.
            Os.Wait(&heap->Gate, gate, (gate & Frozen) != 0 || isInterrupted ? RetryNanoseconds : LookNanoseconds);
        }
    }

    /// <summary>
    /// Whether the caller, who went in by Enter and got this cache, is a signal handler that has interrupted its own thread inside the heap. It got none then; a mark that is
    /// found with a cache was left by a handler that has come and gone since.
    /// </summary>
    public static bool IsInterrupted(ThreadState* self, ThreadCache* cache) => cache == null && self->IsInterrupted;

    /// <summary>Goes into the heap with the cache of an ended thread, unless it stands still or is being destroyed.</summary>
    public static bool TryEnter(ThreadCache* cache, HeapState* heap)
    {
        // Partner: the process barrier in CloseLocked.
        Shared.Write(&cache->Busy, ThreadCache.Nowhere);
        if (Shared.Read(&heap->Gate) == 0 && Shared.Read(&heap->Handle) != 0 && cache->Heap == heap)
        {
            return true;
        }

        ThreadCache.Leave(cache);
        return false;
    }

    /// <summary>The value for Busy of who was given an address, which may be anything: never a handle, and in the same slab.</summary>
    public static nuint At(void* block) => (nuint)block | 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Leave(HeapState* heap, ThreadCache* cache)
    {
        if (cache != null)
        {
            ThreadCache.Leave(cache);
        }
        else
        {
            Shared.Decrement(&heap->Visitors);
        }
    }

    /// <summary>Makes the heap stand still for this thread; recursive. False when the handle does not name it any more.</summary>
    public static bool Lock(ThreadState* self, HeapState* heap, nint handle) => Lock(self, heap, handle, Locked);

    /// <summary>Undoes one <see cref="Lock(ThreadState*, HeapState*, nint)"/> of the calling thread.</summary>
    public static void Unlock(HeapState* heap)
    {
        if (--heap->ExclusionDepth == 0)
        {
            Open(heap, Locked | LockedStill);
            heap->ExclusionOwner = null;
            OsLock.Leave(&heap->ExclusionLock);
        }
    }

    public static bool IsOwner(ThreadState* self, HeapState* heap) => self->IsAttached && heap->ExclusionOwner == self && heap->ExclusionDepth != 0;

    /// <summary>Whether another thread has taken the heap by HeapLock at this moment.</summary>
    public static bool IsLockedByOther(ThreadState* self, HeapState* heap) =>
        (Shared.Read(&heap->Gate) & Locked) != 0 && Shared.Read(&heap->LockDepth) != 0 && !IsOwner(self, heap);

    /// <summary>
    /// Begins an operation that needs the heap to stand still and may change anything in it: as <see cref="Lock(ThreadState*, HeapState*, nint)"/>, and counted as a
    /// visit, so that a fork waits for its end.
    /// </summary>
    public static bool BeginExclusive(ThreadState* self, HeapState* heap, nint handle)
    {
        if (!Lock(self, heap, handle, Locked | Exclusive))
        {
            return false;
        }

        for (; ; )
        {
            Shared.Increment(&heap->Visitors);
            int gate = Shared.Read(&heap->Gate);
            if ((gate & Frozen) == 0)
            {
                return true;
            }

            Shared.Decrement(&heap->Visitors);
            Os.Wait(&heap->Gate, gate, RetryNanoseconds);
        }
    }

    public static void EndExclusive(HeapState* heap)
    {
        Shared.Decrement(&heap->Visitors);
        Open(heap, Exclusive);
        Unlock(heap);
    }

    /// <summary>Keeps everybody out, the owner of the lock too, and waits until nobody is inside. The calling thread must not be.</summary>
    public static void Freeze(ThreadState* self, HeapState* heap) => Close(heap, Frozen, self);

    public static void Thaw(HeapState* heap)
    {
        Open(heap, Frozen | FrozenStill);
        Os.Wake(&heap->Gate, int.MaxValue);
    }

    /// <summary>
    /// Takes the heap for its destruction, before the registry lock: nobody else can lock it or begin an exclusive operation. The gate is as it was, since
    /// <see cref="Dissolve"/> closes it for everybody at once. False when the handle does not name the heap any more.
    /// </summary>
    public static bool Claim(ThreadState* self, HeapState* heap, nint handle)
    {
        if (heap->ExclusionOwner != self || !self->IsAttached)
        {
            OsLock.Enter(&heap->ExclusionLock);
            heap->ExclusionOwner = self;
        }

        heap->ExclusionDepth++;
        if (Shared.Read(&heap->Handle) == handle)
        {
            return true;
        }

        Unlock(heap);
        return false;
    }

    /// <summary>Freezes the heap for good: the handle is dead from then on, and no thread has a cache for it. The caller has claimed it and holds the registry lock.</summary>
    public static void Dissolve(ThreadState* self, HeapState* heap)
    {
        // Who is inside does not need CacheLock: exclusive operations do, and there is none, since the caller has the exclusion.
        CloseLocked(heap, Frozen, self);
        WaitForVisitors(heap);
        HeapRegistry.Remove(heap);
        ThreadCache.ForgetAll(heap);
        OsLock.Leave(&heap->CacheLock);
    }

    /// <summary>
    /// Opens the gate of a dissolved heap for the slot's next one. Only holders of the exclusion and of the registry lock, who is the caller, change the bits, so
    /// a plain store does. Who waits came while his heap was destroyed; should he not be seen here, he looks again by himself.
    /// </summary>
    public static void Release(HeapState* heap)
    {
        Shared.Write(&heap->Gate, 0);
        heap->LockDepth = 0;
        heap->ExclusionDepth = 0;
        heap->ExclusionOwner = null;
        OsLock.Leave(&heap->ExclusionLock);
        WakeWaiting(heap);
    }

    /// <summary>In the child of a fork: nobody but the calling thread is there any more. A lock that another thread held is given up.</summary>
    public static void ResetAfterFork(ThreadState* self, HeapState* heap)
    {
        OsLock.Reset(&heap->CacheLock);
        OsLock.Reset(&heap->Regions.Lock);
        heap->Visitors = 0;
        heap->Waiting = 0;
        if (heap->ExclusionDepth == 0 || heap->ExclusionOwner != self)
        {
            OsLock.Reset(&heap->ExclusionLock);
            heap->ExclusionDepth = 0;
            heap->LockDepth = 0;
            heap->ExclusionOwner = null;
            Shared.And(&heap->Gate, ~(Locked | Exclusive | LockedStill));
        }
    }

    private static bool Lock(ThreadState* self, HeapState* heap, nint handle, int bits)
    {
        if (!Claim(self, heap, handle))
        {
            return false;
        }

        int gate = Shared.Read(&heap->Gate);
        if (heap->IsSerialized && (gate & bits) != bits)
        {
            if (gate == 0 && ++heap->Overtaken >= MostOvertaken)
            {
                heap->Overtaken = 0;
                LetIn(heap);
            }

            Close(heap, bits, self);
        }

        return true;
    }

    // Whether the caller may go in although the gate is closed. A signal handler that has interrupted its own thread inside the heap must, as long as the closer waits for
    // that thread: it is a visitor, for whom the closer waits when he has said that the heap is still. If he has said so before, the thread was just about to find
    // the gate closed.
    private static bool MayPass(ThreadState* self, HeapState* heap, uint flags, int gate, bool isInterrupted)
    {
        bool ofOwner = (gate & Exclusive) == 0 && ((flags & HeapFlags.NoSerialize) != 0 || IsOwner(self, heap));
        return ((gate & Frozen) == 0 || (isInterrupted && (gate & FrozenStill) == 0))
            && ((gate & (Locked | Exclusive)) == 0 || ofOwner || (isInterrupted && (gate & LockedStill) == 0));
    }

    private static void Close(HeapState* heap, int bit, ThreadState* self)
    {
        CloseLocked(heap, bit, self);
        OsLock.Leave(&heap->CacheLock);

        // An exclusive operation that is under way while the process forks is a visitor, and may need CacheLock to come to its end.
        WaitForVisitors(heap);
    }

    // Returns when nobody is inside with a cache, and with CacheLock held.
    private static void CloseLocked(HeapState* heap, int bit, ThreadState* self)
    {
        Shared.Or(&heap->Gate, bit);
        OsLock.Enter(&heap->CacheLock);
        bool others = false;
        for (ThreadCache* cache = heap->Caches; cache != null; cache = cache->Next)
        {
            ThreadCache.SetOpen(cache, heap, false);
            others |= cache->Thread != self;
        }

        if (others)
        {
            // Partner: the plain store to Busy in Enter and on the fast paths. After this, either that store is seen here or its thread
            // sees the closed gate.
            Os.ProcessBarrier();
        }

        for (ThreadCache* cache = heap->Caches; cache != null; cache = cache->Next)
        {
            for (int spin = 0; cache->Thread != self && !ThreadCache.IsOutside(Shared.Read(&cache->Busy)); spin++)
            {
                Pause(spin);
            }
        }

        // Partner: Enter for a signal handler, which says that it visits, and then looks for this.
        Shared.Or(&heap->Gate, (bit & Frozen) != 0 ? FrozenStill : LockedStill);
    }

    private static void WaitForVisitors(HeapState* heap)
    {
        for (int spin = 0; Shared.Read(&heap->Visitors) != 0; spin++)
        {
            Pause(spin);
        }
    }

    private static void Open(HeapState* heap, int bit)
    {
        OsLock.Enter(&heap->CacheLock);
        if ((Shared.Read(&heap->Gate) & ~bit) == 0)
        {
            ThreadCache.CollectAbandoned(heap);
        }

        if ((Shared.And(&heap->Gate, ~bit) & ~bit) == 0)
        {
            for (ThreadCache* cache = heap->Caches; cache != null; cache = cache->Next)
            {
                ThreadCache.SetOpen(cache, heap, true);
            }
        }

        OsLock.Leave(&heap->CacheLock);
        WakeWaiting(heap);
    }

    private static void WakeWaiting(HeapState* heap)
    {
        // Partner: Enter, which says that it waits and then sleeps if the gate is as it was.
        if (Shared.Read(&heap->Waiting) != 0)
        {
            Os.Wake(&heap->Gate, int.MaxValue);
        }
    }

    // Lets those come in whom the gate has kept out: who closes it again and again would else keep them out for as long as he likes, since he is faster than who
    // has to wake up first. The gate is open, and the caller has the exclusion, so that nobody else closes it for a lock.
    private static void LetIn(HeapState* heap)
    {
        int never = 0;
        for (int turn = 0; Shared.Read(&heap->Waiting) != 0 && turn < PatienceTurns; turn++)
        {
            Os.Wait(&never, 0, RetryNanoseconds);
        }
    }

    private static void Pause(int spin)
    {
        if (spin < SpinCount)
        {
            Cpu.Pause();
        }
        else
        {
            Os.Yield();
        }
    }
}
