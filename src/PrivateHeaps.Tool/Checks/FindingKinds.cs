namespace PrivateHeaps.Tool.Checks;

/// <summary>What the kinds of findings mean, for people who have not met them. The names are the engine's.</summary>
internal static class FindingKinds
{
    public const string Leak = "leak";

    /// <summary>The known kinds, in the order in which they are listed.</summary>
    public static IReadOnlyList<FindingKind> All { get; } =
    [
        new("overflow", "HeapOverflow", "Bytes behind the end of a block were written or read.",
            "The block is smaller than what is put into it. Compare the size at the place where it was allocated with the index or length where it is used; a closing zero and a count of elements taken for a count of bytes are the usual reasons."),
        new("underflow", "HeapUnderflow", "Bytes in front of a block were written or read.",
            "An index or a pointer has gone below the start of the block. Look for an index of -1, and for loops that run downward."),
        new("use-after-free", "UseAfterFree", "A block was written or read after it had been freed.",
            "A pointer outlived its block. The place of the free is in the finding: either it comes too early, or a copy of the pointer stayed behind."),
        new("double-free", "DoubleFree", "A block was freed that had been freed already.",
            "Two owners free the same block. Let one of them own it, or clear the pointer where it is freed; the place of the first free is in the finding."),
        new("bad-address", "BadAddress", "A function that takes blocks was given an address that is no block of the heap.",
            "Pass the address that the allocation returned, to the heap that it came from: not one inside of the block, on the stack, or of another heap or library."),
        new("bad-handle", "BadHandle", "A function was given a handle that names no heap.",
            "The heap was destroyed already or never made. Keep its handle with the blocks, and destroy it after its last use."),
        new("bad-parameter", "BadParameter", "A function was given flags or sizes that mean nothing to it.",
            "Compare the call with the documentation of the function."),
        new("corrupt", "CorruptHeap", "The heap's own structures disagree with each other.",
            "Something has written into memory that does not belong to it. Run the program with --page-heap to stop it at the write."),
        new(Leak, "LeakedBlocks", "Blocks were still allocated when their heap or the process ended.",
            "Free them, or let them live in a private heap that is destroyed when they are no longer needed. Blocks that are in use to the very end are listed too."),
    ];

    /// <summary>What is known of a kind; a kind that a newer engine reports explains itself by its name.</summary>
    public static FindingKind Of(string id) => All.FirstOrDefault(kind => kind.Id == id) ?? new FindingKind(id, id, $"A check of the kind '{id}' found something.", "See the message of the finding.");
}
