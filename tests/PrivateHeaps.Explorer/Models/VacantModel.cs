using PrivateHeaps.Heaps;
using PrivateHeaps.Slabs;

namespace PrivateHeaps.Explorer.Models;

/// <summary>
/// A thread frees the last block of a slab with its bias, and thereby lets go of the slab; then another takes the slab over, or it does so itself. Both free what they got,
/// and the first block once more, as a program with a fault would. As many frees succeed as there were blocks.
/// </summary>
internal sealed unsafe class VacantModel(string name, nuint bytes, bool isTakenByOther) : Model(name)
{
    private nint _heap;

    public override void Prepare()
    {
        base.Prepare();
        _heap = MakeHeap(1024 * 1024);
        Notes[0] = (nint)Allocate(0, _heap, bytes);

        // The other blocks go back into the slab, and the next that thread 0 frees does so at once, since its magazine has no rounds.
        HeapState* heap = HeapRegistry.Find(_heap);
        for (ThreadCache* cache = heap->Caches; cache != null; cache = cache->Next)
        {
            ThreadCache.Flush(cache, heap);
        }
    }

    public override void Run(int thread)
    {
        int freed = thread == 0 || !isTakenByOther ? FreeFirst(thread) : 0;
        if ((thread == 1) == isTakenByOther)
        {
            byte* block = Allocate(thread, _heap, bytes);
            freed += Free(thread, _heap, block) ? 1 : 0;
        }
        else if (isTakenByOther)
        {
            freed += FreeFirst(thread);
        }

        Notes[1 + thread] = freed;
    }

    private int FreeFirst(int thread) => Free(thread, _heap, (void*)Notes[0]) ? 1 : 0;

    public override void Check()
    {
        Finding.Unless(Notes[1] + Notes[2] == 2, "as many frees succeed as there were blocks");
        Conservation.Check(State(-1), _heap, 0);
    }
}
