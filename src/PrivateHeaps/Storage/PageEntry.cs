namespace PrivateHeaps.Storage;

/// <summary>
/// What one page of memory is used for; 16 bytes, out of line. A page that belongs to nobody, and every page of a large block but its
/// first, has the tag 0. Written under the storage lock of the owning heap; read by anybody at any time.
/// </summary>
internal unsafe struct PageEntry
{
    /// <summary>Kinds below this are size classes: the page belongs to a slab of that class.</summary>
    public const uint FirstSpecialKind = 0xF0;

    /// <summary>The first page of a large block: a page run of its own inside a region.</summary>
    public const uint LargeKind = 0xF0;

    /// <summary>The first page of a block with a mapping of its own.</summary>
    public const uint SoloKind = 0xF1;

    /// <summary>A page of a small bounded heap, whose blocks lie at any granule.</summary>
    public const uint FittedKind = 0xF2;

    /// <summary>(slot of the heap + 1) &lt;&lt; 8 | kind; 0 when the page starts or holds no block.</summary>
    public uint Tag;

    /// <summary>Pages of the large block that starts here.</summary>
    public uint Pages;

    /// <summary>The Slab of a size class, else the Region.</summary>
    public void* Owner;

    public readonly uint Kind => Tag & 0xFF;

    public static uint TagBase(uint slot) => (slot + 1) << 8;
}
