using System.Runtime.CompilerServices;

namespace PrivateHeaps.Platform;

/// <summary>
/// A lock of four bytes that lives in memory of the engine's own: spins briefly, then sleeps in the system. Not recursive. Held for short
/// stretches only, and never while another heap's code runs. A thread must leave what it entered.
/// </summary>
internal unsafe struct OsLock
{
    private const int Free = 0;
    private const int Held = 1;
    private const int HeldWithWaiters = 2;
    private const int SpinCount = 100;
    private const int PatienceTurns = 200;
    private const long NoLimit = -1;

    private int _word;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Enter(OsLock* gate)
    {
        if (Interlocked.CompareExchange(ref gate->_word, Held, Free) != Free)
        {
            EnterSlow(gate);
        }
    }

    /// <summary>Takes the lock if nobody has it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryEnter(OsLock* gate) => Interlocked.CompareExchange(ref gate->_word, Held, Free) == Free;

    /// <summary>As <see cref="Enter"/>, for a while: false when the lock is held all the time, as it is by who was interrupted by a signal to come here.</summary>
    public static bool EnterSoon(OsLock* gate)
    {
        for (int turn = 0; turn < PatienceTurns; turn++)
        {
            if (TryEnter(gate))
            {
                return true;
            }

            if (turn < SpinCount)
            {
                Cpu.Pause();
            }
            else
            {
                Os.Yield();
            }
        }

        return false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Leave(OsLock* gate)
    {
        if (Interlocked.Exchange(ref gate->_word, Free) == HeldWithWaiters)
        {
            Os.Wake(&gate->_word, 1);
        }
    }

    /// <summary>Makes the lock free whatever its state; only for the child of a fork, which has one thread.</summary>
    public static void Reset(OsLock* gate) => Volatile.Write(ref gate->_word, Free);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void EnterSlow(OsLock* gate)
    {
        for (int spin = 0; spin < SpinCount; spin++)
        {
            if (Volatile.Read(ref gate->_word) == Free && Interlocked.CompareExchange(ref gate->_word, Held, Free) == Free)
            {
                return;
            }

            Cpu.Pause();
        }

        while (Interlocked.Exchange(ref gate->_word, HeldWithWaiters) != Free)
        {
            Os.Wait(&gate->_word, HeldWithWaiters, NoLimit);
        }
    }
}
