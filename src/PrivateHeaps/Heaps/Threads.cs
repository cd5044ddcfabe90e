using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>Threads come with their first call and give everything back when they end. The list is guarded by its own lock, a leaf.</summary>
internal static unsafe class Threads
{
    /// <summary>What no handle is: its slot lies beyond all slots.</summary>
    public const nint ClosedHandle = -1;

    private static State* s_state;

    /// <summary>A cache that answers to no handle and is always busy: the table's default, so that the fast path needs no test for null.</summary>
    public static ThreadCache* ClosedCache { get; private set; }

    public static ThreadState* First => s_state->First;

    public static uint Count => s_state->Count;

    public static bool Initialize()
    {
        s_state = (State*)Metadata.Take((nuint)sizeof(State));
        ClosedCache = (ThreadCache*)Metadata.Take(ThreadCache.StructureBytes);
        if (s_state == null || ClosedCache == null)
        {
            return false;
        }

        ClosedCache->OpenHandle = ClosedHandle;
        ClosedCache->Busy = 1;
        return true;
    }

    /// <summary>
    /// The calling thread's own state, made now if it has none. A thread that has ended, and one for which there is no memory, stays with
    /// the state it came with, which is served without caches.
    /// </summary>
    public static ThreadState* Attach(ThreadState* thread)
    {
        if (thread->IsAttached || !Engine.Start() || Host.ThreadEnded() != 0)
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
        ThreadState* own = (ThreadState*)Metadata.Take((nuint)sizeof(ThreadState));
        if (own == null)
        {
            return null;
        }

        own->IsAttached = true;
        own->Process = ClosedCache;
        OsLock.Enter(&s_state->Lock);
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

        if (thread->Table != null)
        {
            Metadata.Give(thread->Table, thread->TableCount * (nuint)sizeof(ThreadCache*));
        }

        OsLock.Enter(&s_state->Lock);
        *(thread->Previous == null ? &s_state->First : &thread->Previous->Next) = thread->Next;
        if (thread->Next != null)
        {
            thread->Next->Previous = thread->Previous;
        }

        s_state->Count--;
        OsLock.Leave(&s_state->Lock);
        Metadata.Give(thread, (nuint)sizeof(ThreadState));
    }

    /// <summary>Holds the list across a fork.</summary>
    public static void EnterLock() => OsLock.Enter(&s_state->Lock);

    public static void LeaveLock() => OsLock.Leave(&s_state->Lock);

    private struct State
    {
        public OsLock Lock;
        public uint Count;
        public ThreadState* First;
    }
}
