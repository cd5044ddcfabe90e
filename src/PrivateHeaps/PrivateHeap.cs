using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Unicode;
using PrivateHeaps.Checks;
using PrivateHeaps.Heaps;
using ThreadState = PrivateHeaps.Heaps.ThreadState;

namespace PrivateHeaps;

/// <summary>
/// A heap of its own: memory outside the garbage collector that one component owns, bounds, inspects and drops whole. The verbs and their
/// failures are those of <see cref="System.Runtime.InteropServices.NativeMemory"/>.
/// <para>
/// All members may be called by several threads at once, unless <see cref="PrivateHeapOptions.NoSerialize"/> is set; any thread may free any
/// block. After <see cref="Dispose"/> all memory of the heap is gone, and every member that needs it throws <see cref="ObjectDisposedException"/>.
/// There is no finalizer: a heap that nobody disposes stays alive, and <see cref="All"/> lists it.
/// </para>
/// <para>
/// An address that is no block of the heap, whatever it is, never crashes the process or harms a block: the call throws <see cref="ArgumentException"/>.
/// </para>
/// </summary>
public sealed unsafe partial class PrivateHeap : IDisposable
{
    /// <summary>Room for a name in the engine: 31 bytes of UTF-8 and a zero.</summary>
    private const int NameCapacityBytes = 32;

    private readonly nint _handle;

    /// <summary>The one cache of a heap without serialization, which needs no look at who calls; else null.</summary>
    private readonly ThreadCache* _shared;

    /// <summary>Leads the threads of other heaps to their caches.</summary>
    private CachePlaces _places = CachePlaces.Create();

    /// <summary>Counts the calls of <see cref="Clear"/>, so that memory rented before one is not taken for memory rented later.</summary>
    private int _epoch;

    /// <summary>Creates a heap.</summary>
    /// <param name="options">Name, sizes and flags; null for a growable heap without a name.</param>
    /// <exception cref="ArgumentException">
    /// The initial size is above the maximum size, or a maximum size and a memory limit are both given.
    /// </exception>
    /// <exception cref="OutOfMemoryException">There is no room for a heap of this size.</exception>
    public PrivateHeap(PrivateHeapOptions? options = null)
    {
        options ??= new PrivateHeapOptions();
        if (options.MaximumSize != 0 && options.InitialSize > options.MaximumSize)
        {
            throw new ArgumentException(
                $"The initial size of {options.InitialSize} bytes is above the maximum size of {options.MaximumSize} bytes.", nameof(options));
        }

        if (options.MaximumSize != 0 && options.MemoryLimit != 0)
        {
            throw new ArgumentException("Give a maximum size or a memory limit, not both.", nameof(options));
        }

        HeapLimits limits = default;
        limits.Options =
            (options.NoSerialize ? HeapFlags.NoSerialize : 0) |
            (options.EnableExecute ? HeapFlags.CreateEnableExecute : 0) |
            (options.GenerateExceptions ? HeapFlags.GenerateExceptions : 0);
        limits.InitialBytes = options.InitialSize;
        limits.MaximumBytes = options.MaximumSize;
        limits.LimitBytes = options.MemoryLimit;
        limits.Checks = options.Checks;
        limits.QuarantineBytes = options.QuarantineSize;
        limits.SampleRate = options.SampleRate;

        // FromUtf16 stops in front of a character that does not fit whole, so the name is never cut inside one.
        byte* name = stackalloc byte[NameCapacityBytes];
        Utf8.FromUtf16(options.Name, new Span<byte>(name, NameCapacityBytes - 1), out _, out int length);
        name[length] = 0;
        limits.Name = name;

        ThreadState* thread = CurrentThread.State;
        if ((options.Checks & HeapChecks.PageHeap) != 0 || options.SampleRate != 0)
        {
            GuardFaults.Expect();
        }

        _handle = Heap.Create(thread, &limits);
        if (_handle == 0)
        {
            throw new OutOfMemoryException($"There is no room for a heap with an initial size of {options.InitialSize} and a maximum of {options.MaximumSize} bytes.");
        }

        _shared = Heap.SharedCacheOf(_handle);
    }

    private PrivateHeap(nint handle)
    {
        _handle = handle;
        _shared = Heap.SharedCacheOf(handle);
    }

    /// <summary>The heap that the process has from the start. Disposing it does nothing.</summary>
    public static PrivateHeap ProcessHeap { get; } = new(Heap.ProcessHandle);

    /// <summary>
    /// Raised for each thing that a check of any heap of the process has found, on the thread whose call has found it and after that has left the heap;
    /// handlers may use heaps. Without a handler the report goes to standard error. Unless <see cref="HeapChecks.Continue"/> is set, the call then
    /// throws <see cref="HeapCorruptionException"/>; leaks are never thrown. After an access to a guard page (Linux on x86-64) the process ends.
    /// </summary>
    public static event EventHandler<HeapFindingEventArgs> Finding
    {
        add => FindingSink.Found += value;
        remove => FindingSink.Found -= value;
    }

    /// <summary>The handle by which <c>HeapApi</c> knows the heap. It stays the same after the heap is disposed, and is then refused.</summary>
    public nint Handle => _handle;

    /// <summary>The name that the heap was created with, cut to 31 bytes of UTF-8; empty if it has none or was disposed.</summary>
    public string Name
    {
        get
        {
            byte* name = stackalloc byte[NameCapacityBytes];
            return Heap.CopyName(_handle, name)
                ? Encoding.UTF8.GetString(System.Runtime.InteropServices.MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name))
                : string.Empty;
        }
    }

    /// <summary>The size in bytes of the one range that holds all blocks; 0 for a heap that grows, and after it was disposed.</summary>
    public nuint MaximumSize => Heap.MaximumOf(_handle);

    /// <summary>Whether the heap is gone.</summary>
    public bool IsDisposed => !Heap.Exists(_handle);

    /// <summary>All heaps of the process, whichever way they were created: the process heap first, then the others by age.</summary>
    /// <returns>An object for each heap that was alive at the call. Heaps that are no longer needed but listed here were never disposed.</returns>
    public static PrivateHeap[] All()
    {
        nint[] handles = [];
        uint count = Heap.List(CurrentThread.State, null, 0);
        while (count > (uint)handles.Length)
        {
            handles = new nint[count];
            fixed (nint* first = handles)
            {
                count = Heap.List(CurrentThread.State, first, (uint)handles.Length);
            }
        }

        return Array.ConvertAll(handles[..(int)count], handle => new PrivateHeap(handle));
    }

    /// <summary>
    /// Frees all blocks at once and ends the heap, in time that depends on its regions, not on its blocks. Further calls do nothing.
    /// </summary>
    public void Dispose() => Heap.Destroy(CurrentThread.State, _handle);

    /// <summary>
    /// Frees all blocks at once and keeps the heap. Memory rented before is gone as if its owner had been disposed. Other threads may be using the heap: each of their
    /// calls comes before this one, and what it returned is freed too, or after it, and a block from before is refused then; so is a resize that was on its way.
    /// </summary>
    /// <exception cref="InvalidOperationException">This is the process heap, whose blocks have other owners.</exception>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public void Clear()
    {
        ThreadState* thread = CurrentThread.State;
        Interlocked.Increment(ref _epoch);
        if (!Heap.Clear(thread, _handle))
        {
            ThrowIfGone(thread);
            throw new InvalidOperationException("The process heap cannot be cleared: its blocks have other owners.");
        }
    }

    /// <summary>Names the heap, for messages and debuggers.</summary>
    /// <returns>The name and the handle.</returns>
    public override string ToString() => Name is { Length: > 0 } name ? $"heap '{name}' (0x{_handle:X})" : $"heap 0x{_handle:X}";
}
