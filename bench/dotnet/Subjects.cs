using System.Buffers;
using System.Runtime.InteropServices;
using PrivateHeaps.Win32;

namespace PrivateHeaps.Benchmarks;

/// <summary>
/// A way to have memory. Subjects and blocks are structures, so that every loop is compiled for its subject alone and calls it as a program would.
/// </summary>
internal interface ISubject<TBlock>
    where TBlock : struct
{
    TBlock Alloc(uint bytes);

    TBlock AllocZeroed(uint bytes);

    /// <summary>Keeps the contents.</summary>
    TBlock Realloc(TBlock block, uint bytes);

    void Free(TBlock block);

    /// <summary>Writes the first byte.</summary>
    void Touch(TBlock block);
}

/// <summary>A subject whose blocks can be dropped all at once.</summary>
internal interface IHeap<TSelf> : ISubject<Pointer>
    where TSelf : struct, IHeap<TSelf>
{
    static abstract TSelf Create();

    void Drop();
}

/// <summary>The subjects, and the blocks of those that give out objects.</summary>
internal static unsafe class Subjects
{
    public readonly struct Native : ISubject<Pointer>
    {
        public Pointer Alloc(uint bytes) => new(NativeMemory.Alloc(bytes));

        public Pointer AllocZeroed(uint bytes) => new(NativeMemory.AllocZeroed(bytes));

        public Pointer Realloc(Pointer block, uint bytes) => new(NativeMemory.Realloc(block.Address, bytes));

        public void Free(Pointer block) => NativeMemory.Free(block.Address);

        public void Touch(Pointer block) => block.Touch();
    }

    public readonly struct Private<TOptions>(PrivateHeap heap) : IHeap<Private<TOptions>>
        where TOptions : struct, IOptions
    {
        public static Private<TOptions> Create() => new(new PrivateHeap(TOptions.Value));

        public Pointer Alloc(uint bytes) => new(heap.Alloc(bytes));

        public Pointer AllocZeroed(uint bytes) => new(heap.AllocZeroed(bytes));

        public Pointer Realloc(Pointer block, uint bytes) => new(heap.Realloc(block.Address, bytes));

        public void Free(Pointer block) => heap.Free(block.Address);

        public void Touch(Pointer block) => block.Touch();

        public void Drop() => heap.Dispose();
    }

    public interface IOptions
    {
        static abstract PrivateHeapOptions? Value { get; }
    }

    public readonly struct Serialized : IOptions
    {
        public static PrivateHeapOptions? Value => null;
    }

    /// <summary>The heap serves one thread at a time, as with HEAP_NO_SERIALIZE.</summary>
    public readonly struct Unserialized : IOptions
    {
        public static PrivateHeapOptions? Value { get; } = new() { NoSerialize = true };
    }

    public readonly struct Handles(nint heap) : IHeap<Handles>
    {
        public static Handles Create() => new(HeapApi.HeapCreate(0, 0, 0));

        public Pointer Alloc(uint bytes) => new((void*)HeapApi.HeapAlloc(heap, 0, bytes));

        public Pointer AllocZeroed(uint bytes) => new((void*)HeapApi.HeapAlloc(heap, HeapApi.HEAP_ZERO_MEMORY, bytes));

        public Pointer Realloc(Pointer block, uint bytes) => new(HeapApi.HeapReAlloc(heap, 0, block.Address, bytes));

        public void Free(Pointer block) => HeapApi.HeapFree(heap, 0, block.Address);

        public void Touch(Pointer block) => block.Touch();

        public void Drop() => HeapApi.HeapDestroy(heap);
    }

    public readonly struct HGlobal : ISubject<Pointer>
    {
        public Pointer Alloc(uint bytes) => new((void*)Marshal.AllocHGlobal((nint)bytes));

        public Pointer AllocZeroed(uint bytes)
        {
            Pointer block = Alloc(bytes);
            new Span<byte>(block.Address, (int)bytes).Clear();
            return block;
        }

        public Pointer Realloc(Pointer block, uint bytes) => new((void*)Marshal.ReAllocHGlobal((nint)block.Address, (nint)bytes));

        public void Free(Pointer block) => Marshal.FreeHGlobal((nint)block.Address);

        public void Touch(Pointer block) => block.Touch();
    }

    public readonly struct Pool : ISubject<ArrayBlock>
    {
        public ArrayBlock Alloc(uint bytes) => new(ArrayPool<byte>.Shared.Rent((int)bytes));

        public ArrayBlock AllocZeroed(uint bytes)
        {
            ArrayBlock block = Alloc(bytes);
            block.Array.AsSpan(0, (int)bytes).Clear();
            return block;
        }

        public ArrayBlock Realloc(ArrayBlock block, uint bytes)
        {
            if (bytes <= (uint)block.Array.Length)
            {
                return block;
            }

            ArrayBlock larger = Alloc(bytes);
            block.Array.CopyTo(larger.Array, 0);
            Free(block);
            return larger;
        }

        public void Free(ArrayBlock block) => ArrayPool<byte>.Shared.Return(block.Array);

        public void Touch(ArrayBlock block) => block.Array[0] = 1;
    }

    public readonly struct OwnerPool : ISubject<OwnerBlock>
    {
        public OwnerBlock Alloc(uint bytes) => new(MemoryPool<byte>.Shared.Rent((int)bytes));

        public OwnerBlock AllocZeroed(uint bytes)
        {
            OwnerBlock block = Alloc(bytes);
            block.Owner.Memory.Span[..(int)bytes].Clear();
            return block;
        }

        public OwnerBlock Realloc(OwnerBlock block, uint bytes)
        {
            if (bytes <= (uint)block.Owner.Memory.Length)
            {
                return block;
            }

            OwnerBlock larger = Alloc(bytes);
            block.Owner.Memory.Span.CopyTo(larger.Owner.Memory.Span);
            Free(block);
            return larger;
        }

        public void Free(OwnerBlock block) => block.Owner.Dispose();

        public void Touch(OwnerBlock block) => block.Owner.Memory.Span[0] = 1;
    }

    /// <summary>Arrays that the garbage collector takes back.</summary>
    public readonly struct Collected : ISubject<ArrayBlock>
    {
        public ArrayBlock Alloc(uint bytes) => new(new byte[bytes]);

        public ArrayBlock AllocZeroed(uint bytes) => Alloc(bytes);

        public ArrayBlock Realloc(ArrayBlock block, uint bytes)
        {
            byte[] array = block.Array;
            Array.Resize(ref array, (int)bytes);
            return new(array);
        }

        public void Free(ArrayBlock block)
        {
        }

        public void Touch(ArrayBlock block) => block.Array[0] = 1;
    }

    public readonly struct Mimalloc : ISubject<Pointer>
    {
        public Pointer Alloc(uint bytes) => new(MimallocLibrary.Malloc(bytes));

        public Pointer AllocZeroed(uint bytes) => new(MimallocLibrary.Zalloc(bytes));

        public Pointer Realloc(Pointer block, uint bytes) => new(MimallocLibrary.Realloc(block.Address, bytes));

        public void Free(Pointer block) => MimallocLibrary.Free(block.Address);

        public void Touch(Pointer block) => block.Touch();
    }

    public readonly struct MimallocNoTransition : ISubject<Pointer>
    {
        public Pointer Alloc(uint bytes) => new(MimallocLibrary.MallocNoTransition(bytes));

        public Pointer AllocZeroed(uint bytes) => new(MimallocLibrary.ZallocNoTransition(bytes));

        public Pointer Realloc(Pointer block, uint bytes) => new(MimallocLibrary.ReallocNoTransition(block.Address, bytes));

        public void Free(Pointer block) => MimallocLibrary.FreeNoTransition(block.Address);

        public void Touch(Pointer block) => block.Touch();
    }

    /// <summary>A heap of mimalloc's, called without GC transition, which is its best.</summary>
    public readonly struct MimallocHeap(void* heap) : IHeap<MimallocHeap>
    {
        public static MimallocHeap Create() => new(MimallocLibrary.HeapNew());

        public Pointer Alloc(uint bytes) => new(MimallocLibrary.HeapMalloc(heap, bytes));

        public Pointer AllocZeroed(uint bytes) => new(MimallocLibrary.HeapZalloc(heap, bytes));

        public Pointer Realloc(Pointer block, uint bytes) => new(MimallocLibrary.HeapRealloc(heap, block.Address, bytes));

        public void Free(Pointer block) => MimallocLibrary.FreeNoTransition(block.Address);

        public void Touch(Pointer block) => block.Touch();

        public void Drop() => MimallocLibrary.HeapDestroy(heap);
    }

    // Structures around the references: arrays of them are stored to without a test of the type, as a program's own arrays of byte[] would be.

    public readonly struct ArrayBlock(byte[] array)
    {
        public byte[] Array { get; } = array;
    }

    public readonly struct OwnerBlock(IMemoryOwner<byte> owner)
    {
        public IMemoryOwner<byte> Owner { get; } = owner;
    }
}
