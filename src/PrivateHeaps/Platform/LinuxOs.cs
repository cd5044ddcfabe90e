using System.Runtime.CompilerServices;
using PrivateHeaps.Foundation;

namespace PrivateHeaps.Platform;

/// <summary>
/// The operations of <see cref="Os"/> on Linux, over the C library's thin wrappers of the system calls. Untouched memory costs nothing, and
/// MADV_DONTNEED leaves pages accessible, so nothing needs to be committed twice.
/// </summary>
internal static unsafe class LinuxOs
{
    // MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE: what is only reserved must not count against the overcommit limit.
    private const int MapPrivate = 0x4022;
    private const int RemapAnywhere = 1; // MREMAP_MAYMOVE
    private const int AdviseDontNeed = 4;
    private const int AdviseFree = 8;
    private const int AdviseHugePage = 14;
    private const int AdviseNoHugePage = 15;
    private const nuint HugePageBytes = 2 * Units.MiB;

    private static bool s_usesHugePages;

    // 1 or -1 when it was asked for. Partner: other threads that find 0 ask too, and find the same.
    private static int s_hugeOnRequest;

    public static void Fill(out OsTable table)
    {
        int wish = Host.WantsHugePages();
        s_usesHugePages = wish == 1;
        table.UsesHugePages = s_usesHugePages;
        table.PageBytes = Libc.page_bytes();

        // Where pages have 16 KiB huge ones have 32 MiB, and 512 where they have 64: more than most heaps use.
        bool hasSmallPages = table.PageBytes == Units.PageBytes;
        bool growsHuge = wish == Host.HugePagesAsItGrows && hasSmallPages;
        table.HugePageBytes = growsHuge ? HugePageBytes : 0;
        table.WishHuge = growsHuge ? &WishHuge : null;
        table.CountResident = hasSmallPages ? &CountResident : null;
        table.DivideHuge = growsHuge ? &DivideHuge : null;
        table.Nanoseconds = growsHuge ? &Nanoseconds : null;
        table.ChargesCommits = false;
        table.Reserve = &Reserve;
        table.Map = &Map;
        table.Commit = &Commit;
        table.Decommit = &Decommit;
        table.Release = &Posix.Release;
        table.Resize = &Resize;
        table.Move = &Move;
        table.NodeNumber = LinuxMachine.HasNodes ? &NodeNumber : null;
    }

    public static nuint AddressSpaceLimit() => Libc.address_space_limit();

    public static bool RegisterProcessBarrier() => Libc.membarrier_register() == 0;

    public static void ProcessBarrier() => Libc.membarrier();

    public static void Wait(int* word, int value, long nanoseconds) => Libc.futex_wait(word, value, nanoseconds);

    public static void Wake(int* word, int count) => Libc.futex_wake(word, count);

    public static void Yield() => Libc.sched_yield();

    public static bool TryRead(void* from, void* to, nuint bytes) => Libc.read_memory(from, to, bytes) == 0;

    /// <summary>Of how many windows the metadata lies side by side: 4 GiB, whose metadata takes 272 MiB of addresses.</summary>
    public const nuint HomeWindows = 64;

    public static bool Show(void* address, nuint bytes) => Posix.Show(address, bytes);

    public static bool Hide(void* address, nuint bytes) => Posix.Hide(address, bytes, MapPrivate);

    private static void* Reserve(nuint bytes) => AskForHugePages(Posix.Map(bytes, 0, Posix.ProtectNone, MapPrivate), bytes);

    private static void* Map(nuint bytes, nuint alignment, bool executable) =>
        AskForHugePages(Posix.Map(bytes, alignment, Protection(executable), MapPrivate), bytes);

    // It is only a wish: what the system says to it changes nothing.
    private static void* AskForHugePages(void* range, nuint bytes)
    {
        if (s_usesHugePages && range != null && bytes >= HugePageBytes)
        {
            Libc.madvise(range, bytes, AdviseHugePage);
        }

        return range;
    }

    // Where the system gives huge pages to all without being asked, or to nobody, there is nothing to wish for.
    private static bool HasHugePagesOnRequest()
    {
        int answer = Shared.Read(ref s_hugeOnRequest);
        if (answer == 0)
        {
            answer = LinuxMachine.HasHugePagesOnRequest ? 1 : -1;
            Shared.Write(ref s_hugeOnRequest, answer);
        }

        return answer > 0;
    }

    private static bool WishHuge(void* address, nuint bytes, bool isWanted) =>
        HasHugePagesOnRequest() && Libc.madvise(address, bytes, isWanted ? AdviseHugePage : AdviseNoHugePage) == 0;

    private static nuint CountResident(void* address, nuint bytes)
    {
        Unsafe.SkipInit(out PageBytesOfStep space);
        byte* pages = (byte*)&space;
        nuint count = 0;
        for (nuint done = 0; done < bytes; done += HugePageBytes)
        {
            nuint pieceBytes = Bits.Min(bytes - done, HugePageBytes);
            if (Libc.mincore((byte*)address + done, pieceBytes, pages) != 0)
            {
                break;
            }

            for (nuint page = 0; page < pieceBytes >> Units.PageShift; page++)
            {
                count += pages[page] & 1u;
            }
        }

        return count;
    }

    private static bool Commit(void* address, nuint bytes, bool executable) => Libc.mprotect(address, bytes, Protection(executable)) == 0;

    private static bool Decommit(void* address, nuint bytes) => Libc.madvise(address, bytes, AdviseDontNeed) == 0;

    // The advice that the contents may go, which makes small pages of a huge one at once.
    private static void DivideHuge(void* address, nuint bytes) => Libc.madvise(address, bytes, AdviseFree);

    private static long Nanoseconds() => Libc.nanoseconds();

    private static bool Resize(void* address, nuint oldBytes, nuint newBytes) => (nint)Libc.mremap(address, oldBytes, newBytes, 0, null) != -1;

    // Not onto a target of ours: the system may end what is there before it refuses, and then another thread's mapping may lie there.
    private static void* Move(void* address, nuint oldBytes, nuint newBytes)
    {
        void* moved = Libc.mremap(address, oldBytes, newBytes, RemapAnywhere, null);
        return (nint)moved == -1 ? null : moved;
    }

    private static uint NodeNumber() => (uint)Libc.node_number();

    private static int Protection(bool executable) => executable ? Posix.ProtectReadWriteExecute : Posix.ProtectReadWrite;

    // What mincore says of each page: the lowest bit, whether it is there.
    [InlineArray((int)(HugePageBytes / Units.PageBytes))]
    private struct PageBytesOfStep
    {
        private byte _first;
    }
}
