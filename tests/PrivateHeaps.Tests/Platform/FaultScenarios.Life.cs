using PrivateHeaps.Heaps;
using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Platform;

/// <summary>What is done in the one life, step by step.</summary>
internal static unsafe partial class FaultScenarios
{
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
}
