using PrivateHeaps.Heaps;

namespace PrivateHeaps.Explorer.Models;

/// <summary>
/// A thread moves a block by a resize, or allocates a zeroed one, while a second one drops all blocks and allocates new ones: nobody changes them.
/// </summary>
internal sealed unsafe class ClearModel(string name, nuint wanted, bool isZeroed = false) : Model(name)
{
    private const nuint Bytes = 40;

    private nint _heap;

    public override void Prepare()
    {
        base.Prepare();
        _heap = MakeHeap();

        // What is allocated after the next time lies where it lies now.
        Finding.Unless(Heap.Clear(State(0), _heap), "all blocks are dropped");
        Notes[0] = (nint)Allocate(0, _heap, Bytes);
        new Span<byte>((void*)Notes[0], (int)Bytes).Fill(1);
    }

    public override void Run(int thread)
    {
        if (thread == 0)
        {
            Notes[1] = (nint)(isZeroed
                ? Heap.Allocate(State(0), _heap, HeapFlags.ZeroMemory, wanted)
                : Heap.Reallocate(State(0), _heap, 0, (void*)Notes[0], wanted));
            Finding.Unless(Notes[1] != 0 || State(0)->Failure == HeapFailure.BadBlock, "the block is what is wrong");
            return;
        }

        Finding.Unless(Heap.Clear(State(1), _heap), "all blocks are dropped");
        for (int index = 0; index < 2; index++)
        {
            // One where the old block may have lain, and one where the first thread's new one may have.
            Notes[2 + index] = (nint)Allocate(1, _heap, index == 0 ? Bytes : wanted);
            new Span<byte>((void*)Notes[2 + index], (int)(index == 0 ? Bytes : wanted)).Fill((byte)(2 + index));
        }
    }

    public override void Check()
    {
        Finding.Unless(!new Span<byte>((void*)Notes[3], (int)wanted).ContainsAnyExcept((byte)3), "nobody writes to a block that was allocated later");
        Finding.Unless(Heap.Size(State(-1), _heap, 0, (void*)Notes[3]) == wanted, "the later block is there");
        HeapTotals totals = default;
        Finding.Unless(Heap.Validate(State(-1), _heap, 0) && Heap.Summarize(State(-1), _heap, &totals), "the heap is sound");
        Finding.Unless(totals.BlockCount is 2 or 3, "what was allocated later is all there is");
    }
}
