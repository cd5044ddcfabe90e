using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Checks;

/// <summary>
/// Where the blocks on guard pages lie, as an array that a signal handler in machine code can search: one that cannot follow records. Kept only in processes
/// that have such a handler. The array is under its own lock, which is a leaf; the handler reads it without.
/// </summary>
internal static unsafe class GuardRanges
{
    private static Table* s_table;

    /// <summary>From now on ranges are noted; null when there is no memory for that. The handler sees a count of eight bytes, and behind the first 16 bytes the ranges.</summary>
    public static void* Keep()
    {
        if (s_table == null)
        {
            s_table = (Table*)Metadata.Take((nuint)sizeof(Table) + GuardedBlock.MostBlocks * (nuint)sizeof(Range));
        }

        return s_table;
    }

    /// <summary>Notes a range and returns its number; 0 for one that is not noted.</summary>
    public static uint Add(void* start, nuint bytes)
    {
        Table* table = s_table;
        if (table == null)
        {
            return 0;
        }

        OsLock.Enter(&table->Lock);
        uint number = table->FirstFree;
        if (number != 0)
        {
            table->FirstFree = (uint)At(table, number)->Start;
        }
        else if (table->Count < GuardedBlock.MostBlocks)
        {
            number = (uint)table->Count + 1;
        }

        if (number != 0)
        {
            // Partner: the handler, which takes a range of no bytes for none.
            At(table, number)->Start = (nuint)start;
            Shared.Write(&At(table, number)->Bytes, bytes);
            Shared.Write(&table->Count, Bits.Max(table->Count, number));
        }

        OsLock.Leave(&table->Lock);
        return number;
    }

    /// <summary>Forgets the range of the number, before the range is somebody else's.</summary>
    public static void Remove(uint number)
    {
        if (number != 0)
        {
            OsLock.Enter(&s_table->Lock);
            Shared.Write(&At(s_table, number)->Bytes, 0);
            At(s_table, number)->Start = s_table->FirstFree;
            s_table->FirstFree = number;
            OsLock.Leave(&s_table->Lock);
        }
    }

    private static Range* At(Table* table, uint number) => (Range*)(table + 1) + (number - 1);

    private struct Range
    {
        /// <summary>Of a range that is free, the number of the next one, or 0.</summary>
        public nuint Start;

        /// <summary>0 for a range that is free.</summary>
        public nuint Bytes;
    }

    private struct Table
    {
        /// <summary>Ranges that were ever in use.</summary>
        public nuint Count;
        public OsLock Lock;

        /// <summary>The number of a free range; 0 for none.</summary>
        public uint FirstFree;
    }
}
