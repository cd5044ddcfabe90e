using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Explorer.Models;

/// <summary>
/// The lock that is left by a store: one holds it at a time, and nobody sleeps for ever. Without work under the lock there are fewer schedules, so that more
/// of those are tried in which threads sleep.
/// </summary>
internal sealed unsafe class LockModel(string name, bool works) : Model(name, 3)
{
    private static OsLock* Gate => (OsLock*)Notes;

    private static nint* Inside => Notes + 8;

    public override void Prepare() => World.Notes[0] = 0;

    public override void Run(int thread)
    {
        for (int turn = 0; turn < (thread == 0 ? 2 : 1); turn++)
        {
            OsLock.Enter(Gate);
            Work();
            OsLock.Leave(Gate);
        }

        if (thread == 2 && OsLock.TryEnter(Gate))
        {
            Work();
            OsLock.Leave(Gate);
        }
    }

    public override void Check() => Finding.Unless(*Inside == 0, "the lock is free in the end");

    private void Work()
    {
        if (!works)
        {
            return;
        }

        nint before = Shared.Read(Inside);
        Finding.Unless(before == 0, "the lock has one holder");
        Shared.Write(Inside, 1);
        Finding.Unless(Shared.Read(Inside) == 1, "the lock has one holder");
        Shared.Write(Inside, 0);
    }
}
