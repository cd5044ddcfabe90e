using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>Threads come with their first call and give everything back when they end. The lists are guarded by a lock of their own, under which only that of Metadata is taken.</summary>
internal static unsafe class Threads
{
    private const nuint ClosedTableMask = 1 << HeapRegistry.SlotShift;

    // Leads to the first entry of any table.
    private const nuint BusyOfLast = 1;

    private static State* s_state;

    /// <summary>A cache that is always busy: the table's default, so that the fast path needs no test for null.</summary>
    public static ThreadCache* ClosedCache { get; private set; }

    /// <summary>The same for the last entry of each table: what its Busy has is no handle that leads there, as what the other one's has leads only there.</summary>
    public static ThreadCache* LastCache { get; private set; }

    /// <summary>The state that is no thread's: the owner of caches without one.</summary>
    public static ThreadState* Nobody { get; private set; }

    public static ThreadState* First => s_state->First;

    public static uint Count => s_state->Count;

    public static bool Initialize()
    {
        s_state = s_state != null ? s_state : (State*)Metadata.Take((nuint)sizeof(State));
        ClosedCache = ClosedCache != null ? ClosedCache : (ThreadCache*)Metadata.Take((nuint)sizeof(ThreadCache));
        LastCache = LastCache != null ? LastCache : (ThreadCache*)Metadata.Take((nuint)sizeof(ThreadCache));
        Nobody = Nobody != null ? Nobody : (ThreadState*)Metadata.Take((nuint)sizeof(ThreadState));
        if (s_state == null || ClosedCache == null || LastCache == null || Nobody == null)
        {
            return false;
        }

        s_state->ClosedTable = ClosedCache;
        s_state->ClosedTableEnd = LastCache;
        ClosedCache->Thread = Nobody;
        ClosedCache->Busy = ThreadCache.Anywhere;
        LastCache->Thread = Nobody;
        LastCache->Busy = BusyOfLast;
        return true;
    }

    /// <summary>
    /// The calling thread's own state, made now if it has none. A thread that has ended, and one for which there is no memory, stays with
    /// the state it came with, which is served without caches.
    /// </summary>
    public static ThreadState* Attach(ThreadState* thread)
    {
        if (thread->IsAttached)
        {
            return thread;
        }

        // A signal handler that called in between would wait for this thread.
        ulong held = Host.HoldSignals();
        ThreadState* own = AttachHeld(thread);
        Host.ReleaseSignals(held);
        return own;
    }

    private static ThreadState* AttachHeld(ThreadState* thread)
    {
        if (!Engine.Start() || Host.ThreadEnded() != 0)
        {
            return thread;
        }

        // One call of a face may come here several times with the state that it was given.
        ThreadState* own = (ThreadState*)Host.AttachedThread();
        if (own != null)
        {
            return own;
        }

        own = Create();
        if (own == null)
        {
            return thread;
        }

        Host.SetThread(own);
        return own;
    }

    /// <summary>A state for the calling thread, in the list; null when there is no memory.</summary>
    public static ThreadState* Create()
    {
        OsLock.Enter(&s_state->Lock);
        ThreadState* own = s_state->FreeStates;
        if (own != null)
        {
            s_state->FreeStates = own->Next;
            Os.Clear(own, (nuint)sizeof(ThreadState));
        }
        else
        {
            own = (ThreadState*)Metadata.Take((nuint)sizeof(ThreadState));
            if (own == null)
            {
                OsLock.Leave(&s_state->Lock);
                return null;
            }
        }

        own->IsAttached = true;
        own->Table = &s_state->ClosedTable;
        own->TableMask = ClosedTableMask;
        own->Process = ClosedCache;
        own->Next = s_state->First;
        if (own->Next != null)
        {
            own->Next->Previous = own;
        }

        s_state->First = own;
        Counting.NoteThreads(++s_state->Count);
        OsLock.Leave(&s_state->Lock);
        return own;
    }

    /// <summary>
    /// Gives back what a thread holds: the blocks in its magazines, its caches, its state. Called by the ending thread itself, by a
    /// finalizer after it ended, or in the child of a fork for threads that are not there.
    /// </summary>
    public static void Detach(ThreadState* thread)
    {
        if (!thread->IsAttached)
        {
            return;
        }

        for (nuint slot = 0; slot < thread->TableCount; slot++)
        {
            ThreadCache* cache = thread->Table[slot];
            if (cache->Thread != thread)
            {
                continue;
            }

            ThreadCache.Abandon(cache, HeapRegistry.AtSlot((uint)slot));
        }

        // The thread has no table before that is given back: a fork in between must not have its child give it back again.
        ThreadCache** table = thread->Table;
        nuint count = thread->TableCount;
        Shared.Write(&thread->TableCount, 0);
        Shared.Write(&thread->TableMask, ClosedTableMask);
        Shared.Write((nint*)&thread->Table, (nint)(&s_state->ClosedTable));
        if (count != 0)
        {
            Metadata.Give(table, count * (nuint)sizeof(ThreadCache*));
        }

        OsLock.Enter(&s_state->Lock);
        *(thread->Previous == null ? &s_state->First : &thread->Previous->Next) = thread->Next;
        if (thread->Next != null)
        {
            thread->Next->Previous = thread->Previous;
        }

        s_state->Count--;
        thread->IsAttached = false;
        thread->Next = s_state->FreeStates;
        s_state->FreeStates = thread;
        OsLock.Leave(&s_state->Lock);
    }

    /// <summary>A cache that was dropped; null when there is none. Caches and states never become anything else: see ThreadState.StackLow.</summary>
    public static ThreadCache* TakeCache()
    {
        OsLock.Enter(&s_state->Lock);
        ThreadCache* cache = s_state->FreeCaches;
        if (cache != null)
        {
            s_state->FreeCaches = cache->Next;
        }

        OsLock.Leave(&s_state->Lock);
        return cache;
    }

    /// <summary>Keeps a dropped cache for <see cref="TakeCache"/>.</summary>
    public static void GiveCache(ThreadCache* cache)
    {
        OsLock.Enter(&s_state->Lock);
        cache->Next = s_state->FreeCaches;
        s_state->FreeCaches = cache;
        OsLock.Leave(&s_state->Lock);
    }

    /// <summary>Holds the list across a fork.</summary>
    public static void EnterLock() => OsLock.Enter(&s_state->Lock);

    public static void LeaveLock() => OsLock.Leave(&s_state->Lock);

    private struct State
    {
        public OsLock Lock;
        public uint Count;
        public ThreadState* First;

        /// <summary>The table of a thread that has none yet: these two entries.</summary>
        public ThreadCache* ClosedTable;
        public ThreadCache* ClosedTableEnd;

        /// <summary>Of threads that ended, and of heaps that are gone, linked by Next.</summary>
        public ThreadState* FreeStates;
        public ThreadCache* FreeCaches;
    }
}
