using System.Globalization;
using PrivateHeaps;
using PrivateHeaps.Explorer;
using PrivateHeaps.Explorer.Models;
using PrivateHeaps.Explorer.Scheduling;
using PrivateHeaps.Slabs;

// Explores every model, then every mutation with the models that are to see it. The last line is "N passed, N failed".
//   --deep                    20 minutes long, which the models share, and with another seed each time, which is printed
//   --minutes N               in place of these 20
//   --seed N                  for what is chosen at random
//   --model NAME              this one only
//   --mutation NAME           this one only
//   --replay "SCHEDULE"       one schedule of the model (and mutation) that were named, as a finding printed it
Model[] models =
[
    new LockModel("lock", works: true),
    new LockModel("sleep", works: false),
    new GateModel("gate", isProcess: false),
    new GateModel("gate-process", isProcess: true),
    new GateModel("gate-fitted", isProcess: false, 1024 * 1024),
    new GateModel("gate-common", isProcess: false, isCommon: true),
    new GateModel("gate-page", isProcess: false, bytes: 4096, isCommon: true),
    new GateModel("gate-resize", isProcess: false, isCommon: true, resizes: true),
    new ExclusiveModel(),
    new ForkModel(),
    new ExchangeModel("bin", isEager: false),
    new ExchangeModel("depot", isEager: true),
    new GrowthModel(),
    new WindowsModel(),
    new RegistryModel("registry"),
    new RegistryModel("late", isLate: true),
    new RegistryModel("signal-next", isInterrupted: true),
    new LifetimeModel(),
    new ExitModel(),
    new StartModel(),
    new WalkModel(),
    new HandleModel(),
    new MoveableModel("moveable-small", 40),
    new MoveableModel("moveable-large", 300 * 1024),
    new MoveableModel("moveable-solo", 2 * 1024 * 1024),
    new InterruptModel("signal-small", 40, Beside.Frees),
    new InterruptModel("signal-medium", 40 * 1024, Beside.Frees),
    new InterruptModel("signal-compact", 40 * 1024, Beside.Compacts),
    new InterruptModel("signal-lock", 40, Beside.Locks),
    new InterruptModel("signal-same", 40, Beside.FreesTheSame),
    new InterruptModel("signal-same-page", 4096, Beside.FreesTheSame),
    new InterruptModel("signal-resizes", 40, Beside.ResizesTheSame),
    new InterruptModel("signal-resized", 40, Beside.FreesWhatIsResized),
    new DoubleFreeModel("free-small", 40),
    new DoubleFreeModel("free-medium", 40 * 1024),
    new DoubleFreeModel("free-large", 300 * 1024),
    new DoubleFreeModel("free-solo", 2 * 1024 * 1024),
    new DoubleFreeModel("free-fitted", 40, 1024 * 1024),
    new ResizeModel("resize-small", 40, 44),
    new ResizeModel("resize-slack", 2900, 2600),
    new ResizeModel("resize-common", 2900, 2600, isCommon: true),
    new ResizeModel("resize-freed", 2900, 2600, otherBytes: 40),
    new ResizeModel("resize-freed-common", 2900, 2600, isCommon: true, otherBytes: 40),
    new ResizeModel("resize-moves", 40, 400),
    new ResizeModel("resize-moves-common", 40, 400, isCommon: true),
    new ResizeModel("resize-grows", 20 * 1024, 40 * 1024, grownFrom: 10 * 1024),
    new ResizeModel("resize-leaves", 300 * 1024, 2 * 1024 * 1024),
    new ResizeModel("resize-large", 300 * 1024, 290 * 1024),
    new ResizeModel("resize-solo", 2 * 1024 * 1024, 3 * 1024 * 1024),
    new ResizeModel("resize-copies", 2 * 1024 * 1024, 100),
    new ResizeModel("resize-fitted", 40, 70, 1024 * 1024),
    new ResizeModel("resize-twice", 2900, 2600, alsoWanted: 2700, isCommon: true),
    new ResizeModel("resize-twice-large", 300 * 1024, 290 * 1024, alsoWanted: 280 * 1024),
    new ResizeModel("resize-twice-moves", 40, 400, alsoWanted: 600),
    new ClearModel("clear-moves", 400),
    new ClearModel("clear-large", 40 * 1024),
    new ClearModel("clear-run", 300 * 1024),
    new ClearModel("clear-zeroed", 400, isZeroed: true),
    new StaleFreeModel("stale-small", 40, 48),
    new StaleFreeModel("stale-large", 300 * 1024, 600 * 1024),
    new DissolveModel("dissolve", 2, SlabBias.Nobodys, DissolveModel.SmallBytes, 1100),
    new DissolveModel("dissolve-pages", 2, SlabBias.Nobodys, DissolveModel.LargeBytes, 128 * 1024),
    new DissolveModel("dissolve-large", 2, SlabBias.Nobodys, DissolveModel.LargeBytes, 300 * 1024),
    new DissolveModel("dissolve-ours", 2, SlabBias.Ours, DissolveModel.LargeBytes, 300 * 1024),
    new DissolveModel("dissolve-theirs", 2, SlabBias.Theirs, DissolveModel.SmallBytes, 1100),
    new DissolveModel("dissolve-three", 3, SlabBias.Nobodys, DissolveModel.SmallBytes, 1100),
    new DissolveModel("dissolve-visitor", 2, SlabBias.Nobodys, DissolveModel.SmallBytes, 1100, haveCaches: false),
    new DissolveModel("return", 2, SlabBias.Ours, DissolveModel.SmallBytes, DissolveModel.SmallBytes, freesLater: true, haveCaches: false),
    new DissolveModel("return-three", 3, SlabBias.Ours, DissolveModel.SmallBytes, DissolveModel.SmallBytes, freesLater: true),
    new VacantModel("vacant", 1000, isTakenByOther: true),
    new VacantModel("vacant-page", 4096, isTakenByOther: true),
    new VacantModel("vacant-again", 1000, isTakenByOther: false),
    new ForeignSlabModel(),
    new StaleFreeModel("stale-mixed", 300 * 1024, 40 * 1024),
    new StaleFreeModel("stale-other", 2 * 1024 * 1024, 2 * 1024 * 1024, isOfOtherHeap: true),
    new StaleFreeModel("stale-solo", 2 * 1024 * 1024, 3 * 1024 * 1024),
];

string? Option(string name) => Array.IndexOf(args, name) is int at and >= 0 && at + 1 < args.Length ? args[at + 1] : null;
bool deep = args.Contains("--deep");
int seed = Option("--seed") is string number ? int.Parse(number, CultureInfo.InvariantCulture) : deep ? Environment.TickCount & 0xFFFF : 1;
double minutes = Option("--minutes") is string text ? double.Parse(text, CultureInfo.InvariantCulture) : 20;

// What chance finds once in some ten thousand schedules, it may miss in one go.
const int MutationAttempts = 4;
Effort effort = deep
    ? new Effort(int.MaxValue, int.MaxValue, seed, TimeSpan.FromMinutes(minutes) / (Option("--model") == null ? models.Length : 1))
    : new Effort(1_000, 200, seed, Effort.NoLimit);
int passed = 0, failed = 0;
if (Option("--replay") is string schedule)
{
    Mutant.Choose(Option("--mutation"));
    Exploration once = new(models.Single(model => model.Name == Option("--model")));
    once.Run(Schedule.Parse(schedule));
    Console.WriteLine(once.Failure?.ToString() ?? "nothing is wrong");
    return once.Failure == null ? 0 : 1;
}

Console.WriteLine($"seed {seed}");
foreach (Model model in models.Where(model => Option("--mutation") == null && (Option("--model") ?? model.Name) == model.Name))
{
    Exploration exploration = new(model);
    exploration.Run(effort);
    bool good = exploration.Failure == null;
    Console.WriteLine($"{(good ? "ok" : "not ok")} {model.Name,-16} {exploration.Schedules,8:N0} schedules ({exploration.Bound}) in {exploration.Elapsed.TotalSeconds:F1} s");
    Report(exploration);
    _ = good ? passed++ : failed++;
}

foreach ((string name, string[] seers) in Mutant.All.Where(mutation => Option("--model") == null && (Option("--mutation") ?? mutation.Name) == mutation.Name))
{
    foreach (string seer in seers)
    {
        Mutant.Choose(name);
        Exploration exploration = new(models.Single(model => model.Name == seer));
        exploration.Run(new Effort(1_000, 1_000, seed, Effort.NoLimit));
        for (int attempt = 1; exploration.Failure == null && attempt <= MutationAttempts; attempt++)
        {
            exploration.Run(new Effort(10_000, 30_000, seed + attempt, Effort.NoLimit));
        }

        bool seen = exploration.Failure != null;
        Console.WriteLine($"{(seen ? "ok" : "not ok")} {seer,-16} {exploration.Schedules,8:N0} schedules until it {(seen ? "saw" : "did NOT see")} that {name}: {exploration.Failure?.Message}");
        _ = seen ? passed++ : failed++;
    }
}

Mutant.Choose(null);
Console.WriteLine($"{passed} passed, {failed} failed");
return failed == 0 && passed > 0 ? 0 : 1;

static void Report(Exploration exploration)
{
    if (exploration.Failure != null)
    {
        Console.WriteLine(exploration.Failure is Finding ? exploration.Failure.Message : exploration.Failure.ToString());
        Console.WriteLine($"     the schedule: {(exploration.Schedule.Length < 2000 ? exploration.Schedule : exploration.Schedule[..2000] + "...")}");
    }
}
