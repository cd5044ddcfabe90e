using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PrivateHeaps;

/// <summary>Blocks of elements.</summary>
public sealed unsafe partial class PrivateHeap
{
    /// <summary>Counts the calls of <see cref="Clear"/>, for <see cref="HeapMemory{T}"/>.</summary>
    internal int Epoch => Volatile.Read(ref _epoch);

    /// <summary>Allocates a block for elements of a type; otherwise as <see cref="Alloc(nuint)"/>.</summary>
    /// <typeparam name="T">A type without references.</typeparam>
    /// <param name="count">How many elements.</param>
    /// <returns>The first element.</returns>
    /// <inheritdoc cref="Alloc(nuint)"/>
    public T* Alloc<T>(nuint count = 1)
        where T : unmanaged => (T*)Alloc(count, (nuint)sizeof(T));

    /// <summary>Allocates a block for elements of a type; the contents are unspecified.</summary>
    /// <typeparam name="T">A type without references.</typeparam>
    /// <param name="count">How many elements, not negative.</param>
    /// <returns>The elements, to be freed by <see cref="Free{T}(Span{T})"/>. The span does not know when they are freed.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is negative.</exception>
    /// <exception cref="OutOfMemoryException">The heap has no room for them.</exception>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public Span<T> AllocSpan<T>(int count)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return new Span<T>(Alloc<T>((nuint)count), count);
    }

    /// <summary>Frees what <see cref="AllocSpan{T}"/> returned.</summary>
    /// <typeparam name="T">A type without references.</typeparam>
    /// <param name="span">The whole span, or its beginning.</param>
    /// <exception cref="ArgumentException">The span does not start where a live block of this heap does.</exception>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public void Free<T>(Span<T> span)
        where T : unmanaged => Free(Unsafe.AsPointer(ref MemoryMarshal.GetReference(span)));

    /// <summary>
    /// Allocates memory for elements of a type that code written for <see cref="Memory{T}"/> can use. Pinning it costs nothing.
    /// </summary>
    /// <typeparam name="T">A type without references.</typeparam>
    /// <param name="length">How many elements, not negative. The memory has exactly this length; its contents are unspecified.</param>
    /// <returns>
    /// The owner, a <see cref="MemoryManager{T}"/>. Disposing it frees the memory. Once it, or the heap, is disposed, the memory throws
    /// <see cref="ObjectDisposedException"/> when it is asked for its span; a span taken before must not be used any more.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="length"/> is negative.</exception>
    /// <exception cref="OutOfMemoryException">The heap has no room for them.</exception>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public IMemoryOwner<T> Rent<T>(int length)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return new HeapMemory<T>(this, length);
    }
}
