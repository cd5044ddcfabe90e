using PrivateHeaps.Foundation;
using PrivateHeaps.Heaps;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Explorer.Models;

/// <summary>What goes on beside a thread that signals come to.</summary>
internal enum Beside
{
    /// <summary>Each of two threads frees a block of the other's.</summary>
    Frees,
    Compacts,
    Locks,

    /// <summary>No other thread: the handlers free the blocks that the thread frees.</summary>
    FreesTheSame,

    /// <summary>The same, and the handlers give them another size.</summary>
    ResizesTheSame,

    /// <summary>The same, and it is the thread that gives them another size.</summary>
    FreesWhatIsResized,
}

/// <summary>
/// Signals come to a thread while it allocates and frees, and the handler does so, too, in the same heap; another thread frees blocks of the first one's, or has the heap
/// stand still. Nobody waits for himself, no block is handed out twice, and none is lost; an allocation of a handler's may be refused.
/// </summary>
internal sealed unsafe class InterruptModel(string name, nuint bytes, Beside beside) : Model(name)
{
    private const int Blocks = 4;
    private const nuint ResizedBytes = 400;

    private nint _heap;

    // What the first thread frees, what its handlers free, and one for the other thread; then how many handlers came, and how many blocks live.
    private static nint* Own => Notes;

    private static nint* Handlers => Notes + Blocks;

    private static nint* Others => Notes + 2 * Blocks;

    private static nint* Handled => Notes + 2 * Blocks + 1;

    private static nint* Live => Notes + 2 * Blocks + 2;

    private bool IsTwice => beside is Beside.FreesTheSame or Beside.ResizesTheSame or Beside.FreesWhatIsResized;

    public override void Prepare()
    {
        base.Prepare();
        _heap = MakeHeap(1024 * 1024);
        for (int index = 0; index <= 2 * Blocks; index++)
        {
            Notes[index] = (nint)Allocate(index == 0 ? 1 : 0, _heap, bytes);
        }

        *Live = 2 * Blocks + 1;
    }

    public override bool IsInterrupted(int thread) => thread == 0 && *Handled < Blocks;

    public override void Handle(int thread)
    {
        int index = (int)(*Handled)++;
        if (IsTwice)
        {
            // He is one of two: whoever comes first has the block, the other one is refused.
            End(Own[index], resizes: beside == Beside.ResizesTheSame);
            return;
        }

        nint block = Handlers[index];
        void* fresh = Heap.Allocate(State(0), _heap, 0, bytes);
        Finding.Unless(fresh != null || State(0)->Failure == HeapFailure.NoMemory, "memory is what is out");
        Finding.Unless(Free(0, _heap, (void*)block), "the block is freed");
        *Live += fresh != null ? 0 : -1;
    }

    public override void Run(int thread)
    {
        if (thread == 0)
        {
            for (int index = 0; index < Blocks; index++)
            {
                bool isEnded = End(Own[index], resizes: beside == Beside.FreesWhatIsResized);
                Finding.Unless(isEnded || IsTwice, "the block is freed");
            }

            Allocate(0, _heap, bytes);
            *Live += 1;
        }
        else if (IsTwice)
        {
            return;
        }
        else if (beside == Beside.Compacts)
        {
            nuint largest;
            Finding.Unless(Heap.Compact(State(1), _heap, 0, &largest), "the heap is compacted");
        }
        else if (beside == Beside.Locks)
        {
            Finding.Unless(Heap.Lock(State(1), _heap), "the heap is locked");
            byte* state = AddressMap.StateOf((void*)Handlers[0]);
            byte seen = Shared.Read(state);
            Finding.Unless(Shared.Read(state) == seen, "a heap that stands still does not change");
            Heap.Unlock(State(1), _heap);
        }
        else
        {
            Finding.Unless(Free(1, _heap, (void*)*Others), "the block is freed");
            *Live -= 1;
        }
    }

    // Frees the block, or has it move.
    private bool End(nint block, bool resizes)
    {
        if (resizes)
        {
            return Heap.Reallocate(State(0), _heap, 0, (void*)block, ResizedBytes) != null;
        }

        bool isFreed = Free(0, _heap, (void*)block);
        *Live -= isFreed ? 1 : 0;
        return isFreed;
    }

    public override void Check() => Conservation.Check(State(-1), _heap, (int)*Live);
}
