namespace PrivateHeaps.Platform;

/// <summary>The operations of <see cref="Os"/> on Linux, over the C library's thin wrappers of the system calls.</summary>
internal static unsafe class LinuxOs
{
    private const int ProtectNone = 0;
    private const int ProtectReadWrite = 3;
    private const int ProtectReadWriteExecute = 7;

    // MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE: what is only reserved must not count against the overcommit limit.
    private const int MapPrivate = 0x4022;
    private const int RemapToTarget = 3; // MREMAP_MAYMOVE | MREMAP_FIXED
    private const int AdviseDontNeed = 4;

    public static void Fill(out OsTable table)
    {
        table.Reserve = &Reserve;
        table.Map = &Map;
        table.Commit = &Commit;
        table.Decommit = &Decommit;
        table.Release = &Release;
        table.Remap = &Remap;
    }

    public static nuint AddressSpaceLimit() => Libc.address_space_limit();

    public static bool RegisterProcessBarrier() => Libc.membarrier_register() == 0;

    public static void ProcessBarrier() => Libc.membarrier();

    public static void Wait(int* word, int value, long nanoseconds) => Libc.futex_wait(word, value, nanoseconds);

    public static void Wake(int* word, int count) => Libc.futex_wake(word, count);

    public static void Yield() => Libc.sched_yield();

    public static void Clear(void* address, nuint bytes) => Libc.memset(address, 0, bytes);

    public static void Copy(void* to, void* from, nuint bytes) => Libc.memmove(to, from, bytes);

    public static bool TryRead(void* from, void* to, nuint bytes) => Libc.read_memory(from, to, bytes) == 0;

    private static void* Reserve(nuint bytes) => MapOrNull(bytes, ProtectNone);

    private static void* Map(nuint bytes) => MapOrNull(bytes, ProtectReadWrite);

    private static void* MapOrNull(nuint bytes, int protection)
    {
        void* address = Libc.mmap(null, bytes, protection, MapPrivate, -1, 0);
        return (nint)address == -1 ? null : address;
    }

    private static bool Commit(void* address, nuint bytes, bool executable) =>
        Libc.mprotect(address, bytes, executable ? ProtectReadWriteExecute : ProtectReadWrite) == 0;

    private static bool Decommit(void* address, nuint bytes) => Libc.madvise(address, bytes, AdviseDontNeed) == 0;

    private static void Release(void* address, nuint bytes) => Libc.munmap(address, bytes);

    private static bool Remap(void* address, nuint oldBytes, nuint newBytes, void* target) =>
        (nint)Libc.mremap(address, oldBytes, newBytes, target == null ? 0 : RemapToTarget, target) != -1;
}
