using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>
/// Brings the heaps through a fork: before it every heap stands still and every lock is held by the forking thread, so the child gets a
/// copy in which nothing is half done. Order of the locks: registry, gates and cache lists, handle table, faces,
/// threads, arena, address map, metadata.
/// </summary>
internal static unsafe class Fork
{
    public static void Prepare(ThreadState* thread)
    {
        if (!Engine.Start())
        {
            return;
        }

        HeapRegistry.EnterLock();
        for (HeapState* heap = HeapRegistry.First; heap != null; heap = heap->NextHeap)
        {
            Gate.Freeze(thread, heap);
            OsLock.Enter(&heap->CacheLock);
        }

        // Who holds one of these two now is not inside a heap, and waits for nothing.
        HandleTable.EnterLock();
        FaceLock.Enter();
        Threads.EnterLock();
        Arena.EnterLock();
        AddressMap.EnterLock();
        Metadata.EnterLock();
    }

    public static void Parent(ThreadState* thread)
    {
        if (Engine.Start())
        {
            LeaveLocks();
            for (HeapState* heap = HeapRegistry.First; heap != null; heap = heap->NextHeap)
            {
                OsLock.Leave(&heap->CacheLock);
                Gate.Thaw(heap);
            }

            HeapRegistry.LeaveLock();
        }
    }

    /// <summary>The child has one thread; what the others had in their caches goes back to the heaps.</summary>
    public static void Child(ThreadState* thread)
    {
        if (!Engine.Start())
        {
            return;
        }

        LeaveLocks();
        Checking.ResetAfterFork();
        bool counted = Counting.IsOpen;
        if (counted)
        {
            Counting.Forget();
            HeapRegistry.Find(Heap.ProcessHandle)->IsCounted = false;
        }

        for (HeapState* heap = HeapRegistry.First; heap != null; heap = heap->NextHeap)
        {
            Gate.ResetAfterFork(thread, heap);
            Gate.Thaw(heap);
        }

        HeapRegistry.LeaveLock();
        ThreadState* next;
        for (ThreadState* other = Threads.First; other != null; other = next)
        {
            next = other->Next;
            if (other != thread)
            {
                Threads.Detach(other);
            }
        }

        if (counted)
        {
            CensusFile.OpenIfAsked(thread);
        }
    }

    private static void LeaveLocks()
    {
        Metadata.LeaveLock();
        AddressMap.LeaveLock();
        Arena.LeaveLock();
        Threads.LeaveLock();
        FaceLock.Leave();
        HandleTable.LeaveLock();
    }
}
