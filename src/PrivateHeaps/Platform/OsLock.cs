using System.Runtime.CompilerServices;
using PrivateHeaps.Foundation;

namespace PrivateHeaps.Platform;

/// <summary>
/// A lock of four bytes that lives in memory of the engine's own: spins briefly, then sleeps in the system. Not recursive. Held for short
/// stretches only, and never while another heap's code runs. A thread must leave what it entered.
/// </summary>
internal unsafe struct OsLock
{
    // The low byte of the word says that the lock is held, the next one that somebody may sleep: a word, since the system waits on words, and bytes, so that
    // the holder can give the one back by a store and look at the other. An atomic instruction in its place would cost as much as the one in Enter, 5 ns.
    private const int Free = 0;
    private const int Held = 1;
    private const int Sleepers = 1 << 8;
    private const int SpinCount = 100;
    private const int PatienceTurns = 200;
    private const long NoLimit = -1;
    private const long FirstNapNanoseconds = 50_000;
    private const long LongestNapNanoseconds = 10_000_000;

    private int _word;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Enter(OsLock* gate)
    {
        if (Shared.CompareExchange(&gate->_word, Held, Free) != Free)
        {
            EnterSlow(gate);
        }
    }

    /// <summary>Takes the lock if nobody has it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryEnter(OsLock* gate) => Shared.CompareExchange(&gate->_word, Held, Free) == Free;

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

    /// <summary>Whether the calling thread can wait for the lock: that it has not been interrupted by a signal while it held it. Sometimes false without need.</summary>
    public static bool MayWait(OsLock* gate)
    {
        bool entered = EnterSoon(gate);
        if (entered)
        {
            Leave(gate);
        }

        return entered;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Leave(OsLock* gate)
    {
        byte* bytes = (byte*)gate;
        Shared.Write(&bytes[0], 0);

        // Partner: the exchange in EnterSlow. The processor may look here before the store above is seen by others.
        if (Shared.Read(&bytes[1]) != 0)
        {
            LeaveSlow(gate);
        }
    }

    /// <summary>Makes the lock free whatever its state; only for the child of a fork, which has one thread.</summary>
    public static void Reset(OsLock* gate) => Shared.Write(&gate->_word, Free);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void EnterSlow(OsLock* gate)
    {
        for (int spin = 0; spin < SpinCount; spin++)
        {
            int seen = Shared.Read(&gate->_word);
            if ((seen & Held) == 0 && Shared.CompareExchange(&gate->_word, seen | Held, seen) == seen)
            {
                return;
            }

            Cpu.Pause();
        }

        long nap = NoLimit;
        for (; ; )
        {
            int seen = Shared.Exchange(&gate->_word, Held | Sleepers);
            if ((seen & Held) == 0)
            {
                return;
            }

            // Who is the first to say that somebody sleeps keeps watch until the lock is his, since the holder may have been leaving at that very moment
            // and not have seen it, and a wake of former days may come before that shows here. Who finds it said is woken by the holder or his successors,
            // of whom the watch is one.
            if ((seen & Sleepers) == 0)
            {
                nap = FirstNapNanoseconds;
            }

            Os.Wait(&gate->_word, Held | Sleepers, nap);
            if (nap > 0 && nap < LongestNapNanoseconds)
            {
                nap *= 2;
            }
        }
    }

    // Wakes one sleeper, who says again that there may be others. If somebody has taken the lock meanwhile, that is left to him.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void LeaveSlow(OsLock* gate)
    {
        if (Shared.CompareExchange(&gate->_word, Free, Sleepers) == Sleepers)
        {
            Os.Wake(&gate->_word, 1);
        }
    }
}
