namespace PrivateHeaps.Heaps;

/// <summary>
/// What a face does with a call that the fast path cannot serve. As a type parameter of the fast path it lets that end in a jump to it, so
/// that the fast path needs neither a test of its result nor a stack frame for the call.
/// </summary>
internal unsafe interface ISlowPath
{
    /// <summary>Whether it is for the process heap alone, so that no handle need be looked at.</summary>
    static virtual bool IsProcess => false;

    /// <summary>
    /// The arguments come in the order in which HeapAlloc has them, with the thread's state behind, so that the jump moves none; those of the next in that of malloc, and of
    /// the last in that of HeapFree. Were it otherwise, the compiler would move them in the happy case.
    /// </summary>
    static abstract void* Allocate(nint handle, uint flags, nuint bytes, ThreadState* thread);

    /// <summary>Of a face that is for the process heap alone, for what <see cref="Allocate"/> does without flags.</summary>
    static virtual void* AllocateProcess(nuint bytes) => null;

    /// <summary>1 or 0, as BOOL has them: a face that returns one would otherwise have to convert, and could not jump.</summary>
    static abstract int Free(nint handle, uint flags, void* block, ThreadState* thread);
}

/// <summary>The engine's own: null and false with the failure in the thread's state.</summary>
internal readonly unsafe struct EngineSlowPath : ISlowPath
{
    public static void* Allocate(nint handle, uint flags, nuint bytes, ThreadState* thread) => Heap.AllocateUncommon(thread, handle, flags, bytes);

    public static int Free(nint handle, uint flags, void* block, ThreadState* thread) => Heap.FreeSlow(thread, handle, flags, block) ? 1 : 0;
}
