using System.Numerics;

namespace PrivateHeaps.Explorer.Scheduling;

/// <summary>Every schedule in which threads are preempted at most so often, at most so many stores are kept back, and at most one signal comes.</summary>
internal sealed class DepthFirst(int mostPreemptions, int mostKept) : Strategy
{
    private readonly List<(int Chosen, int Count)> _path = [];
    private bool _hasBegun;
    private int _depth;
    private int _preemptions;
    private int _kept;
    private bool _isInterrupted;

    /// <summary>Whether there is none left.</summary>
    public bool IsComplete { get; private set; }

    public override bool Begin()
    {
        while (_hasBegun && _path.Count != 0 && _path[^1].Chosen + 1 == _path[^1].Count)
        {
            _path.RemoveAt(_path.Count - 1);
        }

        IsComplete = _hasBegun && _path.Count == 0;
        if (_hasBegun && !IsComplete)
        {
            _path[^1] = (_path[^1].Chosen + 1, _path[^1].Count);
        }

        _hasBegun = true;
        _depth = _preemptions = _kept = 0;
        _isInterrupted = false;
        return !IsComplete;
    }

    public override int Preempt(int self, uint others)
    {
        int choice = _preemptions < mostPreemptions ? Decide(1 + BitOperations.PopCount(others)) : 0;
        _preemptions += choice == 0 ? 0 : 1;
        return choice == 0 ? self : Member(others, choice - 1);
    }

    public override int Pick(uint ready) => Member(ready, Decide(BitOperations.PopCount(ready)));

    public override bool Keeps()
    {
        bool keeps = _kept < mostKept && Decide(2) == 1;
        _kept += keeps ? 1 : 0;
        return keeps;
    }

    public override bool SeesOld() => Decide(2) == 1;

    public override bool Interrupts()
    {
        bool interrupts = !_isInterrupted && Decide(2) == 1;
        _isInterrupted |= interrupts;
        return interrupts;
    }

    private int Decide(int count)
    {
        if (count == 1)
        {
            return 0;
        }

        if (_depth == _path.Count)
        {
            _path.Add((0, count));
        }

        // Words that have become meeting places since add choices; what was chosen there before is still one of them.
        return Math.Min(_path[_depth++].Chosen, count - 1);
    }
}
