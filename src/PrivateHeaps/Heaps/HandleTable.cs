using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>
/// From a handle to its <see cref="MoveableBlock"/>, and from the address of a block to its handle. One table for the process.
/// <para>
/// A handle is the address of the second word of an entry, and programs may read the block's address there. So entries lie where a
/// caller can also overwrite them: they are shown, and never read here. What counts is in the records, which nothing of the caller's leads to.
/// </para>
/// <para>
/// The lock is held for a few instructions, or for one resize. It is taken inside the gate of the process heap or without it, but the
/// gate is never entered under it: then a thread could wait for another's HeapLock, whose owner may be waiting for this lock.
/// </para>
/// </summary>
internal static unsafe class HandleTable
{
    /// <summary>Handles that can be in use at once.</summary>
    public const int Capacity = 0x10000;

    // There are as many buckets as entries.
    private const int BucketShift = 16;

    private static State* s_state;

    // The first entry, or 0 before the first handle. Partner: Enter and EnterOwner read it without the lock.
    private static nint s_entries;

    public static bool Initialize()
    {
        s_state = s_state != null ? s_state : (State*)Metadata.Take((nuint)sizeof(State));
        return s_state != null;
    }

    /// <summary>
    /// A new handle for a block of the process heap, or for none (null: discarded); 0 when all are in use or there is no memory for the table.
    /// </summary>
    public static nint Add(void* block, uint attributes)
    {
        if (!Engine.Start())
        {
            return 0;
        }

        EnterLock();
        MoveableBlock* added = TakeFree();
        if (added != null)
        {
            added->Flags = MoveableBlock.InUse | MoveableBlock.Moveable | attributes;
            SetBlock(added, block);
        }

        LeaveLock();
        return added == null ? 0 : HandleOf(added);
    }

    /// <summary>What the handle names, with the lock held; null, without the lock, if it is no handle in use. It may be any number.</summary>
    public static MoveableBlock* Enter(nint handle)
    {
        nint entries = Shared.Read(ref s_entries);
        nuint offset = (nuint)(handle - sizeof(nint) - entries);
        if (entries == 0 || offset >= Capacity * (nuint)sizeof(Entry) || offset % (nuint)sizeof(Entry) != 0)
        {
            return null;
        }

        EnterLock();
        MoveableBlock* found = s_state->Records + (offset / (nuint)sizeof(Entry));
        if ((found->Flags & MoveableBlock.InUse) != 0)
        {
            return found;
        }

        LeaveLock();
        return null;
    }

    /// <summary>The moveable block that lies at the address, with the lock held; null, without the lock, if none does.</summary>
    public static MoveableBlock* EnterOwner(void* block)
    {
        if (block == null || Shared.Read(ref s_entries) == 0)
        {
            return null;
        }

        EnterLock();
        for (MoveableBlock* found = *BucketOf(block); found != null; found = found->Next)
        {
            if (found->Block == block)
            {
                return found;
            }
        }

        LeaveLock();
        return null;
    }

    /// <summary>Whether a moveable block lies at the address; without the lock, for who may take none and can do with an answer that is not certain.</summary>
    public static bool SeemsToOwn(void* block)
    {
        const int mostSteps = 1000;
        MoveableBlock* found = Shared.Read(ref s_entries) == 0 ? null : *BucketOf(block);
        for (int step = 0; found != null && found->Block != block && step < mostSteps; step++)
        {
            found = found->Next;
        }

        return found != null && found->Block == block;
    }

    /// <summary>The handle of a moveable block that lies at the address; 0 if none does.</summary>
    public static nint OwnerOf(void* block)
    {
        MoveableBlock* found = EnterOwner(block);
        if (found == null)
        {
            return 0;
        }

        nint handle = HandleOf(found);
        LeaveLock();
        return handle;
    }

    /// <summary>Gives the handle another block, or none (null: discarded). Under the lock.</summary>
    public static void SetBlock(MoveableBlock* moveable, void* block)
    {
        Unlink(moveable);
        moveable->Block = block;
        if (block != null)
        {
            MoveableBlock** bucket = BucketOf(block);
            moveable->Next = *bucket;
            *bucket = moveable;
        }

        SetFlags(moveable, block == null ? moveable->Flags | MoveableBlock.Discarded : moveable->Flags & ~MoveableBlock.Discarded);
    }

    /// <summary>Changes attributes and lock count. Under the lock.</summary>
    public static void SetFlags(MoveableBlock* moveable, uint flags)
    {
        moveable->Flags = flags;
        Show(moveable, flags);
    }

    /// <summary>Ends a handle. Its block is the caller's from now on. Under the lock.</summary>
    public static void Remove(MoveableBlock* moveable)
    {
        Unlink(moveable);
        MoveableBlock* next = s_state->Free;
        moveable->Block = null;
        moveable->Next = next;
        moveable->Flags = 0;
        s_state->Free = moveable;

        // As on Windows, a free entry shows the address of the next one: a number without any of the flag bits.
        Show(moveable, (nuint)EntryOf(next != null ? next : s_state->Records + s_state->EverUsedCount));
    }

    /// <summary>Ends what <see cref="Enter"/> or <see cref="EnterOwner"/> began. A fork holds the lock, too.</summary>
    public static void LeaveLock() => OsLock.Leave(&s_state->Lock);

    /// <summary>Holds the table across a fork.</summary>
    public static void EnterLock() => OsLock.Enter(&s_state->Lock);

    private static Entry* EntryOf(MoveableBlock* moveable) => (Entry*)Shared.Read(ref s_entries) + (moveable - s_state->Records);

    private static nint HandleOf(MoveableBlock* moveable) => (nint)(&EntryOf(moveable)->Block);

    private static MoveableBlock** BucketOf(void* block) => s_state->Buckets + Bits.Bucket((nuint)block, BucketShift);

    private static void Show(MoveableBlock* moveable, nuint firstWord)
    {
        Entry* entry = EntryOf(moveable);
        entry->Flags = firstWord;

        // Partner: programs that read the address through the handle, without any lock, and then the contents.
        Shared.Write(&entry->Block, (nint)moveable->Block);
    }

    private static void Unlink(MoveableBlock* moveable)
    {
        if (moveable->Block != null)
        {
            MoveableBlock** link = BucketOf(moveable->Block);
            while (*link != moveable)
            {
                link = &(*link)->Next;
            }

            *link = moveable->Next;
        }
    }

    private static MoveableBlock* TakeFree()
    {
        MoveableBlock* free = s_state->Free;
        if (free != null)
        {
            s_state->Free = free->Next;
            return free;
        }

        return s_state->EverUsedCount < Capacity && (Shared.Read(ref s_entries) != 0 || Create()) ? s_state->Records + s_state->EverUsedCount++ : null;
    }

    // Nothing of it is touched before it is used. The entries get a mapping of their own, far from metadata.
    private static bool Create()
    {
        if (s_state->Records == null)
        {
            s_state->Records = (MoveableBlock*)Metadata.Take(Capacity * (nuint)(sizeof(MoveableBlock) + sizeof(MoveableBlock*)));
            s_state->Buckets = (MoveableBlock**)(s_state->Records + Capacity);
        }

        nint entries = s_state->Records == null ? 0 : (nint)GuardPages.Map(Capacity * (nuint)sizeof(Entry));
        Shared.Write(ref s_entries, entries);
        return entries != 0;
    }

    /// <summary>What the caller sees of a handle, which is the address of the second word.</summary>
    private struct Entry
    {
        public nuint Flags;
        public nint Block;
    }

    private struct State
    {
        public OsLock Lock;

        /// <summary>Capacity of them, and as many heads of lists of records, by the address of the block.</summary>
        public MoveableBlock* Records;
        public MoveableBlock** Buckets;

        /// <summary>Entries that were used and are free again.</summary>
        public MoveableBlock* Free;

        /// <summary>Entries from here on were never in use.</summary>
        public int EverUsedCount;
    }
}
