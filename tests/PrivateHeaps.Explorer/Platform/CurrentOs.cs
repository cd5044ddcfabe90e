using PrivateHeaps.Explorer;
using PrivateHeaps.Explorer.Scheduling;

namespace PrivateHeaps.Platform;

/// <summary>The system of the explored process: its memory is the <see cref="World"/>, its processors are the scheduler.</summary>
internal static unsafe class CurrentOs
{
    public static void Fill(out OsTable table)
    {
        table.PageBytes = 4096;
        table.ChargesCommits = false;
        table.UsesHugePages = false;
        table.HugePageBytes = 0;
        table.WishHuge = null;
        table.CountResident = null;
        table.DivideHuge = null;
        table.Nanoseconds = null;
        table.Reserve = &Reserve;
        table.Map = &Map;
        table.Commit = &Commit;
        table.Decommit = &Decommit;
        table.Release = &Release;
        table.Resize = &Resize;
        table.Move = null;
        table.NodeNumber = null;
    }

    // Small, so that the engine's reservations are.
    public static nuint AddressSpaceLimit() => World.Bytes;

    public static bool RegisterProcessBarrier() => true;

    public static void ProcessBarrier()
    {
        if (!Mutant.LosesBarriers)
        {
            Scheduler.FenceAll();
        }
    }

    public static void Wait(int* word, int value, long nanoseconds) => Scheduler.Sleep(word, value, nanoseconds >= 0);

    public static void Wake(int* word, int count) => Scheduler.Wake(word, count);

    public static void Yield() => Scheduler.Spin();

    public static bool TryRead(void* from, void* to, nuint bytes) => false;

    public const nuint HomeWindows = 8;

    public static bool Show(void* address, nuint bytes) => true;

    public static bool Hide(void* address, nuint bytes) => false;

    private static void* Reserve(nuint bytes) => World.Take(bytes, 4096);

    private static void* Map(nuint bytes, nuint alignment, bool executable) => World.Take(bytes, alignment);

    private static bool Commit(void* address, nuint bytes, bool executable) => true;

    // Whoever asked writes zeros then.
    private static bool Decommit(void* address, nuint bytes) => false;

    private static bool Release(void* address, nuint bytes)
    {
        World.Give(address, bytes);
        return true;
    }

    private static bool Resize(void* address, nuint oldBytes, nuint newBytes) => false;
}
