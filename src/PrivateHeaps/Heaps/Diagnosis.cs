using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>
/// Says in one sentence what is wrong with an address that an operation has refused. The process is about to end, perhaps with other threads
/// inside the heap: nothing is locked or allocated, only metadata is read, which is never unmapped, and the answer is as good as that allows.
/// </summary>
internal static unsafe class Diagnosis
{
    private const int SentenceBytes = 256;

    // One second in all: whoever ends the process may have to wait for a processor himself.
    private const int PatienceTurns = 1000;
    private const long NapNanoseconds = 1_000_000;

    // Taken before anything is wrong. Who ends the process takes it away from whoever comes at the same time.
    private static nint s_sentence;

    public static bool Initialize()
    {
        s_sentence = s_sentence != 0 ? s_sentence : (nint)Metadata.Take(SentenceBytes);
        return s_sentence != 0;
    }

    /// <summary>Ends the process with "FUNCTION was given ADDRESS, which ..."; the handle is that of the heap that refused the address.</summary>
    public static void Stop(ReadOnlySpan<byte> function, nint handle, void* address)
    {
        byte* sentence;
        int never = 0;
        for (int turn = 0; (sentence = (byte*)Shared.Exchange(ref s_sentence, 0)) == null; turn++)
        {
            // Somebody else ends the process, or did so and a handler of SIGABRT goes on: then it is perhaps this very thread that would be waited for.
            if (turn == PatienceTurns)
            {
                Host.FailFast(Address("another wrong address was given while the process ends over one.\0"u8));
            }

            Os.Wait(&never, 0, NapNanoseconds);
        }

        TextBuffer text = new(sentence, SentenceBytes);
        text.Add(function);
        text.Add(" was given "u8);
        text.AddHex((nuint)address);
        text.Add(", which "u8);
        AddWhat(ref text, HeapRegistry.Find(handle), (byte*)address);
        text.Add("."u8);
        Host.FailFast(sentence);
    }

    // Safety: the text is constant data of the image, which never moves.
    private static byte* Address(ReadOnlySpan<byte> text) =>
        (byte*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref System.Runtime.InteropServices.MemoryMarshal.GetReference(text));

    /// <summary>What follows "which"; true when the address was that of a block that is freed.</summary>
    public static bool AddWhat(ref TextBuffer text, HeapState* heap, byte* address)
    {
        bool isFreed = false;
        Found finding = Find(address);
        if (finding.Heap == null)
        {
            isFreed = WasLarge(address);
            text.Add(isFreed ? "was already freed"u8 : "lies in no heap"u8);
            return isFreed;
        }

        if (finding.Block == null)
        {
            bool start = finding.OffsetBytes == 0;
            isFreed = start;
            text.Add(start ? "was already freed"u8 : "points into memory that was already freed or never handed out"u8);
        }
        else if (finding.OffsetBytes != 0)
        {
            text.Add("points "u8);
            text.AddDecimal(finding.OffsetBytes);
            text.Add(" bytes into a live block of "u8);
            text.AddDecimal(finding.BlockBytes);
            text.Add(" bytes"u8);
        }
        else
        {
            // By a handle, or by a call that is ending it.
            bool isHeld = BlockState.IsHeld(*AddressMap.StateOf(finding.Block));
            bool isMoveable = isHeld && HandleTable.SeemsToOwn(address);
            isFreed = isHeld && !isMoveable;
            text.Add(
                isMoveable ? "is a moveable block, which is freed by its handle"u8
                : isFreed ? "was already freed"u8
                : finding.Heap == heap ? "is a live block by now"u8
                : "is a live block"u8);
        }

        if (finding.Heap != heap)
        {
            text.Add(" of another heap, "u8);
            text.AddHex((nuint)finding.Heap->Handle);
            AddName(ref text, finding.Heap);
        }

        return isFreed;
    }

    // The page count of a freed large block stays in its page entry until the page is used again.
    private static bool WasLarge(byte* address)
    {
        byte* window = AddressMap.WindowOf((nuint)address);
        return window != null && address == PageOf(address) && AddressMap.EntryIn(window, (nuint)address)->Pages != 0;
    }

    private static void AddName(ref TextBuffer text, HeapState* heap)
    {
        byte* name = (byte*)&heap->Name;
        if (*name != 0)
        {
            text.Add(" '"u8);
            text.Add(name);
            text.Add("'"u8);
        }
    }

    private static Found Find(byte* address)
    {
        byte* window = AddressMap.WindowOf((nuint)address);
        PageEntry* entry = window == null ? null : AddressMap.EntryIn(window, (nuint)address);
        if (entry == null || entry->Tag == 0)
        {
            return FindUnlisted(address);
        }

        Found finding = default;
        uint slot = PageEntry.SlotOf(entry->Tag);
        if (slot < HeapRegistry.SlotCount)
        {
            finding.Heap = HeapRegistry.AtSlot(slot);
            byte* start = StartOf(finding.Heap, entry, address);
            finding.OffsetBytes = (nuint)(address - start);
            Measure(ref finding, start, AddressMap.EntryOf(start));
        }

        return finding;
    }

    // Where the block starts that the page's owner would have at the address.
    private static byte* StartOf(HeapState* heap, PageEntry* entry, byte* address)
    {
        switch (entry->Kind)
        {
            case PageEntry.LargeKind or PageEntry.SoloKind:
                return PageOf(address);
            case PageEntry.GuardedKind:
                return ((Region*)entry->Owner)->FirstBlock;
            case PageEntry.FittedKind:
                byte* first = ((Region*)entry->Owner)->Base;
                byte* start = (byte*)Bits.RoundDown((nuint)address, Units.GranuleBytes);
                for (byte* before = start; before >= first; before -= Units.GranuleBytes)
                {
                    if (BlockState.IsLive(*AddressMap.StateOf(before)))
                    {
                        return address < before + FittedHeap.BlockBytes(&heap->Regions, before) ? before : start;
                    }
                }

                return start;
            default:
                Slab* slab = (Slab*)entry->Owner;
                return slab->Base + (nuint)Slab.SlotOf(slab, (nuint)address) * slab->BlockBytes;
        }
    }

    private static void Measure(ref Found finding, byte* start, PageEntry* entry)
    {
        byte* state = AddressMap.StateOf(start);
        if (entry->Kind == PageEntry.FittedKind ? BlockState.IsLive(*state) : BlockState.IsBlock(*state))
        {
            finding.Block = start;
            finding.BlockBytes = Heap.RequestedBytes(finding.Heap, start, entry, state);
        }
    }

    // Only pages in which blocks start have an entry; and a page without one may be a free page of some heap.
    private static Found FindUnlisted(byte* address)
    {
        Found finding = default;
        for (uint slot = 0; slot < HeapRegistry.SlotCount && finding.Heap == null; slot++)
        {
            HeapState* heap = HeapRegistry.AtSlot(slot);
            if (heap->Handle == 0)
            {
                continue;
            }

            Region* region = RegionSet.RegionOf(&heap->Regions, address);
            byte* large = region == null ? FindSolo(heap, address) : FindBefore(region, address);
            if (region != null || large != null)
            {
                finding.Heap = heap;
                finding.OffsetBytes = (nuint)(address - (large != null ? large : PageOf(address)));
            }

            if (large != null)
            {
                Measure(ref finding, large, AddressMap.EntryOf(large));
            }
        }

        return finding;
    }

    private static byte* FindSolo(HeapState* heap, byte* address)
    {
        for (Region* solo = heap->Regions.FirstSolo; solo != null; solo = solo->Next)
        {
            if ((nuint)(address - solo->FirstBlock) < solo->Bytes - solo->HeaderBytes)
            {
                return solo->FirstBlock;
            }
        }

        return null;
    }

    // The block that the nearest page entry before the address leads to; null when it ends before.
    private static byte* FindBefore(Region* region, byte* address)
    {
        for (byte* page = PageOf(address); page >= region->Base; page -= Units.PageBytes)
        {
            byte* window = AddressMap.WindowOf((nuint)page);
            PageEntry* entry = window == null ? null : AddressMap.EntryIn(window, (nuint)page);
            if (entry == null || entry->Tag == 0)
            {
                continue;
            }

            if (entry->Kind == PageEntry.LargeKind)
            {
                return address < page + ((nuint)entry->Pages << Units.PageShift) ? page : null;
            }

            Slab* slab = entry->Kind < SizeClass.Count ? (Slab*)entry->Owner : null;
            uint slot = slab == null ? 0 : Slab.SlotOf(slab, (nuint)address);
            return slab != null && slot < slab->SlotCount ? slab->Base + (nuint)slot * slab->BlockBytes : null;
        }

        return null;
    }

    private static byte* PageOf(byte* address) => (byte*)Bits.RoundDown((nuint)address, Units.PageBytes);

    private struct Found
    {
        /// <summary>Null when the address lies in no heap.</summary>
        public HeapState* Heap;

        /// <summary>The live block that holds the address; null when none does.</summary>
        public byte* Block;

        /// <summary>The requested size of that block.</summary>
        public nuint BlockBytes;

        /// <summary>From the start of the block, live or not, to the address.</summary>
        public nuint OffsetBytes;
    }
}
