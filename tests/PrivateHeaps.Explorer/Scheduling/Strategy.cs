using System.Numerics;

namespace PrivateHeaps.Explorer.Scheduling;

/// <summary>Makes the choices of schedules, one schedule after the other. Sets of threads are bits.</summary>
internal abstract class Strategy
{
    /// <summary>Whether it is asked at words where no threads meet, too.</summary>
    public virtual bool StopsEverywhere => false;

    /// <summary>Prepares for the next schedule; false when there is none.</summary>
    public abstract bool Begin();

    /// <summary>Who goes on: the thread itself, or one of the others that are ready.</summary>
    public abstract int Preempt(int self, uint others);

    /// <summary>Who goes on, of those that are ready, when the current thread does not.</summary>
    public abstract int Pick(uint ready);

    /// <summary>Whether the store is kept back.</summary>
    public abstract bool Keeps();

    /// <summary>Whether the other thread's store that is kept back stays so.</summary>
    public abstract bool SeesOld();

    /// <summary>Whether a signal interrupts the thread here.</summary>
    public abstract bool Interrupts();

    /// <summary>The thread waits in a loop.</summary>
    public virtual void Yielded(int thread)
    {
    }

    /// <summary>The thread touches a word now; the access was begun at the moment.</summary>
    public virtual unsafe void Tell(int thread, int moment, void* word, bool writes)
    {
    }

    protected static int Member(uint set, int index)
    {
        for (; index > 0; index--)
        {
            set &= set - 1;
        }

        return BitOperations.TrailingZeroCount(set);
    }
}
