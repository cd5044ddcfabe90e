using System.Collections.Concurrent;
using PrivateHeaps.Win32;

namespace PrivateHeaps.Tests.Conformance;

/// <summary><see cref="PrivateHeap"/>, with its exceptions translated back to the refusals that they stand for.</summary>
public sealed unsafe class PrivateHeapFace : IHeapFace
{
    /// <summary>Disposed heaps stay in it, so that their handles reach a disposed object.</summary>
    private readonly ConcurrentDictionary<nint, PrivateHeap> _heaps = new();

    public override string ToString() => "PrivateHeap";

    public nint HeapCreate(uint options, nuint initialSize, nuint maximumSize)
    {
        PrivateHeap heap = new(new PrivateHeapOptions
        {
            InitialSize = initialSize,
            MaximumSize = maximumSize,
            NoSerialize = (options & HeapApi.HEAP_NO_SERIALIZE) != 0,
            EnableExecute = (options & HeapApi.HEAP_CREATE_ENABLE_EXECUTE) != 0,
            GenerateExceptions = (options & HeapApi.HEAP_GENERATE_EXCEPTIONS) != 0,
        });
        _heaps[heap.Handle] = heap;
        return heap.Handle;
    }

    public bool HeapDestroy(nint heap)
    {
        PrivateHeap target = _heaps[heap];
        bool alive = !target.IsDisposed;
        target.Dispose();
        return alive;
    }

    /// <summary>What the Win32 faces have no word for.</summary>
    public void Clear(nint heap) => _heaps[heap].Clear();

    /// <inheritdoc cref="Clear"/>
    public void* AlignedAlloc(nint heap, nuint bytes, nuint alignment) => _heaps[heap].AlignedAlloc(bytes, alignment);

    public void* HeapAlloc(nint heap, uint flags, nuint bytes)
    {
        if ((flags & HeapApi.HEAP_ZERO_MEMORY) == 0)
        {
            return _heaps[heap].TryAlloc(bytes, out void* block) ? block : null;
        }

        try
        {
            return _heaps[heap].AllocZeroed(bytes);
        }
        catch (OutOfMemoryException)
        {
            return null;
        }
    }

    public void* HeapReAlloc(nint heap, uint flags, void* block, nuint bytes)
    {
        try
        {
            if ((flags & HeapApi.HEAP_REALLOC_IN_PLACE_ONLY) != 0)
            {
                return _heaps[heap].TryReallocInPlace(block, bytes) ? block : null;
            }

            return _heaps[heap].Realloc(block, bytes);
        }
        catch (Exception refusal) when (refusal is OutOfMemoryException or ArgumentException)
        {
            return null;
        }
    }

    public bool HeapFree(nint heap, uint flags, void* block)
    {
        try
        {
            _heaps[heap].Free(block);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    public nuint HeapSize(nint heap, uint flags, void* block)
    {
        try
        {
            return _heaps[heap].GetSize(block);
        }
        catch (ArgumentException)
        {
            return nuint.MaxValue;
        }
    }

    public bool HeapValidate(nint heap, uint flags, void* block) =>
        block == null ? _heaps[heap].Validate() : _heaps[heap].Validate(block);

    public List<Entry> Contents(nint heap) =>
        [.. _heaps[heap].Walk().Select(entry => new Entry(entry.Kind, entry.Address, entry.Size, entry.Overhead, entry.RegionIndex))];

    public Sizes Measure(nint heap)
    {
        HeapSummary summary = _heaps[heap].GetSummary();
        return new Sizes(summary.AllocatedBytes, summary.CommittedBytes, summary.ReservedBytes, summary.MaximumReserveBytes);
    }
}
