using System.Runtime.CompilerServices;

namespace PrivateHeaps.Heaps;

/// <summary>The calling thread's state in a .NET process. In the native library the C shim has this part.</summary>
internal static unsafe class CurrentThread
{
    // A raw pointer: a thread-static struct would cost a helper call.
    [ThreadStatic]
    private static ThreadState* t_state;

    [ThreadStatic]
    private static Guard? t_guard;

    /// <summary>Never null. <exception cref="OutOfMemoryException">There is no memory for the engine or for this thread's state.</exception></summary>
    public static ThreadState* State
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            ThreadState* state = t_state;
            return state != null ? state : Attach();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ThreadState* Attach()
    {
        ThreadState* state = Engine.Start() ? Threads.Create() : null;
        if (state == null)
        {
            throw new OutOfMemoryException("The system has no memory for the heap's own structures of this thread.");
        }

        t_guard = new Guard(state);
        t_state = state;
        return state;
    }

    /// <summary>Becomes garbage when its thread has ended; its finalizer then gives the thread's caches back. No block is freed by it.</summary>
    private sealed class Guard(ThreadState* state)
    {
        private readonly ThreadState* _state = state;

        ~Guard() => Threads.Detach(_state);
    }
}
