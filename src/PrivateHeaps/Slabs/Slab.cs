using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Slabs;

/// <summary>
/// A page run cut into equal blocks, and one bit a block: set when the block is free in the slab (not live, and in nobody's magazine).
/// The structure lies in metadata. All fields are written under the lock of its bin. Conservation: FreeCount bits are set; the slab is in
/// its bin's list exactly when FreeCount is not 0.
/// </summary>
internal unsafe struct Slab
{
    private const uint LineBytes = 64;

    public Slab* Next;
    public Slab* Previous;
    public Region* Region;
    public byte* Base;
    public ushort Class;

    /// <summary>The node of the thread that made the slab. Fixed.</summary>
    public byte Node;
    public uint BlockBytes;
    public uint SlotCount;
    public uint FreeCount;
    public uint PageCount;

    /// <summary>Of the class; see <see cref="SizeClass.PagesOfBlock"/>.</summary>
    public ushort PagesOfBlock;

    /// <summary>Where a block has no whole pages: about how many went back to the system and were not used since.</summary>
    public ushort ReturnedPages;

    /// <summary>2^32 / granules of a block, rounded up: slot = granule offset * Reciprocal >> 32, exact for every offset in a slab.</summary>
    public ulong Reciprocal;

    /// <summary>
    /// What went back to the system: where a block has whole pages, one bit for each free block whose pages did; else how many blocks were free when
    /// the pages between the live ones did.
    /// </summary>
    public ulong Returned;

    /// <summary>No word of the bitmap below this has a bit set.</summary>
    public uint FirstWord;

    /// <summary>That of the tag; but as long as that says Changing, the one before.</summary>
    public uint Bias;

    public readonly nuint Bytes => (nuint)PageCount << Units.PageShift;

    /// <summary>A slab on a fresh page run, all blocks free; null when there is no memory.</summary>
    public static Slab* Create(RegionSet* regions, uint index, uint wantedPages, uint bias)
    {
        uint block = SizeClass.BlockBytes(index);
        uint pages = SizeClass.PagesOfSlab(index, wantedPages);
        byte* run = RegionSet.TakeSlabRun(regions, pages, out Region* region);
        uint smallest = (block + (Units.PageBytes - 1)) / Units.PageBytes;
        if (run == null && pages > smallest)
        {
            // The end of a bounded heap: a run for a single block is better than none.
            pages = smallest;
            run = RegionSet.TakeSlabRun(regions, pages, out region);
        }

        if (run == null)
        {
            return null;
        }

        uint slots = pages * Units.PageBytes / block;
        Slab* slab = (Slab*)Metadata.Take(StructureBytes(slots));
        if (slab == null)
        {
            RegionSet.GiveRun(regions, region, run, pages);
            return null;
        }

        slab->Region = region;
        slab->Base = run;
        slab->Class = (ushort)index;
        slab->Node = Os.NodeNumber;
        slab->BlockBytes = block;
        slab->SlotCount = slots;
        slab->FreeCount = slots;
        slab->PageCount = pages;
        slab->PagesOfBlock = (ushort)SizeClass.PagesOfBlock(index);
        slab->Reciprocal = (1UL << 32) / (block >> Units.GranuleShift) + 1;
        RunMap.SetBits(BitsOf(slab), 0, slots);
        slab->Bias = bias;
        for (uint slot = 0; HoldsStates(slab) && slot < slots; slot++)
        {
            byte* start = run + (nuint)slot * block;
            PageEntry.SetStart(AddressMap.EntryOf(start), (nuint)start);
        }

        SetTag(slab, PageEntry.WithBias(regions->TagBase | index, bias));
        return slab;
    }

    // Whether the states of its blocks lie in the page entries.
    private static bool HoldsStates(Slab* slab) => slab->BlockBytes >= Units.PageBytes;

    /// <summary>The state of a block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* StateOf(Slab* slab, byte* block)
    {
        byte* window = AddressMap.KnownWindowOf((nuint)block);
        return HoldsStates(slab) ? PageEntry.StateOf(AddressMap.EntryIn(window, (nuint)block)) : AddressMap.StateIn(window, (nuint)block);
    }

    /// <summary>The node of the slab that a block in a magazine belongs to; not asked where there is one node.</summary>
    public static byte NodeOf(byte* block) => Os.HasNodes ? ((Slab*)AddressMap.EntryOf(block)->Owner)->Node : (byte)0;

    /// <summary>The tag of its pages.</summary>
    public static uint TagOf(Slab* slab) => Shared.Read(&AddressMap.EntryOf(slab->Base)->Tag);

    /// <summary>Of the pages in which blocks start, as far as there can be others. With 0, no address in the slab is a block's any more.</summary>
    public static void SetTag(Slab* slab, uint tag)
    {
        if (!HoldsStates(slab))
        {
            AddressMap.SetEntries(slab->Base, slab->PageCount, tag, slab);
            return;
        }

        for (uint slot = 0; slot < slab->SlotCount; slot++)
        {
            PageEntry.Set(AddressMap.EntryOf(slab->Base + (nuint)slot * slab->BlockBytes), tag, slab);
        }
    }

    /// <summary>Biases the slab anew. Nobody may be freeing a block of it: it is wholly free, and vacant now or from now on.</summary>
    public static void SetBias(Slab* slab, uint bias)
    {
        slab->Bias = bias;
        SetTag(slab, PageEntry.WithBias(TagOf(slab), bias));
    }

    /// <summary>Gives the run and the structure back. No block of it may be live or in a magazine, unless its heap is dropped.</summary>
    public static void Drop(Slab* slab, RegionSet* regions)
    {
        if (slab->PagesOfBlock != 0)
        {
            RegionSet.NoteBlocksGone(regions, slab->SlotCount * slab->PagesOfBlock, CountKept(slab) * slab->PagesOfBlock);
        }

        if (!HoldsStates(slab))
        {
            AddressMap.ForgetDead(slab->Base, slab->Bytes, slab->BlockBytes);
        }

        for (uint slot = 0; HoldsStates(slab) && slot < slab->SlotCount; slot++)
        {
            *AddressMap.EntryOf(slab->Base + (nuint)slot * slab->BlockBytes) = default;
        }

        RegionSet.GiveRun(regions, slab->Region, slab->Base, slab->PageCount);
        Metadata.Give(slab, StructureBytes(slab->SlotCount));
    }

    /// <summary>
    /// Takes up to the wanted number of free blocks, lowest first, into the array from its end downward, so that blocks that are neighbors are handed out one
    /// after the other; returns how many. Blocks that share a cache line come together as long as there are such, so that two threads do not get one line
    /// between them.
    /// </summary>
    public static uint Take(Slab* slab, Round* end, uint wanted)
    {
        uint taken = slab->BlockBytes < LineBytes / 2 + 1 ? Take(slab, end, wanted, wholeLines: true) : 0;
        return taken != 0 ? taken : Take(slab, end, wanted, wholeLines: false);
    }

    private static uint Take(Slab* slab, Round* end, uint wanted, bool wholeLines)
    {
        ulong* bits = BitsOf(slab);
        uint words = (slab->SlotCount + 63) / 64;
        uint taken = 0;
        for (uint word = slab->FirstWord; word < words && taken < wanted; word++)
        {
            ulong free = wholeLines ? WholeLines(bits[word], slab->BlockBytes) : bits[word];
            if (free == 0)
            {
                // Nothing below is free: the next search begins here.
                slab->FirstWord = bits[word] == 0 && slab->FirstWord == word ? word + 1 : slab->FirstWord;
                continue;
            }

            uint whole = free == ulong.MaxValue ? TakeWords(bits, word, Bits.Min(words, word + (wanted - taken) / 64)) : 0;
            if (whole != 0)
            {
                taken += whole * 64;
                TakeRun(slab, word * 64, whole * 64, end - taken);
                slab->Returned = 0;
                slab->FirstWord = slab->FirstWord == word ? word + whole : slab->FirstWord;
                word += whole - 1;
                continue;
            }

            ulong before = free;
            do
            {
                int first = BitOperations.TrailingZeroCount(free);
                uint run = Bits.Min((uint)BitOperations.TrailingZeroCount(~(free >> first)), wanted - taken);
                taken += run;
                TakeRun(slab, word * 64 + (uint)first, run, end - taken);
                free &= ~((ulong.MaxValue >> (int)(64 - run)) << first);
            }
            while (free != 0 && taken < wanted);
            ulong gone = before & ~free;
            bits[word] &= ~gone;
            slab->Returned = slab->PagesOfBlock == 0 ? 0 : slab->Returned & ~gone;
        }

        slab->FreeCount -= taken;
        return taken;
    }

    // Of the words up to the end, those from the first on of which all blocks are free: a fresh slab is not looked through block by block.
    private static uint TakeWords(ulong* bits, uint first, uint end)
    {
        uint word = first;
        for (; word < end && bits[word] == ulong.MaxValue; word++)
        {
            bits[word] = 0;
        }

        return word - first;
    }

    // Neighbors, the first on top. Most slabs are filled from end to end, and then a block costs an addition and a store, four of each in a turn of the loop.
    private static void TakeRun(Slab* slab, uint slot, uint count, Round* rounds)
    {
        byte* block = slab->Base + (nuint)slot * slab->BlockBytes;
        byte* last = block + (nuint)(count - 1) * slab->BlockBytes;
        if (HoldsStates(slab) || ((nuint)block ^ (nuint)last) > AddressMap.WindowMask)
        {
            // The states do not lie at equal distances: those in page entries, and those of a run that crosses into another window.
            for (; count != 0; count--, block += slab->BlockBytes)
            {
                rounds[count - 1] = new Round { Block = block, State = StateOf(slab, block) };
            }

            return;
        }

        Vector128<ulong> one = Vector128.Create((ulong)slab->BlockBytes, slab->BlockBytes >> Units.GranuleShift);
        Vector128<ulong> two = one + one;
        Vector128<ulong> four = two + two;
        Vector128<ulong> first = Vector128.Create((ulong)block, (ulong)StateOf(slab, block));
        Round* end = rounds + count;
        if (count >= 4)
        {
            Vector128<ulong> second = first + one, third = first + two, fourth = second + two;
            do
            {
                first.Store((ulong*)(end - 1));
                second.Store((ulong*)(end - 2));
                third.Store((ulong*)(end - 3));
                fourth.Store((ulong*)(end - 4));
                first += four;
                second += four;
                third += four;
                fourth += four;
                end -= 4;
                count -= 4;
            }
            while (count >= 4);
        }

        for (; count != 0; count--, first += one)
        {
            first.Store((ulong*)--end);
        }
    }

    // Of the free blocks of a word, those whose line is wholly free: four of 16 bytes to a line, or two of 32.
    private static ulong WholeLines(ulong free, uint blockBytes)
    {
        ulong pairs = free & (free >> 1);
        if (blockBytes > LineBytes / 4)
        {
            pairs &= 0x5555555555555555;
            return pairs | (pairs << 1);
        }

        ulong fours = pairs & (pairs >> 2) & 0x1111111111111111;
        return fours * 15;
    }

    /// <summary>
    /// Takes blocks back, from the first one up to one that lies in another slab; returns how many those are, those included that are free in the slab already. Neighbors are
    /// often freed one after the other: their bits go through a register.
    /// </summary>
    public static uint Give(Slab* slab, Round* rounds, uint count)
    {
        ulong* bits = BitsOf(slab);
        uint at = SlotOf(slab, (nuint)rounds->Block) / 64, lowest = Bits.Min(at, slab->FirstWord), done = 0, added = 0;
        ulong word = bits[at];
        for (; done < count && (nuint)(rounds[done].Block - slab->Base) < slab->Bytes; done++)
        {
            uint slot = SlotOf(slab, (nuint)rounds[done].Block);
            if (slot / 64 != at)
            {
                bits[at] = word;
                at = slot / 64;
                word = bits[at];
                lowest = Bits.Min(at, lowest);
            }

            ulong bit = 1UL << (int)(slot % 64);
            added += (word & bit) == 0 ? 1u : 0;
            word |= bit;
        }

        bits[at] = word;
        slab->FirstWord = lowest;
        slab->FreeCount += added;
        return done;
    }

    /// <summary>Free blocks whose pages did not go back to the system; only where blocks have whole pages.</summary>
    public static uint CountKept(Slab* slab) => slab->FreeCount - Bits.CountSet(slab->Returned);

    /// <summary>
    /// Gives the pages of free blocks back to the system: of each block that has whole ones, or, when almost all blocks are free, whatever lies between the
    /// others. Returns the pages that went; of a block that has whole ones, as many as it has wherever it lies.
    /// </summary>
    public static nuint ReturnFree(Slab* slab)
    {
        nuint returned = 0;
        if (slab->PagesOfBlock != 0)
        {
            // Neighbors go in one call.
            for (ulong kept = *BitsOf(slab) & ~slab->Returned; kept != 0; kept &= ~slab->Returned)
            {
                int slot = BitOperations.TrailingZeroCount(kept);
                int count = BitOperations.TrailingZeroCount(~(kept >> slot));
                byte* block = slab->Base + (nuint)(uint)slot * slab->BlockBytes;
                ReturnPages(slab->Region, block, block + (nuint)(uint)count * slab->BlockBytes);
                returned += (uint)count * slab->PagesOfBlock;
                slab->Returned |= (ulong.MaxValue >> (64 - count)) << slot;
            }

            return returned;
        }

        uint used = slab->SlotCount - slab->FreeCount;
        if (used <= slab->PageCount / 2 && slab->FreeCount > slab->Returned)
        {
            slab->Returned = slab->FreeCount;
            for (uint slot = 0; slot < slab->SlotCount; slot++)
            {
                uint first = slot;
                while (slot < slab->SlotCount && IsFreeInSlab(slab, slot))
                {
                    slot++;
                }

                returned += ReturnPages(slab->Region, slab->Base + (nuint)first * slab->BlockBytes, slab->Base + (nuint)slot * slab->BlockBytes);
            }

            slab->ReturnedPages = (ushort)returned;
        }

        return returned;
    }

    private static nuint ReturnPages(Region* region, byte* start, byte* end)
    {
        byte* first = (byte*)Bits.RoundUp((nuint)start, Units.PageBytes);
        byte* last = (byte*)Bits.RoundDown((nuint)end, Units.PageBytes);
        if (first >= last)
        {
            return 0;
        }

        HugeGrowth.Divide(region, first, (nuint)(last - first));
        Os.Discard(first, (nuint)(last - first));
        return (nuint)(last - first) >> Units.PageShift;
    }

    /// <summary>The slot that an address in the slab falls into; SlotCount or more for the waste at its end.</summary>
    public static uint SlotOf(Slab* slab, nuint address) =>
        (uint)((ulong)((address - (nuint)slab->Base) >> Units.GranuleShift) * slab->Reciprocal >> 32);

    public static bool IsFreeInSlab(Slab* slab, uint slot) => (BitsOf(slab)[slot / 64] >> (int)(slot % 64) & 1) != 0;

    public static uint CountFree(Slab* slab) => RunMap.CountSet(BitsOf(slab), 0, slab->SlotCount);

    public static nuint StructureBytes(uint slots) => (nuint)sizeof(Slab) + RunMap.BytesFor(slots);

    private static ulong* BitsOf(Slab* slab) => (ulong*)(slab + 1);
}
