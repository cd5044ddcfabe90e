using System.Collections;
using PrivateHeaps.Heaps;

namespace PrivateHeaps;

/// <summary>
/// The contents of a heap, read while they are enumerated: for each region the region itself, its blocks, busy and free, by address, and its
/// uncommitted rest; after all regions the blocks with a mapping of their own. Enumerating it with foreach allocates nothing.
/// </summary>
public readonly struct HeapEntries : IEnumerable<HeapEntry>
{
    private readonly PrivateHeap _heap;

    internal HeapEntries(PrivateHeap heap) => _heap = heap;

    /// <summary>Starts at the first entry.</summary>
    /// <returns>The enumerator, in front of the first entry.</returns>
    public Enumerator GetEnumerator() => new(_heap);

    IEnumerator<HeapEntry> IEnumerable<HeapEntry>.GetEnumerator() => GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Goes through the entries one by one. It holds no lock and no memory between two steps.</summary>
    public unsafe struct Enumerator : IEnumerator<HeapEntry>
    {
        private readonly PrivateHeap _heap;
        private WalkEntry _position;

        internal Enumerator(PrivateHeap heap) => _heap = heap;

        /// <summary>The entry that <see cref="MoveNext"/> reached.</summary>
        public readonly HeapEntry Current => new()
        {
            Kind = _position.Kind switch
            {
                WalkKind.Region => HeapEntryKind.Region,
                WalkKind.FreeBlock => HeapEntryKind.Free,
                WalkKind.Uncommitted => HeapEntryKind.Uncommitted,
                _ => HeapEntryKind.Block,
            },
            Address = (nint)_position.Address,
            Size = _position.Bytes,
            Overhead = _position.OverheadBytes,
            Committed = _position.CommittedBytes,
            RegionIndex = _position.Kind == WalkKind.LargeBlock ? -1 : (int)_position.RegionIndex,
        };

        readonly object IEnumerator.Current => Current;

        /// <summary>Reads the next entry.</summary>
        /// <returns>False behind the last one.</returns>
        /// <exception cref="InvalidOperationException">The block that was reached last has been freed since.</exception>
        /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
        public bool MoveNext()
        {
            WalkEntry next = _position;
            if (!_heap.MoveNext(&next))
            {
                return false;
            }

            _position = next;
            return true;
        }

        /// <summary>Starts again.</summary>
        public void Reset() => _position = default;

        /// <summary>Does nothing: there is nothing to give back.</summary>
        public readonly void Dispose()
        {
        }
    }
}
