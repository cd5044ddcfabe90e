using System.Globalization;
using System.Text;

namespace PrivateHeaps.Explorer.Scheduling;

/// <summary>
/// The choices that make one schedule out of all, in the order of the moments they were made at. As text: "0&gt;1 17&gt;0 20k 31o" runs thread 1 first and 0 from
/// moment 17 on, keeps the store of moment 20 back, and at moment 31 lets a thread see what memory held before such a store; with "i" a signal comes.
/// </summary>
internal sealed class Schedule
{
    public const char Switch = '>';
    public const char Keep = 'k';
    public const char Old = 'o';
    public const char Interrupt = 'i';

    private readonly List<(int Moment, char Kind, int Thread)> _choices = [];

    public void Clear() => _choices.Clear();

    public void Add(int moment, char kind, int thread)
    {
        // A choice of who runs next is the last word at its moment.
        if (_choices.Count != 0 && _choices[^1].Moment == moment && _choices[^1].Kind == kind)
        {
            _choices.RemoveAt(_choices.Count - 1);
        }

        _choices.Add((moment, kind, thread));
    }

    /// <summary>The thread that was chosen at a moment, or for the other kinds any number if it was chosen; -1 if not.</summary>
    public int Find(int moment, char kind)
    {
        foreach ((int at, char what, int thread) in _choices)
        {
            if (at == moment && what == kind)
            {
                return thread;
            }
        }

        return -1;
    }

    public static Schedule Parse(string text)
    {
        Schedule schedule = new();
        foreach (string choice in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            int kind = choice.IndexOfAny([Switch, Keep, Old, Interrupt]);
            int moment = int.Parse(choice.AsSpan(0, kind), CultureInfo.InvariantCulture);
            schedule.Add(moment, choice[kind], choice[kind] == Switch ? int.Parse(choice.AsSpan(kind + 1), CultureInfo.InvariantCulture) : 0);
        }

        return schedule;
    }

    public override string ToString()
    {
        StringBuilder text = new();
        foreach ((int moment, char kind, int thread) in _choices)
        {
            text.Append(CultureInfo.InvariantCulture, $"{(text.Length == 0 ? "" : " ")}{moment}{kind}");
            text.Append(kind == Switch ? thread.ToString(CultureInfo.InvariantCulture) : "");
        }

        return text.ToString();
    }
}
