using System.Buffers;

namespace PrivateHeaps;

/// <summary>
/// One block of a heap as a <see cref="Memory{T}"/>: what <see cref="PrivateHeap.Rent{T}"/> returns. It has no finalizer; a block whose owner
/// is forgotten lives as long as its heap.
/// </summary>
internal sealed unsafe class HeapMemory<T> : MemoryManager<T>
    where T : unmanaged
{
    private readonly PrivateHeap _heap;
    private readonly int _epoch;
    private readonly int _length;

    /// <summary>The block; 0 once disposed. Taken by exchange, so that of two who dispose only one frees.</summary>
    private nint _block;

    public HeapMemory(PrivateHeap heap, int length)
    {
        _heap = heap;
        _length = length;
        _epoch = heap.Epoch;
        _block = (nint)heap.Alloc<T>((nuint)length);
    }

    /// <summary>A cleared heap may have given the same address to somebody else.</summary>
    private bool IsGone => _heap.IsDisposed || _heap.Epoch != _epoch;

    public override Span<T> GetSpan() => new(Block(), _length);

    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(elementIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(elementIndex, _length);
        return new MemoryHandle(Block() + elementIndex);
    }

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
        nint block = Interlocked.Exchange(ref _block, 0);
        if (block != 0 && !IsGone)
        {
            _heap.Free((void*)block);
        }
    }

    private T* Block()
    {
        nint block = Volatile.Read(ref _block);
        ObjectDisposedException.ThrowIf(block == 0 || IsGone, this);
        return (T*)block;
    }
}
