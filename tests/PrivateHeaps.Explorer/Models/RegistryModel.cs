using PrivateHeaps.Foundation;
using PrivateHeaps.Heaps;

namespace PrivateHeaps.Explorer.Models;

/// <summary>
/// A heap is destroyed and its slot taken for the next one, while others use the handle: it names the old heap or none. A signal may come to one of them, whose handler uses
/// the next heap.
/// </summary>
internal sealed unsafe class RegistryModel(string name, bool isLate = false, bool isInterrupted = false) : Model(name, 3)
{
    private nint _heap;

    private static nint* IsDestroyed => Notes;

    private static nint* Destroyers => Notes + 1;

    private static nint* Second => Notes + 4;

    // Blocks of the second heap's that live, and whether the handler came.
    private static nint* Live => Notes + 5;

    private static nint* IsHandled => Notes + 6;

    public override void Prepare()
    {
        base.Prepare();
        _heap = isLate ? MakeHeapWithoutCaches() : MakeHeap();
    }

    public override bool IsInterrupted(int thread) => isInterrupted && thread == 1 && *Second != 0 && *IsHandled == 0;

    public override void Handle(int thread)
    {
        *IsHandled = 1;
        ThreadCache* cache = Heap.CacheOf(State(1), *Second);
        nuint view = Shared.Read(&cache->Busy);
        *Live += Heap.Allocate(State(1), *Second, 0, 40) != null ? 1 : 0;
        Finding.Unless(ThreadCache.IsOutside(view) || Shared.Read(&cache->Busy) == view, "who was inside still says so");
    }

    public override void Run(int thread)
    {
        switch (thread)
        {
            case 0:
                Destroy(0);
                HeapLimits limits = default;
                limits.InitialBytes = 64 * 1024;
                nint second = Heap.Create(State(0), &limits);
                Finding.Unless(second != 0 && second != _heap, "the next heap has another handle");
                Heap.EnableFrontEnd(second);
                *Second = second;
                break;
            case 1:
                // On the fast path with a cache, or late: then this is the thread's first call, which makes the cache.
                bool wasDestroyed = Shared.Read(IsDestroyed) != 0;
                bool isServed = TryAllocate(out bool isStray);
                Finding.Unless(!wasDestroyed || !isServed || isStray, "the handle of a heap that was destroyed is refused");
                Finding.Unless(isServed || State(1)->Failure == HeapFailure.BadHandle, "the handle is what is wrong");
                if (!isServed)
                {
                    Finding.Unless(!TryAllocate(out isStray) || isStray, "a dead handle stays dead");
                }

                break;
            default:
                Destroy(2);
                Finding.Unless(!Heap.Lock(State(2), _heap), "a heap that was destroyed cannot be locked");
                break;
        }
    }

    // A handler that comes between this call's look at its cache and its word that it is inside, and there makes the cache the next heap's, has that serve the call. Then it
    // is a block of that heap as any other.
    private bool TryAllocate(out bool isStray)
    {
        bool wasHandled = *IsHandled != 0;
        void* block = Heap.Allocate(State(1), _heap, 0, 40);
        isStray = block != null && !wasHandled && *IsHandled != 0 && Heap.Size(State(1), *Second, 0, block) == 40;
        *Live += isStray ? 1 : 0;
        return block != null;
    }

    public override void Check()
    {
        Finding.Unless(Destroyers[0] + Destroyers[2] == 1, "one thread destroys the heap");
        Finding.Unless(!Heap.Exists(_heap), "the heap is gone");
        Conservation.Check(State(-1), *Second, (int)*Live);
        Finding.Unless(HeapRegistry.Count == 2, "there are two heaps");
    }

    private void Destroy(int thread)
    {
        bool destroyed = Heap.Destroy(State(thread), _heap);
        Destroyers[thread] = destroyed ? 1 : 0;
        Finding.Unless(destroyed || State(thread)->Failure == HeapFailure.BadHandle, "the handle is what is wrong");
        Shared.Write(IsDestroyed, 1);
    }
}
