using PrivateHeaps.Tests.Conformance;

namespace PrivateHeaps.Tests.Model;

/// <summary>What one heap should hold: its blocks with their sizes and the byte that fills each.</summary>
internal sealed unsafe class HeapModel(IHeapFace face, nint handle, bool bounded)
{
    private readonly Dictionary<nint, (nuint Bytes, byte Value)> _live = [];
    private readonly List<nint> _blocks = [];

    public nint Handle => handle;

    public bool Bounded => bounded;

    public int Count => _blocks.Count;

    public nint Pick(Random random) => _blocks[random.Next(_blocks.Count)];

    public bool IsLive(nint block) => _live.ContainsKey(block);

    public (nuint Bytes, byte Value) this[nint block] => _live[block];

    /// <summary>Takes up a block that the heap just gave, and fills it.</summary>
    public void Add(nint block, nuint bytes, byte value)
    {
        Assert.True(_live.TryAdd(block, (bytes, value)), $"0x{block:X} was given to two callers.");
        _blocks.Add(block);
        Memory.Fill((void*)block, bytes, value);
    }

    public void Remove(nint block)
    {
        Assert.True(_live.Remove(block));
        _blocks[_blocks.IndexOf(block)] = _blocks[^1];
        _blocks.RemoveAt(_blocks.Count - 1);
    }

    public void CheckBlock(nint block)
    {
        (nuint bytes, byte value) = _live[block];
        Assert.Equal(bytes, face.HeapSize(handle, 0, (void*)block));
        Memory.AssertFilled((void*)block, 0, bytes, value);
    }

    public void CheckSound() => Assert.True(face.HeapValidate(handle, 0, null), "The heap does not validate.");

    /// <summary>Contents, walk, summary and model say the same.</summary>
    public void CheckAll()
    {
        List<Entry> entries = face.Contents(handle);
        Dictionary<nint, nuint> walked = entries.Where(entry => entry.Kind == HeapEntryKind.Block).ToDictionary(entry => entry.Address, entry => entry.Size);
        Assert.Equal(_live.Count, walked.Count);
        nuint allocated = 0;
        foreach ((nint block, (nuint bytes, byte _)) in _live)
        {
            Assert.True(walked.TryGetValue(block, out nuint size) && size == bytes, $"The walk does not show the block 0x{block:X} of {bytes} bytes.");
            CheckBlock(block);
            allocated += bytes;
        }

        Sizes sizes = face.Measure(handle);
        Assert.Equal(allocated, sizes.Allocated);
        Assert.True(sizes.Allocated <= sizes.Committed && sizes.Committed <= sizes.Reserved && sizes.Reserved <= sizes.MaximumReserve, $"{sizes}");
    }
}
