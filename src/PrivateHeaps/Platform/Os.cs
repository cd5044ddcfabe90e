using System.Runtime.CompilerServices;
using PrivateHeaps.Foundation;

namespace PrivateHeaps.Platform;

/// <summary>
/// The one door to the operating system: memory through the table in force, and what threads need. Nothing above this layer calls the
/// system in any other way. The engine counts in pages of 4 KiB; where the system's are larger, what is given out is rounded outward here
/// and what is given back inward, so that two neighbors in one page of the system's never take it from each other.
/// </summary>
internal static unsafe class Os
{
    // One field for each entry: a static field of a struct type would be an object on the garbage-collected heap.
    private static delegate*<nuint, void*> s_reserve;
    private static delegate*<nuint, nuint, bool, void*> s_map;
    private static delegate*<void*, nuint, bool, bool> s_commit;
    private static delegate*<void*, nuint, bool> s_decommit;
    private static delegate*<void*, nuint, bool> s_release;
    private static delegate*<void*, nuint, nuint, bool> s_resize;
    private static delegate*<void*, nuint, nuint, void*> s_move;
    private static delegate*<void*, nuint, bool, bool> s_wishHuge;
    private static delegate*<void*, nuint, nuint> s_countResident;
    private static delegate*<void*, nuint, void> s_divideHuge;
    private static delegate*<long> s_nanoseconds;

    // Whether a page was seen to read as zero after its contents were given back. Partner: other threads that find Unknown try it too, and find the same.
    private const int Unknown = 0, ReadsAsZero = 1, KeepsContents = 2;
    private static int s_decommitted;

    /// <summary>Bytes of a page of the system's; not less than Units.PageBytes.</summary>
    public static nuint PageBytes { get; private set; }

    /// <summary>
    /// See <see cref="OsTable.ChargesCommits"/>. Where it is true, pages are committed when a run takes them and not before, and a decommitted
    /// page is committed again when it is next taken; so when memory is out then, that is an allocation refused like any other.
    /// </summary>
    public static bool ChargesCommits { get; private set; }

    /// <summary>See <see cref="OsTable.UsesHugePages"/>.</summary>
    public static bool UsesHugePages { get; private set; }

    /// <summary>Bytes of a huge page; 0 where it has none, and where they are not to be used.</summary>
    public static nuint HugePageBytes { get; private set; }

    /// <summary>Bytes of address space this process may use, or nuint.MaxValue.</summary>
    public static nuint AddressSpaceLimit => CurrentOs.AddressSpaceLimit();

    /// <summary>True when <see cref="ProcessBarrier"/> works; without it no thread may use a cache.</summary>
    public static bool HasProcessBarrier { get; private set; }

    /// <summary>Whether <see cref="Move"/> can succeed.</summary>
    public static bool CanMove => s_move != null;

    /// <summary>Puts the system's own table in force. Called once, before anything else.</summary>
    public static void Initialize()
    {
        if (s_reserve == null)
        {
            CurrentOs.Fill(out OsTable table);
            Install(&table);
        }

        HasProcessBarrier = CurrentOs.RegisterProcessBarrier();
    }

    /// <summary>Puts another table in force; for tests that make the system fail.</summary>
    public static void Install(OsTable* table)
    {
        PageBytes = table->PageBytes;
        ChargesCommits = table->ChargesCommits;
        UsesHugePages = table->UsesHugePages;
        s_reserve = table->Reserve;
        s_map = table->Map;
        s_commit = table->Commit;
        s_decommit = table->Decommit;
        s_release = table->Release;
        s_resize = table->Resize;
        s_move = table->Move;
        s_wishHuge = table->WishHuge;
        s_countResident = table->CountResident;
        s_divideHuge = table->DivideHuge;
        s_nanoseconds = table->Nanoseconds;
        HugePageBytes = table->HugePageBytes;
        NodeSource = table->NodeNumber;
        Shared.Write(ref s_decommitted, Unknown);
    }

    /// <summary>An inaccessible range that costs address space only; null when there is none.</summary>
    public static void* Reserve(nuint bytes) => s_reserve(WholePages(bytes));

    /// <summary>A range that is accessible at once and zero; null when there is none.</summary>
    public static void* Map(nuint bytes) => Map(bytes, Units.PageBytes, false);

    /// <summary>As <see cref="Map(nuint)"/>, at a multiple of the alignment (a power of two).</summary>
    public static void* Map(nuint bytes, nuint alignment, bool executable) => s_map(WholePages(bytes), alignment, executable);

    /// <summary>Makes pages of a reserved range accessible; those that are so already keep their contents.</summary>
    public static bool Commit(void* address, nuint bytes, bool executable)
    {
        nuint start = Bits.RoundDown((nuint)address, PageBytes);
        return s_commit((void*)start, WholePages((nuint)address + bytes - start), executable);
    }

    /// <summary>
    /// Gives the contents of pages back that nobody uses. They read as zero from then on, where the system charges commits after they are
    /// committed again. False: they may still hold their contents; always so on a system that says that it gives contents back and does not, as some
    /// that imitate others do.
    /// </summary>
    public static bool Decommit(void* address, nuint bytes)
    {
        byte* end = (byte*)address + bytes;
        byte* first = (byte*)Bits.RoundUp((nuint)address, PageBytes);
        byte* last = (byte*)Bits.RoundDown((nuint)end, PageBytes);
        if (first >= last)
        {
            Clear(address, bytes);
            return true;
        }

        if (!DecommittedReadsAsZero() || !s_decommit(first, (nuint)(last - first)))
        {
            return false;
        }

        // What shares a page of the system's with a neighbor is zeroed by hand.
        if (first != address || last != end)
        {
            Clear(address, (nuint)(first - (byte*)address));
            Clear(last, (nuint)(end - last));
        }

        return true;
    }

    /// <summary>
    /// Zeroes pages that other threads may read meanwhile by giving their contents back. False where the system cannot do that without a moment in
    /// which they are inaccessible; then nothing has changed.
    /// </summary>
    public static bool Discard(void* address, nuint bytes) => !ChargesCommits && Decommit(address, bytes);

    /// <summary>Makes pages of a reserved range readable, which costs addresses only, or where commits are charged commits them. They read as zero.</summary>
    public static bool Show(void* address, nuint bytes) => ChargesCommits ? Commit(address, bytes, false) : CurrentOs.Show(address, WholePages(bytes));

    /// <summary>Makes committed pages of a reserved range inaccessible and gives their contents back. False: they are as they were.</summary>
    public static bool Hide(void* address, nuint bytes) => CurrentOs.Hide(address, WholePages(bytes));

    /// <summary>
    /// Whether what is touched in a committed range for the first time from now on is to come in huge pages, as far as the system has any to spare. False: it does not
    /// hear. Only where there is a <see cref="HugePageBytes"/>, as the next ones.
    /// </summary>
    public static bool WishHuge(void* address, nuint bytes, bool isWanted) => s_wishHuge(address, bytes, isWanted);

    /// <summary>Before a part of a huge page is given back: what is left of it becomes small pages.</summary>
    public static void DivideHuge(void* address, nuint bytes) => s_divideHuge(address, bytes);

    /// <summary>A clock that only goes forward, to tell how long a huge page takes.</summary>
    public static long Nanoseconds => s_nanoseconds();

    /// <summary>How many pages of a committed range hold something, as far as the system says; 0 where it says nothing.</summary>
    public static nuint CountResident(void* address, nuint bytes) => s_countResident == null ? 0 : s_countResident(address, bytes);

    /// <summary>Ends a range that <see cref="Reserve"/> or a Map made, whole. False: it is as it was, and can be tried again.</summary>
    public static bool Release(void* address, nuint bytes) => s_release(address, WholePages(bytes));

    /// <summary>Changes the size of a mapped range where it lies; false leaves everything as it was. What is added is not always zero.</summary>
    public static bool Resize(void* address, nuint oldBytes, nuint newBytes) =>
        WholePages(oldBytes) == WholePages(newBytes) || s_resize(address, WholePages(oldBytes), WholePages(newBytes));

    /// <summary>
    /// Changes the size of a mapped range where it lies, or else moves it to wherever there is room for it; only where <see cref="CanMove"/>. Its address then; null
    /// leaves everything as it was. What is added reads as zero.
    /// </summary>
    public static void* Move(void* address, nuint oldBytes, nuint newBytes) => s_move(address, WholePages(oldBytes), WholePages(newBytes));

    /// <summary>Copies memory of the caller's that may not be there; false when it is not all readable.</summary>
    public static bool TryRead(void* from, void* to, nuint bytes) => CurrentOs.TryRead(from, to, bytes);

    /// <summary>Every thread of the process passes a full memory barrier before this returns. Partner of the plain stores to ThreadCache.Busy.</summary>
    public static void ProcessBarrier() => CurrentOs.ProcessBarrier();

    /// <summary>Sleeps while the word holds the value, at most the given time (negative: no limit); may wake for no reason.</summary>
    public static void Wait(int* word, int value, long nanoseconds) => CurrentOs.Wait(word, value, nanoseconds);

    /// <summary>Wakes one sleeper of the word (count 1) or all of them.</summary>
    public static void Wake(int* word, int count) => CurrentOs.Wake(word, count);

    public static void Yield() => CurrentOs.Yield();

    /// <summary>The number of the processor that the calling thread runs on, and may have left when this returns.</summary>
    public static uint CpuNumber => (uint)Libc.cpu_number();

    /// <summary>Processors that this process may run on; at least 1.</summary>
    public static uint CpuCount => (uint)Libc.cpu_count();

    /// <summary>See <see cref="OsTable.NodeNumber"/>. For tests, which make a machine of several nodes of this one.</summary>
    public static delegate*<uint> NodeSource { get; set; }

    /// <summary>Whether there are several nodes.</summary>
    public static bool HasNodes => NodeSource != null;

    /// <summary>
    /// The number of the node on which the calling thread runs, and which it may have left when this returns; of more than 256 nodes some share one. 0, and
    /// nobody is asked, where there is one node.
    /// </summary>
    public static byte NodeNumber
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => HasNodes ? AskNode() : (byte)0;
    }

    /// <summary>A clock that only goes forward, exact to a few milliseconds.</summary>
    public static long Milliseconds => Libc.milliseconds();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Clear(void* address, nuint bytes) => Libc.memset(address, 0, bytes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy(void* to, void* from, nuint bytes) => Libc.memmove(to, from, bytes);

    // Apart, so that where there is one node nothing is saved for the sake of the call.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static byte AskNode() => (byte)NodeSource();

    // Tried on a page of its own, once, before the first contents go: a program that gives nothing back does not pay for it.
    private static bool DecommittedReadsAsZero()
    {
        int found = Shared.Read(ref s_decommitted);
        byte* page = found != Unknown ? null : (byte*)s_map(PageBytes, PageBytes, false);
        if (page != null)
        {
            *page = 1;
            if (s_decommit(page, PageBytes) && (!ChargesCommits || s_commit(page, PageBytes, false)))
            {
                found = *page == 0 ? ReadsAsZero : KeepsContents;
                Shared.Write(ref s_decommitted, found);
            }

            s_release(page, PageBytes);
        }

        return found == ReadsAsZero;
    }

    private static nuint WholePages(nuint bytes) => Bits.RoundUp(bytes, PageBytes);
}
