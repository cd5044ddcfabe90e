using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Checks;

/// <summary>
/// What a heap with checks knows beyond one without: its options, the records of its blocks, its quarantine. Made with the heap, given back with it.
/// All but the options is under Lock, which is taken inside the gate of the heap and before every lock of bins and regions.
/// </summary>
internal unsafe struct CheckState
{
    /// <summary>What htc leaves behind each block, as Windows does.</summary>
    public const nuint SmallestTailBytes = 16;

    /// <summary>The most that is filled and verified behind a block where its size class leaves more; no class leaves so much.</summary>
    public const nuint LargestTailBytes = 64 * Units.KiB;

    /// <summary>Up to here, every allocation is looked at, so that a test can rely on the number.</summary>
    public const uint LargestExactRate = 64;

    private const HeapChecks ClosingChecks = HeapChecks.TailChecking | HeapChecks.FreeChecking | HeapChecks.ParameterChecking | HeapChecks.ValidateOnCall
        | HeapChecks.PageHeap | HeapChecks.Leaks;

    public OsLock Lock;

    /// <summary>The heap's; reports need it when the heap has none any more.</summary>
    public nint Handle;
    public HeapChecks Options;

    /// <summary>One allocation in so many is put on guard pages; 0 for none.</summary>
    public uint SampleRate;

    /// <summary>Allocations until the next one is. Approximate where several threads count.</summary>
    public int SampleCountdown;

    /// <summary>Some blocks came while no record could be made, and may have written what looks like the front of a neighbor.</summary>
    public bool HasUnrecorded;
    public BlockTable Table;
    public Quarantine Quarantine;

    /// <summary>Every block has a record, and every call takes the slow path. A heap that only samples, with stacks or without, keeps its caches open.</summary>
    public bool ClosesCaches;

    /// <summary>Bytes that each block is larger than was asked for.</summary>
    public readonly nuint TailBytes => Has(HeapChecks.TailChecking) ? SmallestTailBytes : 0;

    private const nuint SampledQuarantineBytes = 256 * Units.KiB;

    public readonly bool Has(HeapChecks check) => (Options & check) != 0;

    /// <summary>Null when nothing is to be checked, and when there is no memory: then IsRefused.</summary>
    public static CheckState* Create(nint handle, HeapChecks options, nuint quarantineBytes, uint sampleRate, out bool isRefused)
    {
        bool isAsked = (options & ~HeapChecks.Continue) != 0 || quarantineBytes != 0 || sampleRate != 0;
        isRefused = false;
        if (!isAsked)
        {
            return null;
        }

        CheckState* state = Findings.Initialize() ? (CheckState*)Metadata.Take((nuint)sizeof(CheckState)) : null;
        if (state == null)
        {
            isRefused = true;
            return null;
        }

        state->Handle = handle;

        // A block that gets no guard pages has a tail.
        state->Options = options | ((options & HeapChecks.PageHeap) != 0 ? HeapChecks.TailChecking : 0);
        state->SampleRate = sampleRate;
        state->Quarantine.Seed = (((nuint)state ^ (ulong)Libc.clock_realtime()) * 2) | 1;
        state->Quarantine.LimitBytes = quarantineBytes != 0 ? quarantineBytes
            : state->Has(HeapChecks.FreeChecking | HeapChecks.PageHeap) ? CheckSettings.SmallQuarantineBytes
            : sampleRate != 0 ? SampledQuarantineBytes : 0;
        state->ClosesCaches = (options & ClosingChecks) != 0 || quarantineBytes != 0 || sampleRate is > 0 and <= LargestExactRate
            || (state->Has(HeapChecks.StackTraces) && sampleRate == 0);
        SetCountdown(state);
        if (state->Has(HeapChecks.StackTraces))
        {
            Stacks.IsOn = true;
        }

        return state;
    }

    /// <summary>Gives everything back but what the records lead to.</summary>
    public static void Drop(CheckState* state)
    {
        Forget(state);
        Metadata.Give(state, (nuint)sizeof(CheckState));
    }

    /// <summary>Forgets all records and the quarantine.</summary>
    public static void Forget(CheckState* state)
    {
        BlockTable.Drop(&state->Table);
        Quarantine.Drop(&state->Quarantine);
    }

    /// <summary>The number of the calling thread's stack if the heap records such; the heap may be gone already.</summary>
    public static uint Capture(CheckState* state) => state != null && state->Has(HeapChecks.StackTraces) ? Stacks.Capture() : 0;

    /// <summary>Counts allocations; true when the next one is to be put on guard pages.</summary>
    public static bool IsDue(CheckState* state, int count)
    {
        if (state->SampleRate == 0 || (state->SampleCountdown -= count) > 0)
        {
            return false;
        }

        SetCountdown(state);
        return true;
    }

    // Between half and one and a half times the rate, so that no pattern of the program's falls into step with it.
    private static void SetCountdown(CheckState* state)
    {
        uint rate = state->SampleRate;
        state->SampleCountdown = rate <= LargestExactRate ? (int)rate : (int)(rate / 2 + (uint)(Quarantine.NextRandom(&state->Quarantine.Seed) >> 33) % rate);
    }
}
