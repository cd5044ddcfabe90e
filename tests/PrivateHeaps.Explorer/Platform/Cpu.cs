using PrivateHeaps.Explorer.Scheduling;

namespace PrivateHeaps.Platform;

/// <summary>Who waits lets the others run.</summary>
internal static class Cpu
{
    public static void Pause() => Scheduler.Spin();
}
