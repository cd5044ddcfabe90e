using PrivateHeaps.Explorer.Scheduling;

namespace PrivateHeaps.Platform;

/// <summary>Who waits lets the others run; what is fetched early changes nothing.</summary>
internal static class Cpu
{
    public static void Pause() => Scheduler.Spin();

    public static unsafe void Fetch(void* address) => _ = address;
}
