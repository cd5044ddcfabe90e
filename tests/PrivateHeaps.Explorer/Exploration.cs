using System.Diagnostics;
using PrivateHeaps.Explorer.Scheduling;

namespace PrivateHeaps.Explorer;

/// <summary>How much of a model is explored: so many schedules, but none that begins when the time is over.</summary>
internal sealed record Effort(int DepthFirst, int Random, int Seed, TimeSpan MostTime)
{
    public const int Learning = 100;

    /// <summary>Of time.</summary>
    public static readonly TimeSpan NoLimit = TimeSpan.FromDays(1);
}

/// <summary>Explores a model until something is wrong or the effort is made.</summary>
internal sealed class Exploration(Model model)
{
    // How often threads are interrupted, and how many stores are kept back.
    private static readonly (int Preemptions, int Kept)[] s_bounds = [(0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (2, 1), (3, 0), (2, 2), (3, 1)];

    private readonly Stopwatch _watch = new();
    private int _sinceTouched;

    public int Schedules { get; private set; }

    /// <summary>The depth-first part, in words.</summary>
    public string Bound { get; private set; } = "";

    public TimeSpan Elapsed => _watch.Elapsed;

    /// <summary>What was found; null for nothing.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>The schedule that shows it.</summary>
    public string Schedule { get; private set; } = "";

    public void Run(Effort effort)
    {
        Prepare();
        TimeSpan end = _watch.Elapsed + effort.MostTime;
        if (!TryAll(new AtRandom(effort.Seed, Effort.Learning), end))
        {
            return;
        }

        // What is over in time goes to chance.
        TimeSpan middle = Middle(end);
        int left = effort.DepthFirst;
        foreach ((int preemptions, int kept) in s_bounds)
        {
            int before = Schedules;
            DepthFirst strategy = new(preemptions, kept);
            if ((kept == 0 || model.KeepsStores) && left > 0 && _watch.Elapsed < middle)
            {
                if (!TryAll(strategy, middle, left))
                {
                    return;
                }

                left -= Schedules - before;
                string bound = $"{preemptions} preemption{(preemptions == 1 ? "" : "s")}{(kept == 0 ? "" : $" and {kept} kept store{(kept == 1 ? "" : "s")}")}";
                Bound = strategy.IsComplete ? $"all with {bound}" : $"{Bound}, some with {bound}";
            }
        }

        _ = TryAll(new Priorities(effort.Seed, effort.Random, changes: 3), Middle(end)) && TryAll(new AtRandom(effort.Seed + 1, effort.Random), end);
    }

    /// <summary>One schedule, as it was printed.</summary>
    public void Run(Schedule schedule)
    {
        Prepare();
        TryAll(new Replay(schedule, Console.Out), Effort.NoLimit);
    }

    private void Prepare()
    {
        _watch.Start();
        Meetings.Clear();
        World.Clear();
        model.Prepare();
        World.Save();
        _sinceTouched = 0;
    }

    private TimeSpan Middle(TimeSpan end) => _watch.Elapsed + ((end - _watch.Elapsed) / 2);

    private bool TryAll(Strategy strategy, TimeSpan end, int most = int.MaxValue)
    {
        for (; most > 0 && _watch.Elapsed < end && strategy.Begin(); most--)
        {
            World.Restore();
            Exception? failure = Scheduler.Run(model, strategy);
            Schedules++;

            // The longer no schedule has touched a page that none before had, the more rarely it is looked for.
            _sinceTouched++;
            bool isNew = (failure != null || int.IsPow2(_sinceTouched)) && World.AddTouchedPages();
            _sinceTouched = isNew ? 0 : _sinceTouched;
            if (failure != null && strategy is not Replay && isNew)
            {
                // It may have been what an earlier schedule left there.
                World.Restore();
                failure = Scheduler.Run(model, new Replay(Scheduling.Schedule.Parse(Scheduler.Trace.ToString())));
            }

            if (failure != null)
            {
                Failure = failure;
                Schedule = Scheduler.Trace.ToString();
                _watch.Stop();
                return false;
            }
        }

        return true;
    }
}
