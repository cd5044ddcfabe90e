using System.Numerics;

namespace PrivateHeaps.Explorer.Scheduling;

/// <summary>
/// Runs the threads of a model one at a time. Before each access to a word that threads share, and wherever a thread cannot go on, the strategy says who
/// runs next; so the same choices give the same run. A store may be kept back until a fence of its thread, until a barrier of the whole process, or
/// until another thread looks and is to see it: what processors of the x86 kind do. Before each access of a thread to which signals come, the strategy says whether one
/// comes, whose handler then runs on this thread.
/// </summary>
internal static unsafe class Scheduler
{
    private const int MostMoments = 20_000;
    private const int MostIdleSpins = 1000;

    // A wait loop that nobody else can end may end by itself after some turns; before a sleeper wakes by himself it gets so many.
    private const int IdleSpinsBeforeTimers = 8;

    private static readonly VirtualThread[] s_threads = [.. Enumerable.Range(0, Model.MostThreads).Select(number => new VirtualThread(number, Run))];
    private static readonly SemaphoreSlim s_done = new(0);
    private static Model s_model = null!;
    private static Strategy s_strategy = null!;
    private static uint s_alive;
    private static uint s_spinning;
    private static uint s_sleeping;
    private static uint s_handling;
    private static int s_idleSpins;
    private static bool s_stops;
    private static bool s_keepsStores;
    private static Exception? s_failure;

    /// <summary>The thread that runs, or -1 outside of a schedule, when accesses are plain.</summary>
    public static int Current { get; private set; } = -1;

    /// <summary>What was chosen in this schedule where it was not the rule.</summary>
    public static Schedule Trace { get; } = new();

    /// <summary>Counts what the threads of this schedule did.</summary>
    public static int Moment { get; private set; }

    /// <summary>Runs one schedule over a world that is as the model has prepared it; what went wrong, or null.</summary>
    public static Exception? Run(Model model, Strategy strategy)
    {
        s_model = model;
        s_strategy = strategy;
        s_keepsStores = model.KeepsStores;
        s_alive = (1u << model.ThreadCount) - 1;
        s_spinning = s_sleeping = s_handling = 0;
        s_idleSpins = 0;
        s_stops = false;
        s_failure = null;
        Moment = 0;
        Trace.Clear();
        foreach (VirtualThread thread in s_threads)
        {
            thread.Stores.Clear();
            thread.SleepsOn = 0;
        }

        Current = Pick();
        s_threads[Current].Resume();
        s_done.Wait();
        Current = -1;
        if (s_failure != null)
        {
            return s_failure;
        }

        foreach (VirtualThread thread in s_threads)
        {
            Flush(thread);
        }

        try
        {
            model.Check();
            return null;
        }
        catch (Exception failure)
        {
            return failure;
        }
    }

    /// <summary>The current thread is about to touch a word; true when others may meet it there.</summary>
    public static bool Reach(void* word, int bytes, bool writes)
    {
        int self = Current;
        if (self < 0)
        {
            return false;
        }

        NextMoment();
        int moment = Moment;
        if (s_model.IsInterrupted(self) && (s_handling >> self & 1) == 0 && s_strategy.Interrupts())
        {
            Trace.Add(moment, Schedule.Interrupt, 0);
            s_handling |= 1u << self;
            s_model.Handle(self);
            s_handling &= ~(1u << self);
        }

        bool meets = Meetings.Note((nint)word, self, writes);
        if (meets || s_strategy.StopsEverywhere)
        {
            uint others = Ready & ~(1u << self);
            int next = others == 0 ? self : s_strategy.Preempt(self, others);
            if (next != self)
            {
                SwitchTo(next);
            }

            SeeStores(self, word, bytes);
        }

        s_strategy.Tell(self, moment, word, writes);
        return meets;
    }

    /// <summary>What this thread has stored and kept back it sees itself.</summary>
    public static void AddOwnStores(void* word, void* value, int bytes)
    {
        if (Current >= 0 && s_threads[Current].Stores.Count != 0)
        {
            s_threads[Current].Stores.Overlay(word, value, bytes);
        }
    }

    /// <summary>Keeps a store back, if the strategy says so or an earlier one is; false when it is to be carried out now.</summary>
    public static bool TryKeep(void* word, void* value, int bytes, bool meets)
    {
        if (Current < 0 || !s_keepsStores)
        {
            return false;
        }

        NextMoment();
        StoreBuffer stores = s_threads[Current].Stores;
        bool follows = stores.Count != 0;
        bool keeps = s_strategy.StopsEverywhere ? s_strategy.Keeps() : meets && (follows || s_strategy.Keeps());
        if (!keeps)
        {
            return false;
        }

        if (stores.IsFull)
        {
            stores.FlushOne();
        }

        stores.Add(word, value, bytes);
        Trace.Add(Moment, Schedule.Keep, 0);
        return true;
    }

    /// <summary>Another thread's store has come into memory: who waits for something looks again.</summary>
    public static void NoteWritten()
    {
        s_spinning = 0;
        s_idleSpins = 0;
    }

    /// <summary>Everything that the current thread has stored is seen by all.</summary>
    public static void Fence()
    {
        if (Current >= 0)
        {
            Flush(s_threads[Current]);
        }
    }

    /// <summary>The same for all threads.</summary>
    public static void FenceAll()
    {
        if (Current >= 0)
        {
            NextMoment();
            foreach (VirtualThread thread in s_threads)
            {
                Flush(thread);
            }
        }
    }

    /// <summary>The current thread waits in a loop: the others first.</summary>
    public static void Spin()
    {
        if (Current >= 0)
        {
            s_spinning |= 1u << Current;
            s_strategy.Yielded(Current);
            GiveWay();
        }
    }

    /// <summary>The current thread sleeps while the word holds the value.</summary>
    public static void Sleep(int* word, int value, bool isTimed)
    {
        Finding.Unless(Current >= 0, "a thread sleeps where there is no other");
        Reach(word, sizeof(int), writes: false);
        Fence();
        if (*word != value)
        {
            return;
        }

        VirtualThread self = s_threads[Current];
        self.SleepsOn = (nint)word;
        self.WakesByItself = isTimed;
        s_sleeping |= 1u << Current;
        GiveWay();
    }

    public static void Wake(int* word, int count)
    {
        if (Current < 0)
        {
            return;
        }

        Reach(word, sizeof(int), writes: true);
        Fence();
        for (int number = 0; number < s_threads.Length && count > 0; number++)
        {
            if (s_threads[number].SleepsOn == (nint)word)
            {
                Rouse(number);
                count--;
            }
        }
    }

    private static uint Ready => s_alive & ~s_spinning & ~s_sleeping;

    private static void NextMoment()
    {
        if (++Moment > MostMoments)
        {
            throw new Finding($"no end is in sight: alive {s_alive:b}, sleeping {s_sleeping:b}, in loops {s_spinning:b}");
        }
    }

    private static void Rouse(int number)
    {
        s_threads[number].SleepsOn = 0;
        s_sleeping &= ~(1u << number);
    }

    private static void Flush(VirtualThread thread)
    {
        if (thread.Stores.Count != 0)
        {
            while (thread.Stores.Count != 0)
            {
                thread.Stores.FlushOne();
            }

            NoteWritten();
        }
    }

    // The word is about to be touched, and another thread's store to it is kept back: either it comes first, or it is not seen.
    private static void SeeStores(int self, void* word, int bytes)
    {
        foreach (VirtualThread other in s_threads)
        {
            if (other.Number == self || other.Stores.Count == 0 || !other.Stores.Holds(word, bytes))
            {
                continue;
            }

            NextMoment();
            if (s_strategy.SeesOld())
            {
                Trace.Add(Moment, Schedule.Old, 0);
                continue;
            }

            do
            {
                other.Stores.FlushOne();
            }
            while (other.Stores.Holds(word, bytes));
            NoteWritten();
        }
    }

    // The current thread cannot go on, or should not.
    private static void GiveWay()
    {
        int next = Pick();
        if (next != Current)
        {
            SwitchTo(next);
        }
    }

    private static int Pick()
    {
        NextMoment();
        while (Ready == 0)
        {
            Advance();
        }

        int next = s_strategy.Pick(Ready);
        Trace.Add(Moment, Schedule.Switch, next);
        return next;
    }

    // Nobody can go on: a store comes into memory, a wait loop takes another turn, those who sleep for a limited time wake, or that is the end.
    private static void Advance()
    {
        foreach (VirtualThread thread in s_threads)
        {
            if (thread.Stores.Count != 0)
            {
                thread.Stores.FlushOne();
                NoteWritten();
                return;
            }
        }

        bool canSpin = (s_spinning & s_alive) != 0;
        s_idleSpins++;
        if (!canSpin || s_idleSpins > IdleSpinsBeforeTimers)
        {
            bool wakesAny = false;
            foreach (VirtualThread thread in s_threads)
            {
                if (thread.SleepsOn != 0 && thread.WakesByItself)
                {
                    Rouse(thread.Number);
                    wakesAny = true;
                }
            }

            if (wakesAny)
            {
                s_idleSpins = 0;
                return;
            }
        }

        Finding.Unless(canSpin, "every thread sleeps and nobody wakes them");
        Finding.Unless(s_idleSpins <= MostIdleSpins, "every thread waits in a loop for what nobody does");
        s_spinning = 0;
    }

    private static void SwitchTo(int next)
    {
        VirtualThread self = s_threads[Current];
        Trace.Add(Moment, Schedule.Switch, next);
        Current = next;
        s_threads[next].Resume();
        self.AwaitBaton();
        if (s_stops)
        {
            throw new Stopped();
        }
    }

    // What a virtual thread does with the baton it is given first.
    private static void Run(int number)
    {
        try
        {
            if (!s_stops)
            {
                s_model.Run(number);
            }
        }
        catch (Stopped)
        {
        }
        catch (Exception failure)
        {
            Fail(failure);
        }

        s_alive &= ~(1u << number);
        if (s_alive == 0)
        {
            s_done.Release();
            return;
        }

        int next = -1;
        try
        {
            next = s_stops ? -1 : Pick();
        }
        catch (Exception failure)
        {
            Fail(failure);
        }

        // After a failure each of the others gets the baton once, to leave.
        Current = next >= 0 ? next : BitOperations.TrailingZeroCount(s_alive);
        s_threads[Current].Resume();
    }

    private static void Fail(Exception failure)
    {
        s_failure ??= failure;
        s_stops = true;
    }

    /// <summary>Takes a thread out of a schedule that has failed.</summary>
    private sealed class Stopped : Exception;
}
