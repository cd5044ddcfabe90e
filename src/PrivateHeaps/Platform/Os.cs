using System.Runtime.CompilerServices;

namespace PrivateHeaps.Platform;

/// <summary>
/// The one door to the operating system: memory through the table in force, and what threads need. Nothing above this layer calls the
/// system in any other way.
/// </summary>
internal static unsafe class Os
{
    // One field for each entry: a static field of a struct type would be an object on the garbage-collected heap.
    private static delegate*<nuint, void*> s_reserve;
    private static delegate*<nuint, void*> s_map;
    private static delegate*<void*, nuint, bool, bool> s_commit;
    private static delegate*<void*, nuint, bool> s_decommit;
    private static delegate*<void*, nuint, void> s_release;
    private static delegate*<void*, nuint, nuint, void*, bool> s_remap;

    /// <summary>Bytes of address space this process may use, or nuint.MaxValue.</summary>
    public static nuint AddressSpaceLimit => LinuxOs.AddressSpaceLimit();

    /// <summary>True when <see cref="ProcessBarrier"/> works; without it no thread may use a cache.</summary>
    public static bool HasProcessBarrier { get; private set; }

    /// <summary>Puts the system's own table in force. Called once, before anything else.</summary>
    public static void Initialize()
    {
        if (s_reserve == null)
        {
            LinuxOs.Fill(out OsTable table);
            Install(&table);
        }

        HasProcessBarrier = LinuxOs.RegisterProcessBarrier();
    }

    /// <summary>Puts another table in force; for tests that make the system fail.</summary>
    public static void Install(OsTable* table)
    {
        s_reserve = table->Reserve;
        s_map = table->Map;
        s_commit = table->Commit;
        s_decommit = table->Decommit;
        s_release = table->Release;
        s_remap = table->Remap;
    }

    public static void* Reserve(nuint bytes) => s_reserve(bytes);

    public static void* Map(nuint bytes) => s_map(bytes);

    public static bool Commit(void* address, nuint bytes, bool executable) => s_commit(address, bytes, executable);

    public static bool Decommit(void* address, nuint bytes) => s_decommit(address, bytes);

    public static void Release(void* address, nuint bytes) => s_release(address, bytes);

    public static bool Remap(void* address, nuint oldBytes, nuint newBytes, void* target) => s_remap(address, oldBytes, newBytes, target);

    /// <summary>Copies memory of the caller's that may not be there; false when it is not all readable.</summary>
    public static bool TryRead(void* from, void* to, nuint bytes) => LinuxOs.TryRead(from, to, bytes);

    /// <summary>Every thread of the process passes a full memory barrier before this returns. Partner of the plain stores to ThreadCache.Busy.</summary>
    public static void ProcessBarrier() => LinuxOs.ProcessBarrier();

    /// <summary>Sleeps while the word holds the value, at most the given time; may wake for no reason.</summary>
    public static void Wait(int* word, int value, long nanoseconds) => LinuxOs.Wait(word, value, nanoseconds);

    public static void Wake(int* word, int count) => LinuxOs.Wake(word, count);

    public static void Yield() => LinuxOs.Yield();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Clear(void* address, nuint bytes) => LinuxOs.Clear(address, bytes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy(void* to, void* from, nuint bytes) => LinuxOs.Copy(to, from, bytes);
}
