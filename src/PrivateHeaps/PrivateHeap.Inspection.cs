using PrivateHeaps.Heaps;
using ThreadState = PrivateHeaps.Heaps.ThreadState;

namespace PrivateHeaps;

/// <summary>The heap as a whole: exclusion, checks, sizes, contents.</summary>
public sealed unsafe partial class PrivateHeap
{
    /// <summary>Whether an address is the start of a live block of this heap.</summary>
    /// <param name="address">Any address.</param>
    /// <returns>True for what <see cref="Alloc(nuint)"/> and its relatives returned and nobody freed since; false for everything else.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public bool Contains(void* address)
    {
        ThreadState* thread = CurrentThread.State;
        bool contained = Heap.ValidateBlock(thread, _handle, 0, address);
        if (!contained)
        {
            ThrowIfGone(thread);
        }

        return contained;
    }

    /// <summary>Checks all data by which the heap keeps its blocks.</summary>
    /// <returns>Whether they agree with each other. Since they lie apart from the blocks, no overrun of a block can damage them.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public bool Validate()
    {
        ThreadState* thread = CurrentThread.State;
        bool valid = Heap.Validate(thread, _handle, 0);
        if (!valid)
        {
            ThrowIfGone(thread);
        }

        return valid;
    }

    /// <summary>Checks one block.</summary>
    /// <param name="block">Any address.</param>
    /// <returns>Whether it is the start of a live block of this heap.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public bool Validate(void* block) => Contains(block);

    /// <summary>Reads the contents of the heap while they are enumerated.</summary>
    /// <returns>
    /// The regions, blocks and free ranges. Allocating while a walk is under way is allowed and may or may not show in it; take
    /// <see cref="EnterScope"/> around the walk to keep other threads from changing the heap.
    /// </returns>
    public HeapEntries Walk() => new(this);

    /// <summary>Takes the heap for this thread: all other threads wait in their calls on it until the scope is disposed. May be nested.</summary>
    /// <returns>The scope, for a using statement.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public Scope EnterScope()
    {
        ThreadState* thread = CurrentThread.State;
        if (!Heap.Lock(thread, _handle))
        {
            ThrowIfGone(thread);
        }

        return new Scope(_handle);
    }

    /// <summary>Gives the memory that no block needs back to the operating system.</summary>
    /// <returns>How many bytes.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public nuint Compact()
    {
        ThreadState* thread = CurrentThread.State;
        nuint returnedBytes = 0;
        if (!Heap.Trim(thread, _handle, &returnedBytes))
        {
            ThrowIfGone(thread);
        }

        return returnedBytes;
    }

    /// <summary>Measures the heap.</summary>
    /// <returns>Its sizes at one moment.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public HeapSummary GetSummary()
    {
        ThreadState* thread = CurrentThread.State;
        HeapTotals totals = default;
        if (!Heap.Summarize(thread, _handle, &totals))
        {
            ThrowIfGone(thread);
        }

        return new HeapSummary
        {
            AllocatedBytes = totals.AllocatedBytes,
            CommittedBytes = totals.CommittedBytes,
            ReservedBytes = totals.ReservedBytes,
            MaximumReserveBytes = totals.MaximumReserveBytes,
            BlockCount = totals.BlockCount,
            LargestBlockBytes = totals.LargestBlockBytes,
            RegionCount = totals.RegionCount,
        };
    }

    /// <summary>One step of a walk, for <see cref="HeapEntries"/>.</summary>
    internal bool MoveNext(WalkEntry* entry)
    {
        ThreadState* thread = CurrentThread.State;
        if (Heap.Walk(thread, _handle, entry))
        {
            return true;
        }

        ThrowIfGone(thread);
        return thread->Failure == HeapFailure.NoMoreEntries
            ? false
            : throw new InvalidOperationException($"The entry that the walk of {this} had reached is gone. Take EnterScope() around the walk.");
    }

    /// <summary>The time between taking a heap and giving it free, see <see cref="EnterScope"/>.</summary>
    public ref struct Scope
    {
        private nint _handle;

        internal Scope(nint handle) => _handle = handle;

        /// <summary>Lets other threads go on. Further calls do nothing.</summary>
        public void Dispose()
        {
            nint handle = _handle;
            _handle = 0;
            if (handle != 0)
            {
                Heap.Unlock(CurrentThread.State, handle);
            }
        }
    }
}
