using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>Starts the engine on the first call of anybody, whatever has or has not run before.</summary>
internal static unsafe class Engine
{
    private const int Untouched = 0;
    private const int Starting = 1;
    private const int Ready = 2;

    private static int s_phase;

    /// <summary>
    /// True when the engine can serve; false when the system has not even the memory to start it. Then the next call goes on from there: each step keeps what
    /// it has, and is done again without harm.
    /// </summary>
    public static bool Start() => Shared.Read(ref s_phase) == Ready || StartSlow();

    private static bool StartSlow()
    {
        if (Shared.CompareExchange(ref s_phase, Starting, Untouched) == Untouched)
        {
            Os.Initialize();
            bool started = Metadata.Initialize() && AddressMap.Initialize() && Arena.Initialize() && ThreadCache.Initialize() && Threads.Initialize()
                && Diagnosis.Initialize() && HeapRegistry.Initialize() && HandleTable.Initialize() && FaceLock.Initialize()
                && Heap.CreateProcessHeap();

            // Partner: the read in Start; everything above is visible to who sees Ready.
            Shared.Write(ref s_phase, started ? Ready : Untouched);
        }

        while (Shared.Read(ref s_phase) == Starting)
        {
            Os.Yield();
        }

        return Shared.Read(ref s_phase) == Ready;
    }
}
