namespace PrivateHeaps.Slabs;

/// <summary>
/// By which stores the blocks of a slab are freed. The allocator's state byte of a block says whether it is live; to look at it and then make it dead by
/// a plain store is exact as long as one thread does so, and an atomic instruction is needed, which costs more than all else in a free, when
/// several may. So each slab is biased to the cache whose thread made it, by the cache's number among those of the heap: that thread frees by
/// plain stores. The first free by another thread makes the slab common, once and for all: it marks the slab as changing, has every thread of the
/// process pass a barrier, and waits until the biased thread is not inside the heap; from then on every thread frees its blocks by compare-exchange.
/// The bias lies in the tag that a free looks at anyway, so the biased thread pays nothing for it.
/// </summary>
internal static class Bias
{
    /// <summary>A common slab.</summary>
    public const uint None = 0;

    /// <summary>
    /// The number of the first cache of a heap, also before there is one: threads without a cache free by compare-exchange, whatever the bias.
    /// </summary>
    public const uint First = 1;

    /// <summary>Caches have numbers from 1 to this.</summary>
    public const uint LastNumber = 27;

    /// <summary>
    /// A wholly free slab that the thread to whose cache it was biased has let go of: who takes blocks from it next gives it his bias, and who ends it needs no process barrier.
    /// </summary>
    public const uint Vacant = 28;

    /// <summary>A cache beyond them. No slab has this bias.</summary>
    public const uint Unnumbered = 29;

    /// <summary>
    /// No bias, but in its place in the tag of a large block that is held: who has found another block at its address, and claims it by its tag, does not get this one.
    /// </summary>
    public const uint Held = 30;

    /// <summary>A slab that is about to become common: who comes to it helps.</summary>
    public const uint Changing = 31;
}
