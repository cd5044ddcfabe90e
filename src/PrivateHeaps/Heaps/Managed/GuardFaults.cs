using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using PrivateHeaps.Checks;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Heaps;

/// <summary>
/// What a .NET process says about accesses to guard pages: the finding is told on the thread that made the access, while its frames are still there, and
/// then the runtime ends the process, as it would have. In the native library the C shim has this part.
/// </summary>
internal static unsafe class GuardFaults
{
    private static readonly Lock s_expecting = new();
    private static bool s_isExpected;

    [ThreadStatic]
    private static bool t_isTelling;

    /// <summary>
    /// Called before the first heap with guard pages is made, by a thread that has its state. What cannot be listened to ends the process without a finding; that
    /// includes programs compiled ahead of time, in which managed code is native code.
    /// </summary>
    public static void Expect()
    {
        lock (s_expecting)
        {
            bool isPossible = !s_isExpected && LinuxFaults.AreSupported && RuntimeFeature.IsDynamicCodeSupported;
            void* ranges = isPossible ? GuardRanges.Keep() : null;
            s_isExpected = true;
            if (ranges != null && LinuxFaults.TryListen(ranges, &OnNativeFault))
            {
                AppDomain.CurrentDomain.FirstChanceException += OnException;
            }
        }
    }

    private static void OnException(object? sender, FirstChanceExceptionEventArgs raised)
    {
        if (raised.Exception is NullReferenceException && LinuxFaults.TryTake(out nuint address, out nuint error))
        {
            Tell(address, LinuxFaults.IsWrite(error));
        }
    }

    [UnmanagedCallersOnly]
    private static void OnNativeFault(nuint address, nuint error) => Tell(address, LinuxFaults.IsWrite(error));

    // Does not return. Who is told may do so himself what is told here.
    private static void Tell(nuint address, bool isWrite)
    {
        string end = $"Attempted to read or write protected memory at 0x{address:X}.";
        Exception? found = null;
        if (!t_isTelling)
        {
            t_isTelling = true;
            try
            {
                if (Faults.Report(address, isWrite))
                {
                    Findings.Stop();
                }
            }
            catch (Exception thrown)
            {
                found = thrown;
                end = thrown is HeapCorruptionException ? thrown.Message : end;
            }
        }

        Environment.FailFast($"privateheaps: {end}", found);
    }
}
