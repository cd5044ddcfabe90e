using PrivateHeaps.Heaps;
using PrivateHeaps.Platform;
using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;
using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Platform;

/// <summary>
/// One life of a heap that comes to every place where the engine calls the system, or takes metadata. It is lived again and again: with call 1 refused, with call 2, until
/// no call was left to refuse; for each kind of call and for all of them; for one call, and for all from that one on until memory is back. In a child process.
/// </summary>
internal static unsafe partial class FaultScenarios
{
    private const nuint KiB = 1 << 10, MiB = 1 << 20;
    private const uint Zero = HeapApi.HEAP_ZERO_MEMORY, InPlace = HeapApi.HEAP_REALLOC_IN_PLACE_ONLY;

    // The slots of these heaps are taken, so that a thread's table must grow for the next one.
    private const int HeapsBefore = 40;
    private const int MostCalls = 5000;

    private static readonly List<SampledBlock> s_blocks = [];
    private static readonly List<nint> s_handles = [];
    private static HeapKind s_kind;
    private static nint s_heap;
    private static string s_where = "";

    private static int s_step;
    private static int s_asked;
    private static bool s_isDetailed;

    // The step that has had a failure last, as long as what it did to the others was not looked at.
    private static string? s_failed;

    public static void Run(MemoryRules rules, HeapKind kind)
    {
        s_kind = kind;
        FailingSystem.Install(rules);

        // What the other kinds and rules have of their own is seen when any call may fail.
        s_isDetailed = rules == MemoryRules.OfThisSystem && kind is not (HeapKind.Executable or HeapKind.Unserialized or HeapKind.Raising or HeapKind.Checked or HeapKind.Wandering);
        Depots.IsEager = true;
        Os.NodeSource = kind == HeapKind.Wandering ? &NextNode : null;
        for (int index = 0; index < HeapsBefore; index++)
        {
            Check(HeapApi.HeapCreate(0, 0, 64 * KiB) != 0, "a heap before all");
        }

        s_where = "no call is refused";
        Live(null);
        Live(null);
        Settle();
        nuint held = FailingSystem.HeldBytes, taken = Metadata.TakenBytes;

        SystemCalls[] choices = s_isDetailed ? Enum.GetValues<SystemCalls>() : rules == MemoryRules.OfThisSystem ? [SystemCalls.All, SystemCalls.Metadata] : [SystemCalls.All];
        int most = 0, cachesMore = 8;
        foreach (SystemCalls chosen in choices)
        {
            foreach (bool stays in (bool[])[false, true])
            {
                int number = 1;
                for (; number < MostCalls; number++)
                {
                    s_where = $"{chosen} {number}{(stays ? " and all after it" : "")}";
                    int before = FailingSystem.Refused;
                    Live((chosen, number, stays));
                    int refused = FailingSystem.Refused - before;
                    Settle();

                    // A region that the process heap has added when it could not commit in another stays with it, and serves again.
                    if (kind == HeapKind.Process && rules == MemoryRules.OfWindows)
                    {
                        (held, taken) = (FailingSystem.HeldBytes, Metadata.TakenBytes);
                    }

                    Check(FailingSystem.HeldBytes == held, $"{(long)(FailingSystem.HeldBytes - held)} bytes of the system's stayed");

                    // A thread cannot use a cache that lies like its own word, so there may be one more now than ever before.
                    if (Metadata.TakenBytes == taken + CacheBytes && --cachesMore >= 0)
                    {
                        taken += CacheBytes;
                    }

                    Check(Metadata.TakenBytes == taken, $"{(long)(Metadata.TakenBytes - taken)} bytes of metadata stayed");
                    if (refused == 0)
                    {
                        break;
                    }
                }

                Check(number < MostCalls, "the scenario does not end");
                most = Math.Max(most, number - 1);
                Console.WriteLine($"{chosen}{(stays ? ", until memory is back" : "")}: {number - 1}");
            }
        }

        Check(most >= 10, "hardly any call was refused");
    }

    private static uint NextNode() => (uint)Interlocked.Increment(ref s_asked) / 5 % 3;

    private static nuint CacheBytes => (ThreadCache.StructureBytes + 191) & ~(nuint)63;

    private static void Live((SystemCalls Chosen, int Number, bool Stays)? fault)
    {
        if (fault is (SystemCalls chosen, int number, bool stays))
        {
            FailingSystem.Refuse(chosen, number, stays);
        }

        Step("HeapCreate", () => (s_heap = Create()) != 0);
        if (s_heap != 0)
        {
            Use();
            FailingSystem.Restore();
            CheckHarm();

            // After a single failure the rest of the life has shown that the heap goes on.
            if (fault is not (_, _, false))
            {
                Use();
            }

            End();
        }

        FailingSystem.Restore();
        CheckHarm();
        Check(s_blocks.Count == 0 && s_handles.Count == 0, "everything was freed");
    }

    // What a call that had a failure leaves to later ones is done, and what the process heap keeps for the next calls goes.
    private static void Settle()
    {
        nint heap = HeapApi.HeapCreate(0, 0, 0);
        Check(heap != 0 && HeapApi.HeapAlloc(heap, 0, 5 * MiB) != 0 && HeapApi.HeapDestroy(heap), "a heap after all");
        nuint returned;
        Check(Heap.Trim(CurrentThread.State, Heap.ProcessHandle, &returned), "the process heap is trimmed");

        // A thread that has ended leaves nothing either, a little later.
        while (PrivateHeaps.Heaps.Threads.Count != 1)
        {
            CurrentThread.DetachEndedThreads();
        }
    }

    // ZeroScenarios look at every byte.
    private static bool IsZero(byte* block, nuint start, nuint end)
    {
        nuint most = Math.Min(end - start, 8 * KiB);
        return Memory.FirstOther(block, start, start + most, 0) < 0 && Memory.FirstOther(block, end - most, end, 0) < 0;
    }

    private static nint Guarded(Func<nint> call, bool raises)
    {
        try
        {
            nint result = call();
            Check(result != 0 || !raises, "a raising heap raises");
            return result;
        }
        catch (OutOfMemoryException)
        {
            return 0;
        }
    }

    // A call that is refused although none of the system's was ends the process. One that does harm does so with the next step, when its result is noted.
    private static void Step(string name, Func<bool> call, bool mayRefuse = false, bool mustSucceed = false)
    {
        CheckHarm();
        int before = FailingSystem.Refused;
        bool done = call();
        bool hadFailure = FailingSystem.Refused != before;
        Check(done || mayRefuse || (hadFailure && !mustSucceed), $"{name} succeeds");
        s_failed = hadFailure ? name : null;
        s_step++;
    }

    private static void CheckHarm()
    {
        if (s_failed == null)
        {
            return;
        }

        string name = s_failed;
        s_failed = null;
        foreach (SampledBlock block in s_blocks)
        {
            Check(block.IsIntact(block.Bytes), $"after {name} a block of {block.Bytes} bytes is intact");
            Check(HeapApi.HeapSize(s_heap, 0, block.Address) == block.Bytes, $"after {name} a block of {block.Bytes} bytes is live");
        }

        Check(s_heap == 0 || HeapApi.HeapValidate(s_heap, 0, null), $"after {name} the heap is sound");
    }

    private static void Check(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvalidOperationException($"{s_kind}, {s_where} (refused last: {FailingSystem.LastRefused}): this does not hold: {what}.");
        }
    }
}
