using System.Numerics;

namespace PrivateHeaps.Explorer.Scheduling;

/// <summary>Each choice by the dice, more often for the thread that runs.</summary>
internal sealed class AtRandom(int seed, int mostSchedules) : Strategy
{
    private readonly Random _random = new(seed);
    private int _schedules;

    public override bool Begin() => _schedules++ < mostSchedules;

    public override int Preempt(int self, uint others) => _random.Next(3) != 0 ? self : Pick(others);

    public override int Pick(uint ready) => Member(ready, _random.Next(BitOperations.PopCount(ready)));

    public override bool Keeps() => _random.Next(3) == 0;

    public override bool SeesOld() => _random.Next(2) == 0;

    public override bool Interrupts() => _random.Next(40) == 0;
}
