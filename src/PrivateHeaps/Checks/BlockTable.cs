using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Checks;

/// <summary>
/// The records of a heap's blocks by address: open addressing with linear probing, at most half full. Nothing is taken out one by one; records of
/// freed blocks go when the table is built anew. Under the lock of the heap's checks.
/// </summary>
internal unsafe struct BlockTable
{
    private const uint SmallestCount = 256;

    // Fibonacci hashing: consecutive granules spread over the table.
    private const ulong Multiplier = 0x9E3779B97F4A7C15;

    public BlockRecord* Records;

    /// <summary>Places: a power of two, or 0.</summary>
    public uint Count;

    /// <summary>Places that are not empty.</summary>
    public uint UsedCount;

    /// <summary>The block's record; null when it has none.</summary>
    public static BlockRecord* Find(BlockTable* table, void* block)
    {
        if (table->Count == 0)
        {
            return null;
        }

        BlockRecord* record = PlaceOf(table, (nuint)block);
        return record->State == RecordState.None ? null : record;
    }

    /// <summary>The block's record, an empty one if it had none. There must be room: see <see cref="Reserve"/>.</summary>
    public static BlockRecord* Add(BlockTable* table, void* block)
    {
        BlockRecord* record = PlaceOf(table, (nuint)block);
        table->UsedCount += record->State == RecordState.None ? 1u : 0;
        *record = default;
        record->Address = (nuint)block;
        return record;
    }

    /// <summary>Makes room for one more record; false when there is no memory. Records move.</summary>
    public static bool Reserve(BlockTable* table)
    {
        if (table->UsedCount < table->Count / 2)
        {
            return true;
        }

        uint kept = 0;
        for (uint i = 0; i < table->Count; i++)
        {
            kept += table->Records[i].State is RecordState.Live or RecordState.Quarantined ? 1u : 0;
        }

        uint count = SmallestCount;
        while (count / 4 <= kept)
        {
            count *= 2;
        }

        BlockTable grown = default;
        grown.Records = (BlockRecord*)Metadata.Take(count * (nuint)sizeof(BlockRecord));
        grown.Count = count;
        if (grown.Records == null)
        {
            return false;
        }

        for (uint i = 0; i < table->Count; i++)
        {
            BlockRecord* record = &table->Records[i];
            if (record->State is RecordState.Live or RecordState.Quarantined)
            {
                Os.Copy(PlaceOf(&grown, record->Address), record, (nuint)sizeof(BlockRecord));
                grown.UsedCount++;
            }
        }

        Drop(table);
        *table = grown;
        return true;
    }

    public static void Drop(BlockTable* table)
    {
        if (table->Records != null)
        {
            Metadata.Give(table->Records, table->Count * (nuint)sizeof(BlockRecord));
        }

        *table = default;
    }

    // The place of the address, or the empty one where it would stand.
    private static BlockRecord* PlaceOf(BlockTable* table, nuint address)
    {
        uint index = (uint)(((ulong)(address >> Units.GranuleShift) * Multiplier) >> 32);
        for (; ; index++)
        {
            BlockRecord* record = &table->Records[index & (table->Count - 1)];
            if (record->State == RecordState.None || record->Address == address)
            {
                return record;
            }
        }
    }
}
