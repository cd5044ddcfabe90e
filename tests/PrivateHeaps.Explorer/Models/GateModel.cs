using PrivateHeaps.Foundation;
using PrivateHeaps.Heaps;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Explorer.Models;

/// <summary>
/// A thread allocates and frees, or resizes, by its cache while another has the heap stand still: then nothing changes in it. Of the process heap it does so as
/// malloc's face.
/// </summary>
internal sealed unsafe class GateModel(
    string name, bool isProcess, nuint maximumBytes = 0, nuint bytes = 40, bool isCommon = false, bool resizes = false) : Model(name)
{
    private nint _heap;

    public override void Prepare()
    {
        base.Prepare();
        _heap = isProcess ? Heap.ProcessHandle : MakeHeap(maximumBytes: maximumBytes);
        Notes[0] = (nint)Allocate(0, _heap, bytes);
        if (isCommon)
        {
            Finding.Unless(Free(1, _heap, Allocate(0, _heap, bytes)), "the slab is made common");
        }
    }

    public override void Run(int thread)
    {
        if (thread == 0)
        {
            if (resizes)
            {
                Finding.Unless((nint)Heap.Reallocate(State(0), _heap, 0, (void*)Notes[0], bytes - 1) == Notes[0], "the block is resized where it lies");
                return;
            }

            Finding.Unless(FreeByFace((void*)Notes[0]), "the block is freed");
            Finding.Unless(AllocateByFace(bytes) != null, "the block is allocated");
            return;
        }

        Finding.Unless(Heap.Lock(State(1), _heap), "the heap is locked");
        byte* state = AddressMap.StateOf((void*)Notes[0]);
        byte seen = Shared.Read(state);
        Finding.Unless(Shared.Read(state) == seen, "a heap that stands still does not change");
        Finding.Unless(Heap.Validate(State(1), _heap, 0), "a heap that stands still is sound");
        Heap.Unlock(State(1), _heap);
    }

    public override void Check() => Conservation.Check(State(-1), _heap, 1);

    private bool FreeByFace(void* block) =>
        isProcess ? Heap.FreeProcess<ProcessFace>(State(0)->Process, block) != 0 : Free(0, _heap, block);

    private void* AllocateByFace(nuint bytes) =>
        isProcess ? Heap.AllocateProcess<ProcessFace>(State(0)->Process, bytes) : Allocate(0, _heap, bytes);

    private readonly struct ProcessFace : ISlowPath
    {
        public static bool IsProcess => true;

        public static void* Allocate(nint handle, uint flags, nuint bytes, ThreadState* thread) => Heap.AllocateUncommon(State(0), handle, flags, bytes);

        public static void* AllocateProcess(nuint bytes) => Allocate(Heap.ProcessHandle, 0, bytes, null);

        public static int Free(nint handle, uint flags, void* block, ThreadState* thread) => Heap.FreeSlow(State(0), handle, flags, block) ? 1 : 0;
    }
}
