using System.Numerics;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>What a program has attached to a block: a value and flags, which mean nothing to the engine.</summary>
internal unsafe struct UserInfo
{
    /// <summary>Whether the block was allocated so that something can be attached to it.</summary>
    public bool IsSettable;

    /// <summary>Bits of <see cref="HeapFlags.UserFlags"/>.</summary>
    public uint Flags;
    public void* Value;
}

/// <summary>
/// What programs attach to blocks of one heap, by the block's address, out of line like all metadata. A block that is in the table lies in no
/// slab, so it is always freed by the slow path, which takes it out. Every method is called by a thread that is inside the heap.
/// </summary>
internal unsafe struct UserValues
{
    private const uint SmallestCapacity = 16;

    private OsLock _lock;
    private Entry* _entries;
    private uint _capacity;
    private uint _count;

    /// <summary>Whether any block has something attached to it; asked without the lock before a block is looked up, which is its owner's.</summary>
    public static bool IsUsed(UserValues* table) => Shared.Read(&table->_count) != 0;

    /// <summary>Attaches to a block, in place of what was attached before; false when there is no memory.</summary>
    public static bool Set(UserValues* table, void* block, uint flags, void* value)
    {
        OsLock.Enter(&table->_lock);

        // At most half full, so that every search ends soon at an empty entry. A block that is listed needs no room.
        bool roomy = table->_count < table->_capacity / 2 || (table->_count != 0 && Find(table, (nuint)block)->Block != 0) || Grow(table);
        if (roomy)
        {
            Entry* entry = Find(table, (nuint)block);
            table->_count += entry->Block == 0 ? 1u : 0;
            entry->Block = (nuint)block;
            entry->Flags = flags;
            entry->Value = value;
        }

        OsLock.Leave(&table->_lock);
        return roomy;
    }

    /// <summary>Attaches something else to a block that is listed; false when it is not, as one that takes nothing or was freed meanwhile.</summary>
    public static bool Change(UserValues* table, void* block, uint flags, void* value)
    {
        bool isListed = false;
        if (IsUsed(table))
        {
            OsLock.Enter(&table->_lock);
            Entry* entry = Find(table, (nuint)block);
            isListed = entry->Block != 0;
            if (isListed)
            {
                entry->Flags = flags;
                entry->Value = value;
            }

            OsLock.Leave(&table->_lock);
        }

        return isListed;
    }

    /// <summary>What is attached to a block.</summary>
    public static UserInfo Get(UserValues* table, void* block)
    {
        UserInfo info = default;
        if (IsUsed(table))
        {
            OsLock.Enter(&table->_lock);
            Entry* entry = Find(table, (nuint)block);
            info.IsSettable = entry->Block != 0;
            info.Flags = entry->Flags;
            info.Value = entry->Value;
            OsLock.Leave(&table->_lock);
        }

        return info;
    }

    /// <summary>For a block that is freed.</summary>
    public static void Remove(UserValues* table, void* block)
    {
        if (!IsUsed(table))
        {
            return;
        }

        OsLock.Enter(&table->_lock);
        Entry* hole = Find(table, (nuint)block);
        if (hole->Block != 0)
        {
            table->_count--;
            Close(table, hole);
        }

        OsLock.Leave(&table->_lock);
    }

    /// <summary>Forgets everything, when the heap's blocks go.</summary>
    public static void Drop(UserValues* table)
    {
        if (table->_entries != null)
        {
            Metadata.Give(table->_entries, table->_capacity * (nuint)sizeof(Entry));
            table->_entries = null;
            table->_capacity = 0;
            table->_count = 0;
        }
    }

    /// <summary>Whether every block of the table is a live one of the heap, which stands still.</summary>
    public static bool AreSound(HeapState* heap)
    {
        UserValues* table = &heap->UserValues;
        uint live = 0;
        for (uint index = 0; index < table->_capacity; index++)
        {
            nuint block = table->_entries[index].Block;
            live += block != 0 && Heap.Locate(heap, (void*)block, out _, out _) ? 1u : 0;
        }

        return live == table->_count;
    }

    // The block's entry, or the empty one where it belongs; the zeros of an empty entry are what a block without anything has.
    private static Entry* Find(UserValues* table, nuint block)
    {
        uint index = HomeOf(table, block);
        while (table->_entries[index].Block != 0 && table->_entries[index].Block != block)
        {
            index = (index + 1) & (table->_capacity - 1);
        }

        return table->_entries + index;
    }

    private static uint HomeOf(UserValues* table, nuint block) => (uint)Bits.Bucket(block, BitOperations.Log2(table->_capacity));

    // Empties an entry and moves those behind it up, so that no search ends before it should.
    private static void Close(UserValues* table, Entry* hole)
    {
        uint mask = table->_capacity - 1;
        uint empty = (uint)(hole - table->_entries);
        for (uint index = (empty + 1) & mask; table->_entries[index].Block != 0; index = (index + 1) & mask)
        {
            uint home = HomeOf(table, table->_entries[index].Block);
            if (((index - home) & mask) >= ((index - empty) & mask))
            {
                table->_entries[empty] = table->_entries[index];
                empty = index;
            }
        }

        table->_entries[empty] = default;
    }

    private static bool Grow(UserValues* table)
    {
        uint oldCapacity = table->_capacity;
        Entry* old = table->_entries;
        uint capacity = oldCapacity == 0 ? SmallestCapacity : oldCapacity * 2;
        Entry* entries = (Entry*)Metadata.Take(capacity * (nuint)sizeof(Entry));
        if (entries == null)
        {
            return false;
        }

        table->_entries = entries;
        table->_capacity = capacity;
        for (uint index = 0; index < oldCapacity; index++)
        {
            if (old[index].Block != 0)
            {
                *Find(table, old[index].Block) = old[index];
            }
        }

        if (old != null)
        {
            Metadata.Give(old, oldCapacity * (nuint)sizeof(Entry));
        }

        return true;
    }

    private struct Entry
    {
        /// <summary>0 for an empty entry.</summary>
        public nuint Block;
        public void* Value;
        public uint Flags;
    }
}
