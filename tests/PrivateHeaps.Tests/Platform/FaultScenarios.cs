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
internal static unsafe class FaultScenarios
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

    private static nint Create() => s_kind switch
    {
        HeapKind.Growable or HeapKind.Wandering => HeapApi.HeapCreate(0, 0, 0),
        HeapKind.Bounded => HeapApi.HeapCreate(0, 4 * KiB, 64 * MiB),
        HeapKind.Fitted => HeapApi.HeapCreate(0, 4 * KiB, 4 * MiB),
        HeapKind.Executable => HeapApi.HeapCreate(HeapApi.HEAP_CREATE_ENABLE_EXECUTE, 64 * KiB, 0),
        HeapKind.Unserialized => HeapApi.HeapCreate(HeapApi.HEAP_NO_SERIALIZE, 64 * KiB, 0),
        HeapKind.Checked => HeapApi.HeapCreate(HeapApi.HEAP_TAIL_CHECKING_ENABLED | HeapApi.HEAP_FREE_CHECKING_ENABLED, 64 * KiB, 0),
        HeapKind.Raising => HeapApi.HeapCreate(HeapApi.HEAP_GENERATE_EXCEPTIONS, 64 * KiB, 0),
        _ => HeapApi.GetProcessHeap(),
    };

    private static void Use()
    {
        int begin = s_blocks.Count;
        for (nuint index = 0; index < 60; index++)
        {
            Allocate(index * 97 % 1024, index % 3 == 0 ? Zero : 0);
        }

        foreach (nuint bytes in (nuint[])[2000, 8000, 20_000, 32 * KiB, 33 * KiB, 100 * KiB, 256 * KiB, 257 * KiB, 600 * KiB])
        {
            if (s_kind != HeapKind.Fitted || bytes <= 100 * KiB)
            {
                Allocate(bytes, 0);
                Allocate(bytes, Zero);
            }
        }

        AllocateAligned(5000, 64 * KiB);
        Attach();
        if (s_kind != HeapKind.Fitted)
        {
            AllocateAligned(100, 2 * MiB);
            UseMuch();
        }

        InOtherThread();
        Step("HeapLock", () => HeapApi.HeapLock(s_heap));
        Step("HeapWalk", Walk);
        Step("HeapUnlock", () => HeapApi.HeapUnlock(s_heap));
        for (int index = begin; index < s_blocks.Count; index++)
        {
            if (s_blocks[index].Bytes < 300 * KiB && index % 3 == 0)
            {
                Resize(index, s_blocks[index].Bytes + 40, Zero);
            }
            else if (index % 3 == 1)
            {
                Resize(index, s_blocks[index].Bytes / 2, 0);
                Resize(index, s_blocks[index].Bytes * 5, InPlace);
            }
        }

        if (s_kind == HeapKind.Process)
        {
            UseHandles();
        }

        for (int index = s_blocks.Count - 1; index >= begin; index -= 2)
        {
            Free(index);
        }

        Step("HeapCompact", () => HeapApi.HeapCompact(s_heap, 0) != 0, mayRefuse: true);
        HEAP_OPTIMIZE_RESOURCES_INFORMATION all = new() { Version = HeapApi.HEAP_OPTIMIZE_RESOURCES_CURRENT_VERSION };
        Step("HeapOptimizeResources", () => HeapApi.HeapSetInformation(s_heap, HEAP_INFORMATION_CLASS.HeapOptimizeResources, ref all, (nuint)sizeof(HEAP_OPTIMIZE_RESOURCES_INFORMATION)));
        for (nuint bytes = 16; bytes < (s_kind == HeapKind.Fitted ? 64 * KiB : 6 * MiB); bytes = bytes * 3 + 5)
        {
            Allocate(bytes, Zero);
        }

        while (s_blocks.Count > begin / 2 + 10)
        {
            Free(s_blocks.Count - 1);
        }
    }

    // Regions of every kind, mappings that grow, shrink and move, and what the process heap keeps of them.
    private static void UseMuch()
    {
        int begin = s_blocks.Count;
        for (int index = 0; index < (s_isDetailed && s_kind != HeapKind.Bounded ? 36 : 8); index++)
        {
            Allocate(990 * KiB, 0);
        }

        Allocate(0x110000, Zero);
        Allocate(3 * MiB, 0);
        AllocateAligned(3 * MiB, 4 * MiB);
        Allocate(9 * MiB, 0);
        int last = s_blocks.Count - 1;
        Resize(last, 5 * MiB, 0);
        Resize(last, 12 * MiB, Zero);
        Resize(last - 1, 8 * MiB, 0);
        Resize(last - 2, 5000, 0);
        while (s_blocks.Count > begin + 4)
        {
            Free(s_blocks.Count - 1);
        }

        Allocate(2 * MiB, Zero);
        Resize(s_blocks.Count - 1, 7 * MiB, Zero);
    }

    private static void UseHandles()
    {
        for (nuint index = 0; index < 30; index++)
        {
            nint handle = 0;
            nuint bytes = index * index * 100;
            Step("GlobalAlloc", () => (handle = WinBase.GlobalAlloc(WinBase.GMEM_MOVEABLE, bytes)) != 0);
            if (handle != 0)
            {
                s_handles.Add(handle);
                Step("GlobalReAlloc", () => WinBase.GlobalReAlloc(handle, bytes * 3 + 300 * KiB, WinBase.GMEM_MOVEABLE) != 0);
                Check(WinBase.GlobalSize(handle) == bytes || WinBase.GlobalSize(handle) == bytes * 3 + 300 * KiB, "the size of a handle's block");
                Step("GlobalDiscard", () => index % 2 == 0 || WinBase.GlobalDiscard(handle) != 0);
            }
        }

        s_handles.ForEach(handle => Check(WinBase.GlobalFree(handle) == 0, "GlobalFree"));
        s_handles.Clear();
    }

    // Blocks to which a value is attached, that move with it.
    private static void Attach()
    {
        for (nuint index = 0; index < 20; index++)
        {
            nuint bytes = index * 50;
            int place = s_blocks.Count;
            Add("RtlAllocateHeap", bytes, 0, s_kind == HeapKind.Raising, () => NtRtl.RtlAllocateHeap(s_heap, NtRtl.HEAP_SETTABLE_USER_VALUE, bytes));
            if (s_blocks.Count == place)
            {
                continue;
            }

            Step("RtlSetUserValueHeap", () => NtRtl.RtlSetUserValueHeap(s_heap, 0, s_blocks[place].Address, (void*)(index + 7)));
            void* value;
            uint flags;
            Check(NtRtl.RtlGetUserInfoHeap(s_heap, 0, s_blocks[place].Address, &value, &flags), "a settable block has information");
            void* attached = value;
            Check(attached == null || attached == (void*)(index + 7), "the value is the one that was set");
            Resize(place, bytes + 5000, 0);
            Check(NtRtl.RtlGetUserInfoHeap(s_heap, 0, s_blocks[place].Address, &value, &flags) && value == attached, "the value moves with the block");
        }
    }

    // A thread whose state, table and cache are new, and that ends.
    private static void InOtherThread()
    {
        if (s_kind == HeapKind.Unserialized)
        {
            return;
        }

        nint[] blocks = new nint[40];
        Threads.Run(() =>
        {
            for (int index = 0; index < blocks.Length; index++)
            {
                int place = index;
                Step("HeapAlloc in another thread", () => (blocks[place] = Guarded(() => HeapApi.HeapAlloc(s_heap, 0, (nuint)place * 30), s_kind == HeapKind.Raising)) != 0);
            }

            for (int index = 0; index < blocks.Length; index += 2)
            {
                int place = index;
                Step("HeapFree in another thread", () => blocks[place] == 0 || FreeAddress(blocks[place]));
            }
        });
        for (int index = 1; index < blocks.Length; index += 2)
        {
            Check(blocks[index] == 0 || HeapApi.HeapFree(s_heap, 0, blocks[index]), "another thread's blocks are freed");
        }
    }

    // A thread for whose state there is no memory is told so, in every call.
    private static bool FreeAddress(nint address)
    {
        try
        {
            Check(HeapApi.HeapFree(s_heap, 0, address), "a live block is freed");
        }
        catch (OutOfMemoryException)
        {
            Check(false, "a thread that has allocated has a state");
        }

        return true;
    }

    private static bool Walk()
    {
        int busy = 0;
        PROCESS_HEAP_ENTRY entry = default;
        while (HeapApi.HeapWalk(s_heap, ref entry))
        {
            busy += (entry.wFlags & HeapApi.PROCESS_HEAP_ENTRY_BUSY) != 0 ? 1 : 0;
        }

        Check(System.Runtime.InteropServices.Marshal.GetLastPInvokeError() == 259, "a walk comes to its end");
        Check(busy == s_blocks.Count, $"a walk shows {busy} of {s_blocks.Count} blocks");
        return true;
    }

    // A heap with a maximum has no blocks from 0x7FFF8 bytes on.
    private static nuint Most(nuint bytes) => s_kind == HeapKind.Bounded ? Math.Min(bytes, 500 * KiB) : bytes;

    private static void Allocate(nuint wanted, uint flags)
    {
        nuint bytes = Most(wanted);
        Add("HeapAlloc", bytes, flags, s_kind == HeapKind.Raising, () => (void*)HeapApi.HeapAlloc(s_heap, flags, bytes));
    }

    private static void AllocateAligned(nuint bytes, nuint alignment)
    {
        int place = s_blocks.Count;
        Add("AllocateAligned", bytes, 0, raises: false, () => Heap.AllocateAligned(CurrentThread.State, s_heap, 0, bytes, alignment));
        Check(s_blocks.Count == place || (nuint)s_blocks[place].Address % alignment == 0, "the block is aligned");
    }

    private delegate void* Allocation();

    private static void Add(string name, nuint bytes, uint flags, bool raises, Allocation allocate)
    {
        void* block = null;
        Step($"{name} of {bytes} bytes", () => (block = (void*)Guarded(() => (nint)allocate(), raises)) != null);
        if (block != null)
        {
            Check((flags & Zero) == 0 || IsZero((byte*)block, 0, bytes), $"a zeroed block of {bytes} bytes is zero");
            SampledBlock added = new((byte*)block, bytes, (byte)(s_step * 7 + 1));
            added.Fill(0);
            s_blocks.Add(added);
        }
    }

    private static void Resize(int place, nuint wanted, uint flags)
    {
        if (place < 0)
        {
            return;
        }

        nuint bytes = Most(wanted);
        SampledBlock block = s_blocks[place];
        byte* resized = null;
        Step(
            $"HeapReAlloc of {block.Bytes} to {bytes} bytes",
            () => (resized = (byte*)Guarded(() => HeapApi.HeapReAlloc(s_heap, flags, (nint)block.Address, bytes), s_kind == HeapKind.Raising)) != null,
            mayRefuse: flags == InPlace);
        if (resized == null)
        {
            Check(HeapApi.HeapSize(s_heap, 0, block.Address) == block.Bytes, "a block that was not resized has its size");
            return;
        }

        Check((flags & InPlace) == 0 || resized == block.Address, "a block stays in its place");
        Check((flags & Zero) == 0 || bytes <= block.Bytes || IsZero(resized, block.Bytes, bytes), $"what is added to {block.Bytes} up to {bytes} bytes is zero");
        SampledBlock after = new(resized, bytes, block.Value);
        Check(after.IsIntact(Math.Min(bytes, block.Bytes)), "a resized block keeps its contents");
        after.Fill(Math.Min(bytes, block.Bytes));
        s_blocks[place] = after;
    }

    private static void Free(int place)
    {
        SampledBlock block = s_blocks[place];
        Check(block.IsIntact(block.Bytes), "a block is intact when it is freed");
        s_blocks.RemoveAt(place);
        Step($"HeapFree of {block.Bytes} bytes", () => HeapApi.HeapFree(s_heap, 0, block.Address), mustSucceed: true);
    }

    private static void End()
    {
        if (s_kind != HeapKind.Process)
        {
            s_blocks.Clear();
            Check(HeapApi.HeapDestroy(s_heap), "HeapDestroy");
            return;
        }

        while (s_blocks.Count != 0)
        {
            Free(s_blocks.Count - 1);
        }
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
