using System.Diagnostics;
using System.Numerics;

namespace PrivateHeaps.Explorer.Scheduling;

/// <summary>One schedule again; with a line for each access, if there is somebody to read it.</summary>
internal sealed class Replay(Schedule schedule, TextWriter? teller = null) : Strategy
{
    private bool _hasBegun;

    public override bool StopsEverywhere => true;

    public override bool Begin()
    {
        bool isFirst = !_hasBegun;
        _hasBegun = true;
        return isFirst;
    }

    public override int Preempt(int self, uint others)
    {
        int chosen = schedule.Find(Scheduler.Moment, Schedule.Switch);
        return chosen < 0 || (others >> chosen & 1) == 0 ? self : chosen;
    }

    public override int Pick(uint ready)
    {
        int chosen = schedule.Find(Scheduler.Moment, Schedule.Switch);
        return chosen >= 0 && (ready >> chosen & 1) != 0 ? chosen : BitOperations.TrailingZeroCount(ready);
    }

    public override bool Keeps() => schedule.Find(Scheduler.Moment, Schedule.Keep) >= 0;

    public override bool SeesOld() => schedule.Find(Scheduler.Moment, Schedule.Old) >= 0;

    public override bool Interrupts() => schedule.Find(Scheduler.Moment, Schedule.Interrupt) >= 0;

    public override unsafe void Tell(int thread, int moment, void* word, bool writes)
    {
        if (teller == null)
        {
            return;
        }

        // Who called Shared, and who called that.
        IEnumerable<string> callers = new StackTrace(fNeedFileInfo: true).GetFrames()
            .Where(frame => frame.GetMethod()?.DeclaringType is Type type && type.Name is not ("Shared" or "Scheduler" or "Replay" or "CurrentOs" or "Os"))
            .Take(2)
            .Select(frame => $"{frame.GetMethod()!.DeclaringType!.Name}.{frame.GetMethod()!.Name}:{frame.GetFileLineNumber()}");
        teller.WriteLine($"{moment,6} thread {thread} {(writes ? "writes" : "reads ")} {(nint)word:x} in {string.Join(" < ", callers)}");
    }
}
