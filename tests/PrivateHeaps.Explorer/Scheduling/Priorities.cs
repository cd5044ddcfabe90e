namespace PrivateHeaps.Explorer.Scheduling;

/// <summary>
/// Each thread has a priority, and the first that can runs; at a few moments chosen beforehand the running one becomes the last. So a fault that needs
/// that many things in one order is met with a probability that has a lower bound (Burckhardt and others, "A randomized scheduler with probabilistic
/// guarantees of finding bugs").
/// </summary>
internal sealed class Priorities(int seed, int mostSchedules, int changes) : Strategy
{
    private readonly int[] _priorities = new int[Model.MostThreads];
    private readonly int[] _changeAt = new int[changes];
    private Random _random = new(seed);
    private int _schedules;
    private int _choices;
    private int _longest = 20;
    private int _lowest;

    public override bool Begin()
    {
        _longest = Math.Max(_longest, _choices);
        _random = new Random(HashCode(seed, _schedules));
        _choices = _lowest = 0;
        for (int thread = 0; thread < _priorities.Length; thread++)
        {
            _priorities[thread] = 1 + _random.Next(1 << 20);
        }

        for (int change = 0; change < changes; change++)
        {
            _changeAt[change] = 1 + _random.Next(_longest);
        }

        return _schedules++ < mostSchedules;
    }

    public override int Preempt(int self, uint others)
    {
        _choices++;
        if (_changeAt.AsSpan().Contains(_choices))
        {
            _priorities[self] = --_lowest;
        }

        return Pick(others | (1u << self));
    }

    public override int Pick(uint ready)
    {
        int best = -1;
        for (int thread = 0; thread < _priorities.Length; thread++)
        {
            if ((ready >> thread & 1) != 0 && (best < 0 || _priorities[thread] > _priorities[best]))
            {
                best = thread;
            }
        }

        return best;
    }

    public override bool Keeps() => _random.Next(4) == 0;

    public override bool SeesOld() => _random.Next(2) == 0;

    public override bool Interrupts() => _random.Next(40) == 0;

    public override void Yielded(int thread) => _priorities[thread] = --_lowest;

    // Two seeds that are neighbors share no schedules.
    private static int HashCode(int seed, int schedule) => unchecked((seed * 1_000_003) ^ (schedule * 7919));
}
