using PrivateHeaps.Heaps;

namespace PrivateHeaps.Explorer;

/// <summary>
/// A few threads that do a few things with the engine, and what must hold whatever the order. What threads find out they keep in <see cref="World.Notes"/>.
/// </summary>
internal abstract unsafe class Model(string name, int threadCount = 2)
{
    public const int MostThreads = 3;

    public string Name => name;

    public int ThreadCount => threadCount;

    /// <summary>Whether stores may be kept back.</summary>
    public virtual bool KeepsStores => true;

    /// <summary>Makes the world that every schedule begins with.</summary>
    public virtual void Prepare()
    {
        Finding.Unless(Engine.Start(), "the engine starts");
        for (int thread = -1; thread < threadCount; thread++)
        {
            World.States[thread + 1] = (nint)Threads.Create();
        }
    }

    /// <summary>What one thread does.</summary>
    public abstract void Run(int thread);

    /// <summary>Whether signals come to the thread.</summary>
    public virtual bool IsInterrupted(int thread) => false;

    /// <summary>What the handler of a signal does that came to the thread.</summary>
    public virtual void Handle(int thread)
    {
    }

    /// <summary>What must hold when all have done it.</summary>
    public abstract void Check();

    protected static nint* Notes => World.Notes;

    /// <summary>The state of one of the threads, or of the one that prepares and checks (-1).</summary>
    protected static ThreadState* State(int thread) => (ThreadState*)World.States[thread + 1];

    /// <summary>A heap in which every thread of the model has a cache.</summary>
    protected nint MakeHeap(nuint initialBytes = 64 * 1024, nuint maximumBytes = 0)
    {
        nint handle = MakeHeapWithoutCaches(initialBytes, maximumBytes);
        for (int thread = 0; thread < threadCount; thread++)
        {
            Finding.Unless(Heap.Free(State(thread), handle, 0, Allocate(thread, handle, 16)), "the cache is made");
        }

        return handle;
    }

    /// <summary>A heap in which every thread gets a cache with its first call.</summary>
    protected static nint MakeHeapWithoutCaches(nuint initialBytes = 64 * 1024, nuint maximumBytes = 0)
    {
        HeapLimits limits = default;
        limits.InitialBytes = initialBytes;
        limits.MaximumBytes = maximumBytes;
        nint handle = Heap.Create(State(-1), &limits);
        Finding.Unless(handle != 0, "the heap is made");
        Heap.EnableFrontEnd(handle);
        return handle;
    }

    protected static byte* Allocate(int thread, nint handle, nuint bytes)
    {
        byte* block = (byte*)Heap.Allocate(State(thread), handle, 0, bytes);
        Finding.Unless(block != null, "the block is allocated");
        return block;
    }

    protected static bool Free(int thread, nint handle, void* block) => Heap.Free(State(thread), handle, 0, block);
}
