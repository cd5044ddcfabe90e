using System.Runtime.InteropServices;
using PrivateHeaps.Explorer;
using PrivateHeaps.Explorer.Scheduling;

namespace PrivateHeaps.Platform;

/// <summary>What the engine asks of the process around it.</summary>
internal static unsafe class Host
{
    public static void SetLastError(uint code)
    {
    }

    public static int ConfiguredContract() => 0;

    public static void FailFast(byte* sentence) => throw new Finding("the engine ends the process: " + Marshal.PtrToStringUTF8((nint)sentence));

    public static void SetThread(void* thread) => World.States[Scheduler.Current + 1] = (nint)thread;

    public static void* AttachedThread() => (void*)World.States[Scheduler.Current + 1];

    public static ulong HoldSignals() => 0;

    public static void ReleaseSignals(ulong held)
    {
    }

    public static int WantsHugePages() => 0;

    public static void* ThreadWords() => null;

    /// <summary>For the malloc family of the native library alone.</summary>
    public static void* CallingThread() => null;

    /// <summary>As <see cref="CallingThread"/>.</summary>
    public static void NoteHead(void* thread)
    {
    }

    public static int ThreadEnded() => 0;

    public static byte* Variable(byte* name) => null;

    public static void WriteError(byte* text, nuint bytes)
    {
    }

    public static void AppendToFile(byte* path, byte* text, nuint bytes)
    {
    }
}
