using PrivateHeaps.Foundation;
using PrivateHeaps.Heaps;

namespace PrivateHeaps.Explorer.Models;

/// <summary>A heap is destroyed and its slot taken for the next one, while others use the handle: it names the old heap or none.</summary>
internal sealed unsafe class RegistryModel(string name, bool isLate = false) : Model(name, 3)
{
    private nint _heap;

    private static nint* IsDestroyed => Notes;

    private static nint* Destroyers => Notes + 1;

    private static nint* Second => Notes + 4;

    public override void Prepare()
    {
        base.Prepare();
        _heap = isLate ? MakeHeapWithoutCaches() : MakeHeap();
    }

    public override void Run(int thread)
    {
        switch (thread)
        {
            case 0:
                Destroy(0);
                HeapLimits limits = default;
                limits.InitialBytes = 64 * 1024;
                *Second = Heap.Create(State(0), &limits);
                Finding.Unless(*Second != 0 && *Second != _heap, "the next heap has another handle");
                break;
            case 1:
                // On the fast path with a cache, or late: then this is the thread's first call, which makes the cache.
                bool wasDestroyed = Shared.Read(IsDestroyed) != 0;
                void* block = Heap.Allocate(State(1), _heap, 0, 40);
                Finding.Unless(!wasDestroyed || block == null, "the handle of a heap that was destroyed is refused");
                Finding.Unless(block != null || State(1)->Failure == HeapFailure.BadHandle, "the handle is what is wrong");
                if (block == null)
                {
                    Finding.Unless(Heap.Allocate(State(1), _heap, 0, 40) == null, "a dead handle stays dead");
                }

                break;
            default:
                Destroy(2);
                Finding.Unless(!Heap.Lock(State(2), _heap), "a heap that was destroyed cannot be locked");
                break;
        }
    }

    public override void Check()
    {
        Finding.Unless(Destroyers[0] + Destroyers[2] == 1, "one thread destroys the heap");
        Finding.Unless(!Heap.Exists(_heap), "the heap is gone");
        Conservation.Check(State(-1), *Second, 0);
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
