using PrivateHeaps.Heaps;

namespace PrivateHeaps.Explorer.Models;

/// <summary>
/// A thread gives a block another size while a second one frees it and allocates again, or resizes it too: whoever comes first has it, the other one is refused or has
/// the block that he is left, and no block is changed but this one.
/// </summary>
internal sealed unsafe class ResizeModel(
    string name, nuint bytes, nuint wanted, nuint maximumBytes = 0, nuint alsoWanted = 0, bool isCommon = false, nuint otherBytes = 0, nuint grownFrom = 0) : Model(name)
{
    private nint _heap;

    // What the second thread allocates: as a rule it could get the block that it has freed.
    private nuint LaterBytes => otherBytes != 0 ? otherBytes : bytes;

    private static byte* Block => (byte*)Notes[0];

    private static nint* Resized => Notes + 1;

    private static nint* Freed => Notes + 3;

    private static nint* Later => Notes + 4;

    public override void Prepare()
    {
        base.Prepare();
        _heap = MakeHeap(2 * 1024 * 1024, maximumBytes);

        // A block that has just grown gets a place where it can grow on.
        Notes[0] = grownFrom == 0 ? (nint)Allocate(0, _heap, bytes) : (nint)Heap.Reallocate(State(1), _heap, 0, Allocate(1, _heap, grownFrom), bytes);
        if (isCommon)
        {
            Finding.Unless(Free(1, _heap, Allocate(0, _heap, bytes)), "the slab is made common");
        }
    }

    public override void Run(int thread)
    {
        if (thread == 1 || alsoWanted != 0)
        {
            Resized[thread] = (nint)Heap.Reallocate(State(thread), _heap, HeapFlags.ZeroMemory, Block, thread == 1 ? wanted : alsoWanted);
            Finding.Unless(Resized[thread] != 0 || State(thread)->Failure == HeapFailure.BadBlock, "the block is what is wrong");
            return;
        }

        *Freed = Free(thread, _heap, Block) ? 1 : 0;
        *Later = (nint)Allocate(thread, _heap, LaterBytes);
    }

    public override void Check()
    {
        nuint resized = SizeOf(Resized[1]);
        if (alsoWanted != 0)
        {
            Finding.Unless(Resized[0] != 0 || Resized[1] != 0, "one of two resizes succeeds");
            nuint also = SizeOf(Resized[0]);
            bool isOne = Resized[0] == Resized[1] ? resized == wanted || resized == alsoWanted : resized == wanted != (also == alsoWanted);
            Finding.Unless(isOne, "there is one block, and it has the size of who came last");
            Conservation.Check(State(-1), _heap, 1);
            return;
        }

        Finding.Unless(*Freed == 1 || Resized[1] != 0, "the free or the resize succeeds");
        Finding.Unless(*Freed == 1 || resized == wanted, "what is not freed has its new size");
        nuint later = SizeOf(*Later);
        Finding.Unless(later == LaterBytes || (later == wanted && *Later == Resized[1]) || (Resized[1] != 0 && *Later == (nint)Block), "no other block has another size");
        Finding.Unless(*Later != Resized[1] || *Freed == 1, "no block is handed out twice");
        Conservation.Check(State(-1), _heap, 2 - (int)*Freed);
    }

    private nuint SizeOf(nint block) => Heap.Size(State(-1), _heap, 0, (void*)block);
}
