namespace PrivateHeaps.Heaps;

/// <summary>
/// What a face does with a call that the fast path cannot serve. As a type parameter of the fast path it lets that end in a jump to it, so
/// that the fast path needs neither a test of its result nor a stack frame for the call.
/// </summary>
internal unsafe interface ISlowPath
{
    /// <summary>
    /// Whether the fast path looks first whether its thread is inside the heap already, as one is that a signal handler interrupts, and as the
    /// closed cache always says. Where neither comes, that saves two instructions.
    /// </summary>
    static virtual bool LooksAtBusy => true;

    /// <summary>Whether it is for the process heap alone, so that no handle need be looked at.</summary>
    static virtual bool IsProcess => false;

    /// <summary>The arguments are in the order in which malloc and free have them, with the thread's state behind, so that the jump moves none.</summary>
    static abstract void* Allocate(nuint bytes, ThreadState* thread, nint handle, uint flags);

    /// <summary>1 or 0, as BOOL has them: a face that returns one would otherwise have to convert, and could not jump.</summary>
    static abstract int Free(void* block, ThreadState* thread, nint handle, uint flags);
}

/// <summary>The engine's own: null and false with the failure in the thread's state.</summary>
internal readonly unsafe struct EngineSlowPath : ISlowPath
{
    public static void* Allocate(nuint bytes, ThreadState* thread, nint handle, uint flags) => Heap.AllocateUncommon(thread, handle, flags, bytes);

    public static int Free(void* block, ThreadState* thread, nint handle, uint flags) => Heap.FreeSlow(thread, handle, flags, block) ? 1 : 0;
}

/// <summary>None: null says only that the fast path did not serve.</summary>
internal readonly unsafe struct NoSlowPath : ISlowPath
{
    public static void* Allocate(nuint bytes, ThreadState* thread, nint handle, uint flags) => null;

    public static int Free(void* block, ThreadState* thread, nint handle, uint flags) => 0;
}
