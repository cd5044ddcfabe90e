using PrivateHeaps.Checks;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>
/// The operations on heaps, for every face. Any thread may call any of them for any handle and any address; what is wrong is refused, with
/// the reason in the thread's Failure. This file: from creation to destruction.
/// </summary>
internal static unsafe partial class Heap
{
    /// <summary>The handle of the process heap: generation 1 of slot 0.</summary>
    public const nint ProcessHandle = (1 << HeapRegistry.GenerationShift) | (nint)HeapRegistry.HandleMark;

    private const nuint DefaultInitialBytes = 4 * Units.MiB;

    // Also of blocks and alignments.
    private static nuint LargestHeapBytes => HeapLimits.LargestBytes;

    /// <summary>A new heap's handle; 0 with NoMemory or BadParameter.</summary>
    public static nint Create(ThreadState* thread, HeapLimits* limits)
    {
        bool servable = Engine.Start() && limits->MaximumBytes <= LargestHeapBytes && limits->InitialBytes <= LargestHeapBytes;
        HeapState* heap = servable ? HeapRegistry.TakeSlot() : null;
        if (heap == null)
        {
            return Refuse(thread, HeapFailure.NoMemory);
        }

        Prepare(heap, limits);
        if (!AddChecks(heap, limits) || !GiveFirstMemory(heap, limits))
        {
            DropMemory(heap);
            HeapRegistry.EnterLock();
            HeapRegistry.GiveSlot(heap);
            HeapRegistry.LeaveLock();
            return Refuse(thread, HeapFailure.NoMemory);
        }

        nint handle = HeapRegistry.Publish(heap);
        ThreadCache.BindAtHand(thread, heap, handle);
        return handle;
    }

    /// <summary>The process heap: growable, its first region made with its first block.</summary>
    public static bool CreateProcessHeap()
    {
        HeapState* heap = HeapRegistry.TakeSlot();
        if (heap == null)
        {
            return false;
        }

        HeapLimits limits = default;
        limits.ReturnsMemory = true;
        Prepare(heap, &limits);
        heap->Regions.NextRegionBytes = 64 * Units.MiB;
        heap->FrontEnd = HeapState.LowFragmentation;
        return HeapRegistry.Publish(heap) == ProcessHandle;
    }

    /// <summary>Drops a heap whole; waits for calls that are inside it. False with BadHandle or ProcessHeap.</summary>
    public static bool Destroy(ThreadState* thread, nint handle)
    {
        if (handle == ProcessHandle)
        {
            return Refuse(thread, HeapFailure.ProcessHeap) != 0;
        }

        ThreadState* self = Threads.Attach(thread);
        HeapState* heap = HeapRegistry.Find(handle);
        if (heap == null || !Gate.Claim(self, heap, handle))
        {
            return Refuse(thread, HeapFailure.BadHandle) != 0;
        }

        // The registry lock comes after the heap's and is held while it is frozen, as in a fork.
        HeapRegistry.EnterLock();
        Gate.Dissolve(self, heap);
        if (heap->Checks != null)
        {
            VerifyLast(heap, HeapCall.Destroy, true);
        }

        DropMemory(heap);
        Gate.Release(heap);
        HeapRegistry.GiveSlot(heap);
        HeapRegistry.LeaveLock();
        Findings.Stop();
        return true;
    }

    /// <summary>
    /// Frees all blocks and keeps the heap, its limits and its first region. Calls of other threads come before it or after: a resize that is copying is waited for, and
    /// its block goes with all others; one that has only begun is refused. False with BadHandle or ProcessHeap.
    /// </summary>
    public static bool Clear(ThreadState* thread, nint handle)
    {
        if (handle == ProcessHandle)
        {
            return Refuse(thread, HeapFailure.ProcessHeap) != 0;
        }

        HeapState* heap = BeginExclusive(thread, handle);
        if (heap == null)
        {
            return false;
        }

        OsLock.Enter(&heap->CacheLock);
        for (ThreadCache* cache = heap->Caches; cache != null; cache = cache->Next)
        {
            ThreadCache.Forget(cache, heap);
        }

        OsLock.Leave(&heap->CacheLock);
        if (heap->SharesCache)
        {
            ThreadCache.Forget(heap->SharedCache, heap);
        }

        if (heap->Checks != null)
        {
            VerifyLast(heap, HeapCall.Clear, false);
        }

        DropBlocks(heap, keepFirst: true);
        Shared.Write(&heap->ClearCount, heap->ClearCount + 1);
        Gate.EndExclusive(heap);
        Findings.Stop();
        return true;
    }

    /// <summary>Whether the handle names a living heap.</summary>
    public static bool Exists(nint handle) => Engine.Start() && HeapRegistry.Find(handle) != null;

    /// <summary>The flags that the heap was created with; 0 for a bad handle.</summary>
    public static uint OptionsOf(nint handle)
    {
        HeapState* heap = Engine.Start() ? HeapRegistry.Find(handle) : null;
        return heap == null ? 0 : heap->Options;
    }

    /// <summary>Whether every call on the heap is checked.</summary>
    public static bool IsChecked(nint handle)
    {
        HeapState* heap = Engine.Start() ? HeapRegistry.Find(handle) : null;
        return heap != null && heap->IsChecked;
    }

    /// <summary>The thread's own cache for the heap; null while it has none.</summary>
    public static ThreadCache* CacheOf(ThreadState* thread, nint handle)
    {
        nuint slot = HeapRegistry.SlotOf(handle);
        ThreadCache* cache = slot < thread->TableCount ? thread->Table[slot] : null;
        return cache != null && cache->Thread == thread ? cache : null;
    }

    /// <summary>The cache that all threads share, for as long as the process lives; null for a heap that has none and for a bad handle.</summary>
    public static ThreadCache* SharedCacheOf(nint handle)
    {
        HeapState* heap = Engine.Start() ? HeapRegistry.Find(handle) : null;
        return heap != null && heap->SharesCache ? heap->SharedCache : null;
    }

    /// <summary>The heap's maximum in bytes; 0 for a growable heap or a bad handle.</summary>
    public static nuint MaximumOf(nint handle)
    {
        HeapState* heap = Engine.Start() ? HeapRegistry.Find(handle) : null;
        return heap == null ? 0 : heap->MaximumBytes;
    }

    /// <summary>Copies the heap's name with its zero, at most 32 bytes; false for a bad handle.</summary>
    public static bool CopyName(nint handle, byte* name32)
    {
        HeapState* heap = Engine.Start() ? HeapRegistry.Find(handle) : null;
        if (heap == null)
        {
            return false;
        }

        Os.Copy(name32, &heap->Name, HeapState.NameBytes);
        return true;
    }

    /// <summary>Copies handles in order of creation, the process heap's first, at most the capacity; returns how many heaps there are.</summary>
    public static uint List(ThreadState* thread, nint* handles, uint capacity) => Engine.Start() ? HeapRegistry.List(handles, capacity) : 0;

    /// <summary>What HeapCompatibilityInformation reports: 0 standard, 2 low fragmentation.</summary>
    public static uint FrontEnd(nint handle)
    {
        HeapState* heap = Engine.Start() ? HeapRegistry.Find(handle) : null;
        if (heap == null)
        {
            return 0;
        }

        if (heap->FrontEnd == 0)
        {
            ThreadCache.LookForUse(heap);
        }

        return heap->FrontEnd;
    }

    /// <summary>Turns the caches of a growable, serialized heap on before they would turn on by themselves.</summary>
    public static void EnableFrontEnd(nint handle)
    {
        HeapState* heap = Engine.Start() ? HeapRegistry.Find(handle) : null;
        if (heap != null)
        {
            ThreadCache.EnableFor(heap);
        }
    }

    private static nint Refuse(ThreadState* thread, HeapFailure failure)
    {
        Threads.Attach(thread)->Failure = failure;
        return 0;
    }

    private static void Prepare(HeapState* heap, HeapLimits* limits)
    {
        byte* fresh = (byte*)&heap->Options;
        Os.Clear(fresh, (nuint)((byte*)(heap + 1) - fresh));
        heap->Options = limits->Options & (HeapFlags.NoSerialize | HeapFlags.GenerateExceptions | HeapFlags.CreateEnableExecute | HeapFlags.Forced);
        heap->MaximumBytes = Bits.RoundUp(limits->MaximumBytes == 0 ? 0 : Bits.Max(limits->MaximumBytes, limits->InitialBytes), Units.PageBytes);
        heap->IsFitted = heap->MaximumBytes != 0 && heap->MaximumBytes <= FittedHeap.LargestHeapBytes;
        heap->Regions.TagBase = PageEntry.TagBase(heap->Slot);
        heap->Regions.Bounded = heap->MaximumBytes != 0;
        heap->Regions.Executable = (heap->Options & HeapFlags.CreateEnableExecute) != 0;
        heap->Regions.Retention.MostPages = limits->ReturnsMemory ? RegionSet.MostKeptPages : 0;
        heap->Regions.Spares.IsOn = limits->ReturnsMemory && Os.CanMove && Os.PageBytes == Units.PageBytes;
        heap->Regions.LargestRegionBytes = limits->LargestRegionBytes == 0 ? RegionSet.DefaultLargestRegionBytes : limits->LargestRegionBytes;
        heap->Regions.LimitPages = (limits->LimitBytes + (Units.PageBytes - 1)) >> Units.PageShift;
        for (int i = 0; limits->Name != null && limits->Name[i] != 0 && i < HeapState.NameBytes - 1; i++)
        {
            ((byte*)&heap->Name)[i] = limits->Name[i];
        }
    }

    private static bool GiveFirstMemory(HeapState* heap, HeapLimits* limits)
    {
        nuint initial = Bits.RoundUp(limits->InitialBytes == 0 ? DefaultInitialBytes : limits->InitialBytes, Units.PageBytes);
        nuint bytes = heap->IsBounded ? heap->MaximumBytes : Bits.RoundUp(Bits.Max(initial, limits->ReservedBytes), Arena.UnitBytes);
        if (RegionSet.AddRegion(&heap->Regions, bytes, Bits.Min(initial, bytes)) == null)
        {
            return false;
        }

        heap->Regions.NextRegionBytes = Bits.Max(bytes, Units.MiB);
        if (heap->IsFitted && !FittedHeap.Initialize(&heap->Fitted, &heap->Regions))
        {
            return false;
        }

        return !heap->SharesCache || OpenSharedCache(heap);
    }

    private static void DropMemory(HeapState* heap)
    {
        DropBlocks(heap, keepFirst: false);
        if (heap->Checks != null)
        {
            CheckState.Drop(heap->Checks);
            heap->Checks = null;
        }

        if (heap->Fitted.Granules.Words != null)
        {
            FittedHeap.Drop(&heap->Fitted);
        }

        if (heap->SharesCache && heap->SharedCache != null)
        {
            ThreadCache.Close(heap->SharedCache);
            heap->SharedCache->Heap = null;
            ThreadCache.Forget(heap->SharedCache, heap);
        }
    }

    private static bool OpenSharedCache(HeapState* heap)
    {
        if (heap->SharedCache == null && (heap->SharedCache = ThreadCache.Create(Threads.Nobody)) == null)
        {
            return false;
        }

        heap->SharedCache->Heap = heap;
        heap->SharedCache->TagBase = PageEntry.WithBias(heap->Regions.TagBase, Bias.First);
        ThreadCache.SetHandle(heap->SharedCache, HeapRegistry.NextHandle(heap));
        ThreadCache.SetOpen(heap->SharedCache, heap, true);

        return true;
    }

    // Costs what the regions, slabs and large blocks cost, whatever the number of blocks in the slabs.
    private static void DropBlocks(HeapState* heap, bool keepFirst)
    {
        RegionSet* regions = &heap->Regions;
        UserValues.Drop(&heap->UserValues);
        if (heap->Checks != null)
        {
            ForgetChecked(heap);
        }

        while (regions->FirstSolo != null)
        {
            DropSolo(regions, regions->FirstSolo);
        }

        SpareMappings.ReleaseAll(&regions->Spares);
        Depots.Drop(&heap->Depots);
        HeapState.DropBins(heap);

        Region* next;
        for (Region* region = regions->First; region != null; region = next)
        {
            next = region->Next;
            DropSlabStructures(region);
            if (keepFirst && region == regions->First)
            {
                Region.Reset(region);
            }
            else
            {
                RegionSet.Remove(&regions->First, &regions->Last, region);
                Region.Drop(region);
            }
        }

        regions->UsedPages = 0;
        if (keepFirst && heap->IsFitted)
        {
            FittedHeap.Reset(&heap->Fitted, regions);
        }
    }

    private static void DropSlabStructures(Region* region)
    {
        for (uint page = Region.HeaderPages; page < region->TouchedPages;)
        {
            PageEntry* entry = AddressMap.EntryOf(region->Base + ((nuint)page << Units.PageShift));
            if (entry->Tag != 0 && entry->Kind < PageEntry.FirstSpecialKind)
            {
                Slab* slab = (Slab*)entry->Owner;
                page += slab->PageCount;
                Metadata.Give(slab, Slab.StructureBytes(slab->SlotCount));
            }
            else
            {
                page += entry->Kind == PageEntry.LargeKind ? entry->Pages : 1;
            }
        }
    }
}
