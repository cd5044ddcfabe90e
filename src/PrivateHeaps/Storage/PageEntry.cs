using System.Runtime.CompilerServices;
using PrivateHeaps.Foundation;

namespace PrivateHeaps.Storage;

/// <summary>
/// What one page of memory is used for; 16 bytes, out of line. A page that belongs to nobody, and every page of a large block but its
/// first, has the tag 0, and so have pages of a slab in which no block starts. Written under the storage lock of the owning heap; read by anybody at any time.
/// </summary>
internal unsafe struct PageEntry
{
    /// <summary>Kinds below this are size classes: the page belongs to a slab of that class.</summary>
    public const uint FirstSpecialKind = 0x70;

    /// <summary>The first class whose blocks have a page or more, so that at most one starts in a page: its state lies in the page entry.</summary>
    public const uint FirstStateKind = 47;

    /// <summary>The first page of a large block: a page run of its own inside a region.</summary>
    public const uint LargeKind = 0x70;

    /// <summary>The first page of a block with a mapping of its own.</summary>
    public const uint SoloKind = 0x71;

    /// <summary>A page of a small bounded heap, whose blocks lie at any granule.</summary>
    public const uint FittedKind = 0x72;

    /// <summary>The page in which a block starts that lies against a page that cannot be accessed.</summary>
    public const uint GuardedKind = 0x73;

    /// <summary>All of a tag but the bias.</summary>
    public const uint UnbiasedMask = (1u << BiasShift) - 1;

    /// <summary>No tag is this, or less by a number of classes: all but 0 name a slot.</summary>
    public const uint NoTag = (1u << KindBits) - 1;

    private const int KindBits = 7;
    private const int BiasShift = 27;
    private const uint KindMask = (1u << KindBits) - 1;

    // Of Pages in the structure. A constant, since to name the field costs the fast path an instruction; and bytes are addressed, as all processors that serve are of the
    // kind that stores the lowest first.
    private const nuint PagesStart = 4;
    private const int StartShift = 24;

    /// <summary>
    /// Bias &lt;&lt; 27 | (slot of the heap + 1) &lt;&lt; 7 | kind; 0 when the page starts or holds no block. The bias of a slab's page says by
    /// which stores its blocks are freed, that of a large block's whether it is held; see Bias. It is 0 for all other pages.
    /// </summary>
    public uint Tag;

    /// <summary>
    /// Pages of the large block that starts here. In slabs whose blocks have a page or more: the state of the block that starts in the page, and in the topmost byte
    /// by how many granules it starts behind the page. With the tag 0 it is what was there last.
    /// </summary>
    public uint Pages;

    /// <summary>The Slab of a size class, else the Region.</summary>
    public void* Owner;

    /// <summary>That of the tag. Only of an entry that lies in its place, and only where the tag cannot change: others read the tag once, and keep to it.</summary>
    public readonly uint Kind => KindOf(Shared.Read((uint*)Unsafe.AsPointer(ref Unsafe.AsRef(in Tag))));

    public static uint KindOf(uint tag) => tag & KindMask;

    /// <summary>
    /// Whether the entries of pages with this tag hold the states of blocks. In the array of states each would have a cache line for itself, and those of 64 KiB a page.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool HoldsState(uint tag) => KindOf(tag) - FirstStateKind < FirstSpecialKind - FirstStateKind;

    /// <summary>Says whose page it is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Set(PageEntry* entry, uint tag, void* owner)
    {
        entry->Owner = owner;

        // Partner: the tag is what readers look at first, so the owner must be there before it.
        Shared.Write(&entry->Tag, tag);
    }

    /// <summary>The state of the block of a slab that starts in the page.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* StateOf(PageEntry* entry) => (byte*)entry + PagesStart;

    /// <summary>Says where the block of a slab starts that starts in the page, and makes it dead.</summary>
    public static void SetStart(PageEntry* entry, nuint address) => entry->Pages = (uint)GranuleInPage(address) << StartShift;

    /// <summary>Whether the block that starts in the page starts at the address, if one does.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsStart(PageEntry* entry, nuint address) => Shared.Read((byte*)entry + PagesStart + (StartShift / 8)) == GranuleInPage(address);

    // A page has as many granules as a byte can tell apart.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte GranuleInPage(nuint address) => (byte)(address >> Units.GranuleShift);

    public static uint TagBase(uint slot) => (slot + 1) << KindBits;

    /// <summary>The tag base of the heap that a page with this tag belongs to.</summary>
    public static uint TagBaseOf(uint tag) => tag & UnbiasedMask & ~KindMask;

    /// <summary>The slot of the heap that a page with this tag, which is not 0, belongs to.</summary>
    public static uint SlotOf(uint tag) => ((tag & UnbiasedMask) >> KindBits) - 1;

    public static uint BiasOf(uint tag) => tag >> BiasShift;

    public static uint WithBias(uint tag, uint bias) => (tag & UnbiasedMask) | (bias << BiasShift);
}
