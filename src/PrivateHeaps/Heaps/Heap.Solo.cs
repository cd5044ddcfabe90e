using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>
/// Solo blocks: large blocks, from 1 MiB on in a growable heap, each with a mapping of its own that the system can move by its page tables. What a freed one had is
/// kept for the next as <see cref="SpareMappings"/> say.
/// </summary>
internal static unsafe partial class Heap
{
    // Where Windows begins to give blocks a mapping of their own, too. Behind malloc it is everything above the slabs: programs that grow their arrays by
    // realloc leave no holes then (python3's peak: 137 MiB in place of 152).
    private static nuint SoloBytes(uint flags) => (flags & HeapFlags.MapsEarly) != 0 ? Slabs.SizeClass.LargestBytes + 1 : 0xFF000;

    private static bool HasOwnMapping(RegionSet* regions, nuint bytes, uint flags) => !regions->Bounded && bytes >= SoloBytes(flags);

    private static byte* AllocateSolo(RegionSet* regions, nuint bytes, nuint blockBytes, nuint alignment, uint flags)
    {
        nuint pages = blockBytes >> Units.PageShift;
        if (!ChargeSolo(regions, pages))
        {
            return null;
        }

        Region* region = TakeSpare(regions, pages, alignment, (flags & HeapFlags.Grows) != 0, out nuint dirtyBytes);
        if (region == null)
        {
            region = MapSolo(regions, blockBytes, alignment);
        }

        if (region == null)
        {
            UnchargeSolo(regions, pages);
            return null;
        }

        OsLock.Enter(&regions->Lock);
        regions->UsedPages += region->PageCount - pages;
        regions->SoloPages += region->PageCount - pages;
        SpareMappings.NoteUsed(&regions->Spares, regions->SoloPages);
        region->Index = regions->LastSolo == null ? 0 : regions->LastSolo->Index + 1;
        region->UsedPages = (uint)(dirtyBytes >> Units.PageShift);
        region->IsFilled = false;
        nuint freshBytes = region->Bytes - dirtyBytes;
        bool willBeUsed = freshBytes >= HugeGrowth.LeastShownBytes && HugeGrowth.IsNextUsed(regions, region->Bytes);
        if (willBeUsed && freshBytes >= HugeGrowth.LeastBytes)
        {
            HugeGrowth.Fill(regions, region, region->Base, region->Bytes, dirtyBytes, HugeGrowth.MostBytes);
        }

        RegionSet.Append(&regions->FirstSolo, &regions->LastSolo, region);
        OsLock.Leave(&regions->Lock);
        if ((flags & HeapFlags.ZeroMemory) != 0)
        {
            Os.Clear(region->Base, Bits.Min(bytes, dirtyBytes));
            if (willBeUsed && !region->IsFilled)
            {
                HugeGrowth.Touch(region, dirtyBytes);
            }
        }

        SetLarge(region->Base, regions->TagBase | PageEntry.SoloKind, region->PageCount, region, region->Bytes - bytes);
        return region->Base;
    }

    private static Region* MapSolo(RegionSet* regions, nuint blockBytes, nuint alignment)
    {
        byte* block = (byte*)Os.Map(blockBytes, Bits.Max(alignment, Units.PageBytes), regions->Executable);
        if (block == null)
        {
            return null;
        }

        Region* region = AddressMap.Cover(block, Units.PageBytes) ? (Region*)Metadata.Take((nuint)sizeof(Region)) : null;
        if (region == null)
        {
            Leftovers.Release(block, blockBytes, blockBytes);
            return null;
        }

        region->Kind = RegionKind.Solo;
        region->Base = block;
        region->PageCount = (uint)(blockBytes >> Units.PageShift);
        region->CommittedPages = region->PageCount;
        region->Executable = regions->Executable;
        return region;
    }

    // A mapping that was kept, if need be enlarged; what its first bytes hold may be anything, and what is behind them is zero. Null when there is none that serves.
    private static Region* TakeSpare(RegionSet* regions, nuint pages, nuint alignment, bool grows, out nuint dirtyBytes)
    {
        Region* region = null;
        OsLock.Enter(&regions->Lock);
        if (alignment <= Units.PageBytes)
        {
            region = SpareMappings.Take(&regions->Spares, pages, regions->SoloPages, grows);
        }
        else
        {
            SpareMappings.Shrink(&regions->Spares, pages);
        }

        OsLock.Leave(&regions->Lock);
        dirtyBytes = region == null ? 0 : region->Bytes;
        if (region != null && region->PageCount < pages && !Enlarge(region, pages))
        {
            ReleaseSolo(regions, region);
            return null;
        }

        if (region != null && !AddressMap.Cover(region->Base, Units.PageBytes))
        {
            Leftovers.Release(region->Base, region->Bytes, region->Bytes);
            GiveRegion(region);
            return null;
        }

        return region;
    }

    private static bool Enlarge(Region* region, nuint pages)
    {
        byte* moved = (byte*)Os.Move(region->Base, region->Bytes, pages << Units.PageShift);
        if (moved != null)
        {
            SetPlace(region, moved, pages);
        }

        return moved != null;
    }

    private static void SetPlace(Region* region, byte* address, nuint pages)
    {
        region->Displacement += (nint)(address - region->Base);
        region->Base = address;
        region->PageCount = (uint)pages;
        region->CommittedPages = region->PageCount;
    }

    private static bool FreeSolo(RegionSet* regions, byte* block, PageEntry* entry, byte* state, uint tag)
    {
        if (!ClaimLarge(entry, tag))
        {
            return false;
        }

        Os.Clear(state, Units.GranulesPerPage);

        Region* region = (Region*)entry->Owner;
        OsLock.Enter(&regions->Lock);
        RegionSet.Remove(&regions->FirstSolo, &regions->LastSolo, region);
        regions->UsedPages -= region->PageCount;
        regions->SoloPages -= region->PageCount;
        bool kept = SpareMappings.Keep(&regions->Spares, region, regions->SoloPages);
        OsLock.Leave(&regions->Lock);
        if (!kept)
        {
            Leftovers.Release(block, region->Bytes, region->Bytes);
            GiveRegion(region);
        }

        return true;
    }

    // For a heap that is dropped or cleared: nobody else is inside.
    private static void DropSolo(RegionSet* regions, Region* region)
    {
        PageEntry* entry = AddressMap.EntryOf(region->Base);
        FreeSolo(regions, region->Base, entry, AddressMap.ArrayStateOf(region->Base), entry->Tag);
    }

    private static void GiveRegion(Region* region)
    {
        if (region != null)
        {
            Metadata.Give(region, (nuint)sizeof(Region));
        }
    }

    private static bool ChargeSolo(RegionSet* regions, nuint pages)
    {
        OsLock.Enter(&regions->Lock);
        bool fits = pages <= uint.MaxValue && RegionSet.FitsLimit(regions, pages);
        if (fits)
        {
            regions->UsedPages += pages;
            regions->SoloPages += pages;
            SpareMappings.NoteUsed(&regions->Spares, regions->SoloPages);
        }

        OsLock.Leave(&regions->Lock);
        return fits;
    }

    private static void UnchargeSolo(RegionSet* regions, nuint pages)
    {
        OsLock.Enter(&regions->Lock);
        regions->UsedPages -= pages;
        regions->SoloPages -= pages;
        OsLock.Leave(&regions->Lock);
    }

    /// <summary>
    /// Changes a mapping: in place if it can be, else, if it may move, by moving its pages without copying. The block's address after it, or null when nothing was
    /// changed. False when another thread has freed the block meanwhile.
    /// </summary>
    private static bool ResizeSolo(RegionSet* regions, byte* block, PageEntry* entry, byte* state, uint tag, nuint bytes, bool zero, bool mayMove, out byte* resized)
    {
        resized = null;
        if (!ClaimLarge(entry, tag))
        {
            return false;
        }

        nuint slack = TakeSlack(state);

        Region* region = (Region*)entry->Owner;
        nuint old = region->Bytes - slack;
        nuint blockBytes = Bits.RoundUp(Bits.Max(bytes, 1), Units.PageBytes);
        if (blockBytes <= region->Bytes && bytes >= old)
        {
            // It grows into what a kept mapping had more than was asked for.
            blockBytes = region->Bytes;
        }

        resized = ResizeMapping(regions, region, blockBytes, mayMove);
        if (resized == null && blockBytes < region->Bytes && region->Bytes - bytes <= BlockState.LongSlackMaximum)
        {
            // The system cannot divide the mapping now: the block keeps all of it, and what is behind its end goes back if it can.
            Os.Discard(region->Base + blockBytes, region->Bytes - blockBytes);
            blockBytes = region->Bytes;
            resized = region->Base;
        }

        if (resized != null)
        {
            if (blockBytes != region->Bytes)
            {
                SetNewPlace(regions, region, resized, blockBytes);
            }

            slack = blockBytes - bytes;
        }

        ClearAdded(resized, old, bytes, zero);

        // At the old address is no block any more: another thread may have got the address range already.
        SetLarge(region->Base, tag, region->PageCount, region, slack);
        return true;
    }

    // Base and PageCount are read by walks, which have the heap stand still while this thread is inside, and under the lock where the next large block is allocated.
    private static void SetNewPlace(RegionSet* regions, Region* region, byte* resized, nuint blockBytes)
    {
        bool becomesHuge = HugeGrowth.IsGrownHuge(region, resized, blockBytes);
        OsLock.Enter(&regions->Lock);
        if (becomesHuge)
        {
            HugeGrowth.Fill(regions, region, resized, blockBytes, region->Bytes, region->Bytes / HugeGrowth.GrownFraction);
        }

        SetPlace(region, resized, blockBytes >> Units.PageShift);
        OsLock.Leave(&regions->Lock);
    }

    private static byte* ResizeMapping(RegionSet* regions, Region* region, nuint blockBytes, bool mayMove)
    {
        nuint old = region->Bytes;
        nuint pages = blockBytes >> Units.PageShift;
        byte* block = region->Base;
        if (blockBytes < old)
        {
            if (!KeepTail(regions, region, pages) && !Os.Resize(block, old, blockBytes))
            {
                return null;
            }

            UnchargeSolo(regions, region->PageCount - pages);
        }
        else if (blockBytes > old)
        {
            if (!ChargeSolo(regions, pages - region->PageCount))
            {
                return null;
            }

            if (!TakeBehind(regions, region, pages))
            {
                bool moves = mayMove && Os.CanMove && !regions->Executable;
                block = moves ? MoveMapping(block, old, blockBytes) : Os.Resize(block, old, blockBytes) ? block : null;
                if (block == null)
                {
                    UnchargeSolo(regions, pages - region->PageCount);
                }
            }
        }

        return block;
    }

    // What a block no longer needs at its end becomes a spare mapping.
    private static bool KeepTail(RegionSet* regions, Region* region, nuint pages)
    {
        Region* tail = regions->Spares.IsOn ? (Region*)Metadata.Take((nuint)sizeof(Region)) : null;
        if (tail == null)
        {
            return false;
        }

        tail->Kind = RegionKind.Solo;
        tail->Base = region->Base + (pages << Units.PageShift);
        tail->PageCount = region->PageCount - (uint)pages;
        tail->Executable = region->Executable;
        tail->Displacement = region->Displacement;
        tail->HugeNumber = region->HugeNumber;
        OsLock.Enter(&regions->Lock);
        bool kept = SpareMappings.Keep(&regions->Spares, tail, regions->SoloPages);
        OsLock.Leave(&regions->Lock);
        if (!kept)
        {
            GiveRegion(tail);
        }

        return kept;
    }

    private static bool TakeBehind(RegionSet* regions, Region* region, nuint pages)
    {
        OsLock.Enter(&regions->Lock);
        bool taken = SpareMappings.TakeBehind(&regions->Spares, region, pages - region->PageCount, regions->SoloPages);
        region->UsedPages = taken ? (uint)pages : region->UsedPages;
        OsLock.Leave(&regions->Lock);
        return taken;
    }

    // Enlarges a mapping where it lies, or else moves its pages to where there is room; null when it stays as it was. Only then it is known where, so there must be a window
    // for it before.
    private static byte* MoveMapping(byte* block, nuint oldBytes, nuint newBytes)
    {
        byte* window = AddressMap.TakeWindow();
        if (window == null)
        {
            return null;
        }

        byte* moved = (byte*)Os.Move(block, oldBytes, newBytes);
        AddressMap.GiveWindow(window, moved);
        return moved;
    }
}
