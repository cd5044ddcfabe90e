using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Heaps;

/// <summary>The calling thread's state in a .NET process. In the native library the C shim has this part.</summary>
internal static unsafe class CurrentThread
{
    // A raw pointer: a thread-static struct would cost a helper call.
    [ThreadStatic]
    private static ThreadState* t_state;

    private static readonly List<(Thread Thread, nint State)> s_attached = [];
    private static bool s_sweeps;

    /// <summary>Never null. <exception cref="OutOfMemoryException">There is no memory for the engine or for this thread's state.</exception>
    /// <exception cref="PlatformNotSupportedException">The process is not a 64-bit one of Linux, Windows or macOS.</exception></summary>
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
        if (!CurrentOs.IsSupported)
        {
            throw new PlatformNotSupportedException(
                $"PrivateHeaps runs in 64-bit processes on Linux, Windows and macOS, and this is a {8 * sizeof(nint)}-bit process on {RuntimeInformation.OSDescription}.");
        }

        // What .NET does on the way, the first time, may change the last error, which a call that succeeds leaves alone.
        int error = Marshal.GetLastPInvokeError();
        ThreadState* state = Engine.Start() ? Threads.Create() : null;
        if (state == null)
        {
            throw new OutOfMemoryException("The system has no memory for the heap's own structures of this thread.");
        }

        lock (s_attached)
        {
            DetachEndedThreads();
            s_attached.Add((Thread.CurrentThread, (nint)state));
            if (!s_sweeps)
            {
                s_sweeps = true;
                _ = new Sweeper();
            }
        }

        t_state = state;
        CachePlaces.Watch(state);
        ProcessChecks.Begin(state);
        Marshal.SetLastPInvokeError(error);
        return state;
    }

    /// <summary>
    /// Gives back what threads that ended have left. Each new thread sweeps up after them: waiting for a collection alone would let short-lived threads pile
    /// up their caches.
    /// </summary>
    public static void DetachEndedThreads()
    {
        lock (s_attached)
        {
            for (int index = s_attached.Count - 1; index >= 0; index--)
            {
                ThreadState* state = (ThreadState*)s_attached[index].State;

                // Partner: CachePlaces.TryGet, by which the thread may use its caches until it has zeroed StackLow. That comes a little after .NET calls it dead.
                if (!s_attached[index].Thread.IsAlive && Shared.Read(&state->StackLow) == 0)
                {
                    Threads.Detach(state);
                    s_attached.RemoveAt(index);
                }
            }
        }
    }

    /// <summary>Garbage from birth, and again after each collection: its finalizer sweeps when no new thread comes. No block is freed by it.</summary>
    private sealed class Sweeper
    {
        ~Sweeper()
        {
            DetachEndedThreads();
            GC.ReRegisterForFinalize(this);
        }
    }
}
