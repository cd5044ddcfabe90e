using System.Runtime.CompilerServices;
using PrivateHeaps.Foundation;

namespace PrivateHeaps.Platform;

/// <summary>
/// The processors and the memory that this process may use, on Linux: the machine's, cut down to the limits that are set for the process. And whether
/// they are on several nodes.
/// </summary>
internal static unsafe class LinuxMachine
{
    private const ulong None = ulong.MaxValue;
    private const int MaskWords = 128;

    /// <summary>The processors that the calling thread may run on; the mask has the first 64 of them.</summary>
    public static uint Processors(out ulong mask)
    {
        Unsafe.SkipInit(out ProcessorMask space);
        ulong* words = (ulong*)&space;
        int bytes = LibcPages.allowed_processors(words, MaskWords * sizeof(ulong));
        uint count = 0;
        for (int word = 0; word < bytes / sizeof(ulong); word++)
        {
            count += Bits.CountSet(words[word]);
        }

        mask = count == 0 ? 1 : words[0];
        return count == 0 ? 1 : count;
    }

    /// <summary>On x86, what CPUID says of family, model and stepping (EAX of leaf 1); else 0.</summary>
    public static uint ProcessorSignature => LibcPages.processor_signature();

    /// <summary>Whether processors are on several nodes; false when the system does not tell.</summary>
    public static bool HasNodes
    {
        get
        {
            // The numbers of the nodes with processors: "0", "0-3" or "0,2".
            Unsafe.SkipInit(out LinuxText text);
            if (!text.Open("/sys/devices/system/node/has_cpu\0"u8))
            {
                return false;
            }

            text.Number(10);
            bool hasMore = text.Peek() is (byte)'-' or (byte)',';
            text.Close();
            return hasMore;
        }
    }

    /// <summary>Whether memory comes in huge pages where that is asked for, and nowhere else; false when the system does not tell.</summary>
    public static bool HasHugePagesOnRequest
    {
        get
        {
            Unsafe.SkipInit(out LinuxText text);
            if (!text.Open("/sys/kernel/mm/transparent_hugepage/enabled\0"u8))
            {
                return false;
            }

            bool isOnRequest = text.Take("always [madvise]"u8);
            text.Close();
            return isOnRequest;
        }
    }

    /// <summary>False when the system does not tell.</summary>
    public static bool TryMeasure(out MemoryTotals totals)
    {
        totals = default;
        totals.Physical = Kilobytes("MemTotal:"u8);
        totals.AvailablePhysical = Kilobytes("MemAvailable:"u8);
        if (totals.Physical == None || totals.AvailablePhysical == None)
        {
            return false;
        }

        totals.Swap = OrZero(Kilobytes("SwapTotal:"u8));
        totals.AvailableSwap = OrZero(Kilobytes("SwapFree:"u8));
        ApplyContainerLimit(
            ref totals,
            Find("/sys/fs/cgroup/memory.max\0"u8, ""u8),
            Find("/sys/fs/cgroup/memory.current\0"u8, ""u8),
            Find("/sys/fs/cgroup/memory.stat\0"u8, "inactive_file "u8));
        ApplyContainerLimit(
            ref totals,
            Find("/sys/fs/cgroup/memory/memory.limit_in_bytes\0"u8, ""u8),
            Find("/sys/fs/cgroup/memory/memory.usage_in_bytes\0"u8, ""u8),
            Find("/sys/fs/cgroup/memory/memory.stat\0"u8, "total_inactive_file "u8));

        totals.Addresses = Math.Min(LinuxPages.EndOfAddresses, LinuxOs.AddressSpaceLimit());
        ulong used = OrZero(Find("/proc/self/statm\0"u8, ""u8)) * LinuxPages.PageBytes;
        totals.AvailableAddresses = totals.Addresses > used ? totals.Addresses - used : 0;
        return true;
    }

    /// <summary>A container's memory is its limit, and what it uses counts, but for what the system can drop at once.</summary>
    private static void ApplyContainerLimit(ref MemoryTotals totals, ulong limit, ulong used, ulong droppable)
    {
        if (limit == None || used == None || limit >= totals.Physical)
        {
            return;
        }

        ulong needed = used - Math.Min(used, OrZero(droppable));
        totals.Physical = limit;
        totals.AvailablePhysical = Math.Min(totals.AvailablePhysical, limit - Math.Min(limit, needed));
    }

    private static ulong Kilobytes(ReadOnlySpan<byte> key)
    {
        ulong kilobytes = Find("/proc/meminfo\0"u8, key);
        return kilobytes == None ? None : kilobytes << 10;
    }

    /// <summary>The number behind the key at the start of a line; none when there is no such file, line or number.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ulong Find(ReadOnlySpan<byte> path, ReadOnlySpan<byte> key)
    {
        Unsafe.SkipInit(out LinuxText text);
        if (!text.Open(path))
        {
            return None;
        }

        ulong found = None;
        while (text.Peek() != 0)
        {
            if (text.Take(key))
            {
                found = text.TryNumber(out ulong number) ? number : None;
                break;
            }

            text.SkipLine();
        }

        text.Close();
        return found;
    }

    private static ulong OrZero(ulong number) => number == None ? 0 : number;

    [InlineArray(MaskWords)]
    private struct ProcessorMask
    {
        private ulong _first;
    }
}
