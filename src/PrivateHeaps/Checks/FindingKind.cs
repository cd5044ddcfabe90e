namespace PrivateHeaps.Checks;

/// <summary>What a check found. The names in reports are those of <see cref="Finding.AddKind"/>.</summary>
internal enum FindingKind : uint
{
    /// <summary>Bytes behind the end of a block were written or read.</summary>
    Overflow,

    /// <summary>Bytes in front of a block were written or read.</summary>
    Underflow,

    /// <summary>A block was written or read after it was freed.</summary>
    UseAfterFree,

    /// <summary>A block was freed that was freed already.</summary>
    DoubleFree,

    /// <summary>An address that is no block of the heap was given to a function that takes blocks.</summary>
    BadAddress,

    /// <summary>A handle that names no heap.</summary>
    BadHandle,

    /// <summary>Flags or sizes that mean nothing to the function.</summary>
    BadParameter,

    /// <summary>The heap's own structures disagree.</summary>
    Corrupt,

    /// <summary>Blocks that were still allocated when their heap or the process ended.</summary>
    Leak,
}
