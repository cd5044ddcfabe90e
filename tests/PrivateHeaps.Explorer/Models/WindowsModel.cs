using PrivateHeaps.Heaps;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Explorer.Models;

/// <summary>Two threads are the first to have a block in a window of the address map, outside of home.</summary>
internal sealed unsafe class WindowsModel() : Model("windows")
{
    private const nuint BlockBytes = 2 * 1024 * 1024;

    private nint _heap;

    public override void Prepare()
    {
        base.Prepare();
        _heap = MakeHeap();
        byte* next;
        do
        {
            next = (byte*)World.Take(AddressMap.WindowBytes, AddressMap.WindowBytes) + AddressMap.WindowBytes;
        }
        while (Home.Holds(Home.GranuleOf(Home.Current, AddressMap.Turn(next))));

        Finding.Unless(AddressMap.WindowOf((nuint)next) == null, "no heap has memory in the window");
    }

    public override void Run(int thread) => Notes[thread] = (nint)Allocate(thread, _heap, BlockBytes);

    public override void Check()
    {
        for (int thread = 0; thread < 2; thread++)
        {
            Finding.Unless(Heap.Size(State(-1), _heap, 0, (void*)Notes[thread]) == BlockBytes, "the block is known");
            Finding.Unless(Free(thread, _heap, (void*)Notes[thread]), "the block is freed");
        }
    }
}
