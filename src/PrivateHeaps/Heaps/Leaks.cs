using PrivateHeaps.Checks;
using PrivateHeaps.Foundation;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>
/// What is still allocated when a heap or the process ends: one finding for each place that allocated, those with the most bytes first, and one for all places
/// beyond a hundred; or one for the heap, if no stacks are recorded. Nobody else is inside the heap.
/// </summary>
internal static unsafe class Leaks
{
    /// <summary>The most places that are named.</summary>
    private const uint MostSites = 100;

    public static void Report(HeapState* heap, HeapCall call)
    {
        BlockTable* table = &heap->Checks->Table;
        uint live = 0;
        for (uint i = 0; i < table->Count; i++)
        {
            live += IsLive(heap, &table->Records[i]) ? 1u : 0;
        }

        if (live == 0)
        {
            return;
        }

        uint capacity = 16;
        while (capacity / 2 < live)
        {
            capacity *= 2;
        }

        Site* sites = (Site*)Metadata.Take(capacity * (nuint)sizeof(Site));
        if (sites == null)
        {
            return;
        }

        for (uint i = 0; i < table->Count; i++)
        {
            BlockRecord* record = &table->Records[i];
            if (IsLive(heap, record))
            {
                Site* site = SiteOf(sites, capacity, record->AllocatedBy);
                site->Stack = record->AllocatedBy;
                site->Count++;
                site->Bytes += record->Bytes;
                site->Block = record->Address;
            }
        }

        for (uint told = 0; told < MostSites && TellLargest(heap, sites, capacity, call); told++)
        {
        }

        TellRest(heap, sites, capacity, call);

        Metadata.Give(sites, capacity * (nuint)sizeof(Site));
    }

    private static bool IsLive(HeapState* heap, BlockRecord* record) =>
        record->State == RecordState.Live && Heap.LocateAny(heap, (void*)record->Address, out _, out _);

    private static Site* SiteOf(Site* sites, uint capacity, uint stack)
    {
        for (uint index = stack * 0x9E3779B1; ; index++)
        {
            Site* site = &sites[index & (capacity - 1)];
            if (site->Count == 0 || site->Stack == stack)
            {
                return site;
            }
        }
    }

    private static Site* LargestOf(Site* sites, uint capacity)
    {
        Site* largest = null;
        for (uint i = 0; i < capacity; i++)
        {
            bool isLarger = sites[i].Count != 0 && !sites[i].IsTold && (largest == null || sites[i].Bytes > largest->Bytes);
            largest = isLarger ? &sites[i] : largest;
        }

        return largest;
    }

    private static bool TellLargest(HeapState* heap, Site* sites, uint capacity, HeapCall call)
    {
        Site* site = LargestOf(sites, capacity);
        if (site != null)
        {
            site->IsTold = true;
            Tell(heap, site, 1, call);
        }

        return site != null;
    }

    private static void TellRest(HeapState* heap, Site* sites, uint capacity, HeapCall call)
    {
        Site rest = default;
        nuint places = 0;
        for (uint i = 0; i < capacity; i++)
        {
            if (sites[i].Count != 0 && !sites[i].IsTold)
            {
                places++;
                rest.Count += sites[i].Count;
                rest.Bytes += sites[i].Bytes;
                rest.Block = sites[i].Block;
                rest.Stack = sites[i].Stack;
            }
        }

        if (places != 0)
        {
            rest.Stack = places == 1 ? rest.Stack : 0;
            Tell(heap, &rest, places, call);
        }
    }

    private static void Tell(HeapState* heap, Site* site, nuint places, HeapCall call)
    {
        Finding* finding = Heap.BeginFinding(heap, FindingKind.Leak, CallNames.Of(call, CallFace.Win32, false, false));
        finding->Address = site->Block;
        finding->Block = site->Block;
        finding->Bytes = site->Bytes;
        finding->Count = site->Count;
        finding->Places = places;
        finding->AllocatedBy = site->Stack;
        Damage.DescribeLeak(finding, site->Stack != 0, call == HeapCall.Exit ? "the process ended"u8 : "the heap was destroyed"u8);
        Findings.Report(finding, ends: false);
    }

    private struct Site
    {
        public uint Stack;
        public bool IsTold;
        public nuint Count;
        public nuint Bytes;

        /// <summary>One of the blocks.</summary>
        public nuint Block;
    }
}
