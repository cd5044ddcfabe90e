using System.Reflection;
using System.Runtime.InteropServices;
using PrivateHeaps.Foundation;
using PrivateHeaps.Heaps;

namespace PrivateHeaps.Explorer;

/// <summary>
/// The memory of the explored process: one range, of which the engine gets pieces. A model prepares it once, and each schedule
/// begins with it as it was then.
/// </summary>
internal static unsafe class World
{
    public const nuint Bytes = 2 * (nuint)Units.GiB;

    private const int PageBytes = 4096;
    private const int ReadWrite = 3;
    private const int PrivateAnonymousNoReserve = 0x4022;
    private const int AdviseDontNeed = 4;

    private static readonly byte* s_start = (byte*)mmap(null, Bytes, ReadWrite, PrivateAnonymousNoReserve, -1, 0);
    private static readonly FieldInfo[] s_fields = [.. MutableFields()];
    private static readonly Dictionary<nint, byte[]> s_pages = [];
    private static object?[] s_values = [];

    /// <summary>The states of the model's threads, from place 1 on; at place 0 that of the thread that prepares and checks.</summary>
    public static nint* States => (nint*)s_start + 8;

    /// <summary>Words in which a model notes what its threads have seen. Nothing else of a model may change in a schedule.</summary>
    public static nint* Notes => (nint*)s_start + 64;

    // The first page is this class's own. Its first word says where the memory that nobody has yet begins, and the two after it what was given back last.
    private static byte** Next => (byte**)s_start;

    private static nuint* Given => (nuint*)s_start + 1;

    /// <summary>An empty world, in which the engine has not started.</summary>
    public static void Clear()
    {
        madvise(s_start, Bytes, AdviseDontNeed);
        s_pages.Clear();
        foreach (FieldInfo field in s_fields)
        {
            field.SetValue(null, field.FieldType.IsPointer ? Pointer.Box(null, field.FieldType) : Activator.CreateInstance(field.FieldType));
        }

        *Next = s_start + PageBytes;
    }

    /// <summary>Memory, which is zero; null when there is no more. It is what was given back last, if that fits, as with a system that uses the lowest gap.</summary>
    public static void* Take(nuint bytes, nuint alignment)
    {
        if (Given[1] >= bytes && (Given[0] & (alignment - 1)) == 0)
        {
            void* again = (void*)Given[0];
            Given[0] += bytes;
            Given[1] -= bytes;
            return again;
        }

        byte* taken = (byte*)Bits.RoundUp((nuint)(*Next), alignment);
        if (bytes > (nuint)(s_start + Bytes - taken))
        {
            return null;
        }

        *Next = taken + bytes;
        return taken;
    }

    /// <summary>Takes memory back. Nobody has written to more than its first page: models leave their blocks alone, and the engine only tries what a page does.</summary>
    public static void Give(void* address, nuint bytes)
    {
        NativeMemory.Clear(address, Bits.Min(bytes, PageBytes));
        Given[0] = (nuint)address;
        Given[1] = bytes;
    }

    /// <summary>From now on each schedule begins with what is there now.</summary>
    public static void Save()
    {
        s_pages.Clear();
        AddTouchedPages();
        s_values = [.. s_fields.Select(field => field.GetValue(null))];
    }

    /// <summary>
    /// Makes everything as it was when it was saved. Pages that were untouched then are known since <see cref="AddTouchedPages"/> was last called; of
    /// others a schedule may see what the one before left.
    /// </summary>
    public static void Restore()
    {
        foreach ((nint page, byte[] saved) in s_pages)
        {
            saved.CopyTo(new Span<byte>((void*)page, PageBytes));
        }

        for (int index = 0; index < s_fields.Length; index++)
        {
            s_fields[index].SetValue(null, s_values[index]);
        }
    }

    /// <summary>Finds the pages that were touched since; true if there are any. The first time they are kept as they are, later as zero, which they were.</summary>
    public static bool AddTouchedPages()
    {
        bool isFirst = s_pages.Count == 0;
        bool found = false;
        using FileStream map = new("/proc/self/pagemap", FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        ulong[] entries = new ulong[8192];
        map.Position = (nint)s_start / PageBytes * sizeof(ulong);
        for (byte* page = s_start; page < *Next;)
        {
            int read = map.Read(MemoryMarshal.AsBytes(entries.AsSpan())) / sizeof(ulong);
            for (int index = 0; index < read; index++, page += PageBytes)
            {
                // The highest bit says that the page is in memory.
                if (entries[index] >> 63 != 0 && !s_pages.ContainsKey((nint)page))
                {
                    s_pages[(nint)page] = isFirst ? new Span<byte>(page, PageBytes).ToArray() : new byte[PageBytes];
                    found = true;
                }
            }
        }

        return found;
    }

    // What of the engine lies outside of its memory: after a start that began anew, all of it leads to other places.
    private static IEnumerable<FieldInfo> MutableFields() =>
        from type in typeof(Heap).Assembly.GetTypes()
        where type.Namespace is "PrivateHeaps.Heaps" or "PrivateHeaps.Slabs" or "PrivateHeaps.Storage"
        from field in type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
        where !field.IsLiteral && !field.IsInitOnly && (field.FieldType.IsPrimitive || field.FieldType.IsPointer)
        select field;

    [DllImport("libc")]
    private static extern void* mmap(void* address, nuint bytes, int protection, int flags, int file, nint offset);

    [DllImport("libc")]
    private static extern int madvise(void* address, nuint bytes, int advice);
}
