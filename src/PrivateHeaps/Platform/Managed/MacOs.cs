namespace PrivateHeaps.Platform;

/// <summary>
/// The operations of <see cref="Os"/> on macOS. Untouched memory costs nothing. Ranges cannot be moved. Memory that is writable and executable
/// is refused: Apple's processors have it only behind a switch of each thread's own (MAP_JIT) under which the engine could not clear a block.
/// </summary>
internal static unsafe class MacOs
{
    // MAP_PRIVATE | MAP_NORESERVE | MAP_ANON
    private const int MapPrivate = 0x1042;
    private const int MapFixed = 0x10;

    // UL_COMPARE_AND_WAIT | ULF_NO_ERRNO
    private const uint CompareAndWait = 0x01000001;
    private const uint WakesAll = 0x100;

    private const long NanosecondsPerMicrosecond = 1000;

    public static void Fill(out OsTable table)
    {
        table.PageBytes = Libc.page_bytes();
        table.ChargesCommits = false;
        table.UsesHugePages = false;
        table.HugePageBytes = 0;
        table.WishHuge = null;
        table.CountResident = null;
        table.DivideHuge = null;
        table.Nanoseconds = null;
        table.Reserve = &Reserve;
        table.Map = &Map;
        table.Commit = &Commit;
        table.Decommit = &Decommit;
        table.Release = &Posix.Release;
        table.Resize = &Resize;
        table.Move = null;
        table.NodeNumber = null;
    }

    // The timeout is in microseconds, rounded up, since 0 means none; what is too long for it may wake early.
    public static void Wait(int* word, int value, long nanoseconds)
    {
        long microseconds = (nanoseconds + (NanosecondsPerMicrosecond - 1)) / NanosecondsPerMicrosecond;
        uint timeout = nanoseconds < 0 ? 0 : (uint)Math.Clamp(microseconds, 1, uint.MaxValue);
        _ = LibSystem.__ulock_wait(CompareAndWait, word, (uint)value, timeout);
    }

    public static void Wake(int* word, int count) => _ = LibSystem.__ulock_wake(count == 1 ? CompareAndWait : CompareAndWait | WakesAll, word, 0);

    public static bool TryRead(void* from, void* to, nuint bytes)
    {
        ulong read;
        return LibSystem.mach_vm_read_overwrite(LibSystem.mach_task_self(), (nuint)from, bytes, (nuint)to, &read) == 0 && read == bytes;
    }

    public static bool Hide(void* address, nuint bytes) => Posix.Hide(address, bytes, MapPrivate);

    private static void* Reserve(nuint bytes) => Posix.Map(bytes, 0, Posix.ProtectNone, MapPrivate);

    private static void* Map(nuint bytes, nuint alignment, bool executable) =>
        executable ? null : Posix.Map(bytes, alignment, Posix.ProtectReadWrite, MapPrivate);

    private static bool Commit(void* address, nuint bytes, bool executable) =>
        !executable && Libc.mprotect(address, bytes, Posix.ProtectReadWrite) == 0;

    // No advice of this system promises zeros at once; fresh pages in place of the old ones are zero.
    private static bool Decommit(void* address, nuint bytes) =>
        (nint)Libc.mmap(address, bytes, Posix.ProtectReadWrite, MapPrivate | MapFixed, -1, 0) != -1;

    private static bool Resize(void* address, nuint oldBytes, nuint newBytes)
    {
        if (newBytes > oldBytes)
        {
            return false;
        }

        return Posix.Release((byte*)address + newBytes, oldBytes - newBytes);
    }
}
