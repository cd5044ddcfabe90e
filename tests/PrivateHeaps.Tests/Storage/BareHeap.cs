using System.Runtime.InteropServices;
using PrivateHeaps.Heaps;
using PrivateHeaps.Slabs;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Tests.Storage;

/// <summary>Regions and bins without caches, which would depend on what threads did before.</summary>
internal sealed unsafe class BareHeap : IDisposable
{
    public BareHeap()
    {
        Assert.True(Engine.Start());
        Regions = (RegionSet*)NativeMemory.AllocZeroed((nuint)sizeof(RegionSet));
        Regions->TagBase = PageEntry.TagBase(HeapRegistry.SlotLimit);
        Regions->NextRegionBytes = Regions->LargestRegionBytes = 1 << 20;
        Bins = (Bin*)NativeMemory.AllocZeroed((nuint)NodeTraffic.Sizes.Length, (nuint)sizeof(Bin));
    }

    public RegionSet* Regions { get; }

    /// <summary>One for each of the sizes.</summary>
    public Bin* Bins { get; }

    /// <summary>As many blocks as there are to be had up to the number.</summary>
    public List<Round> Take(int size, uint wanted, uint bias)
    {
        Round* rounds = stackalloc Round[64];
        uint taken = Bin.Take(Bins + size, Regions, SizeClass.Of((nuint)NodeTraffic.Sizes[size]), rounds + wanted, wanted, bias, null);
        return [.. new Span<Round>(rounds + wanted - taken, (int)taken)];
    }

    public void Give(int size, List<Round> rounds, uint owner = Bias.None)
    {
        foreach (Round round in rounds)
        {
            Round given = round;
            Bin.Give(Bins + size, Regions, &given, 1, owner);
        }
    }

    public void Dispose()
    {
        for (int size = 0; size < NodeTraffic.Sizes.Length; size++)
        {
            Bin.Flush(Bins + size, Regions, Bias.None);
            for (Slab* slab = Bin.TakeFree(Bins + size, null, onlySurplus: false), next; slab != null; slab = next)
            {
                next = slab->Next;
                Slab.Drop(slab, Regions);
            }

            Assert.Equal((0u, 0u), (Bins[size].SlabCount, Bins[size].BlockCount));
        }

        Assert.Equal((nuint)0, Regions->UsedPages);
        for (Region* region = Regions->First, next; region != null; region = next)
        {
            next = region->Next;
            Region.Drop(region);
        }

        NativeMemory.Free(Bins);
        NativeMemory.Free(Regions);
    }
}
