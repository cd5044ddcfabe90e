using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;
using PrivateHeaps.Storage;

namespace PrivateHeaps.Heaps;

/// <summary>
/// From handle to heap. A handle is generation and slot, never an address; a stale or invented one is answered, never followed. Slots and
/// their structures live forever and are reused. The list and the free slots are written under the registry lock; lookups take no lock.
/// </summary>
internal static unsafe class HeapRegistry
{
    public const int SlotShift = 3;
    public const int GenerationShift = 24;
    public const nuint SlotMask = (1 << (GenerationShift - SlotShift)) - 1;

    /// <summary>The low bits of every handle. No block's address has them, nor anything else that a thread may say it looks at: see <see cref="ThreadCache.Busy"/>.</summary>
    public const nuint HandleMark = 4;

    /// <summary>Heaps that can live at once.</summary>
    public const uint SlotLimit = 1 << 19;

    private static HeapState** s_slots;
    private static State* s_state;

    public static HeapState* First => s_state->First;

    public static uint Count => s_state->Count;

    public static uint SlotCount => Shared.Read(&s_state->SlotCount);

    /// <summary>Whether there is anything to look up.</summary>
    public static bool IsStarted => s_state != null;

    /// <summary>Whether any heap but the process heap was ever created: slots are never taken back.</summary>
    public static bool HasServedHeaps => s_state != null && SlotCount > 1;

    public static bool Initialize()
    {
        s_state = s_state != null ? s_state : (State*)Metadata.Take((nuint)sizeof(State));
        s_slots = s_slots != null ? s_slots : (HeapState**)GuardPages.Map(SlotLimit * (nuint)sizeof(HeapState*));
        return s_state != null && s_slots != null;
    }

    /// <summary>The slot that a handle names; any number, for what is none.</summary>
    public static nuint SlotOf(nint handle) => ((nuint)handle >> SlotShift) & SlotMask;

    /// <summary>The heap that the handle names, or null. It may be destroyed at any moment; Gate.Enter looks again.</summary>
    public static HeapState* Find(nint handle)
    {
        nuint slot = SlotOf(handle);
        if (handle == 0 || s_state == null || slot >= SlotCount)
        {
            return null;
        }

        HeapState* heap = s_slots[slot];
        return Shared.Read(&heap->Handle) == handle ? heap : null;
    }

    /// <summary>What lives or lived in a slot below SlotCount.</summary>
    public static HeapState* AtSlot(uint slot) => s_slots[slot];

    /// <summary>A slot's structure for a new heap, in no list yet and with the handle 0; null when there is no slot or no memory.</summary>
    public static HeapState* TakeSlot()
    {
        OsLock.Enter(&s_state->Lock);
        HeapState* heap = s_state->Free;
        if (heap != null)
        {
            s_state->Free = heap->NextHeap;
        }
        else
        {
            heap = AddSlot();
        }

        OsLock.Leave(&s_state->Lock);
        return heap;
    }

    /// <summary>The reverse of <see cref="TakeSlot"/>, for a heap that was never published or is removed; the caller holds the registry lock.</summary>
    public static void GiveSlot(HeapState* heap)
    {
        heap->NextHeap = s_state->Free;
        s_state->Free = heap;
    }

    /// <summary>Gives a finished heap its handle and lists it last.</summary>
    public static nint Publish(HeapState* heap)
    {
        OsLock.Enter(&s_state->Lock);
        heap->PreviousHeap = s_state->Last;
        heap->NextHeap = null;
        *(s_state->Last == null ? &s_state->First : &s_state->Last->NextHeap) = heap;
        s_state->Last = heap;
        s_state->Count++;
        nint handle = NextHandle(heap);
        heap->Generation++;

        // Partner: the reads of Handle in Find and in Gate.Enter, which must not see the handle before the heap.
        Shared.Write(&heap->Handle, handle);
        OsLock.Leave(&s_state->Lock);
        return handle;
    }

    /// <summary>The handle under which the slot's next heap will be published.</summary>
    public static nint NextHandle(HeapState* heap) => (nint)(((heap->Generation + 1) << GenerationShift) | ((nuint)heap->Slot << SlotShift) | HandleMark);

    /// <summary>Makes the handle dead and takes the heap out of the list; the caller holds the registry lock.</summary>
    public static void Remove(HeapState* heap)
    {
        Shared.Write(&heap->Handle, 0);
        *(heap->PreviousHeap == null ? &s_state->First : &heap->PreviousHeap->NextHeap) = heap->NextHeap;
        *(heap->NextHeap == null ? &s_state->Last : &heap->NextHeap->PreviousHeap) = heap->PreviousHeap;
        s_state->Count--;
    }

    /// <summary>Copies handles in order of creation, at most the capacity; returns how many heaps there are.</summary>
    public static uint List(nint* handles, uint capacity)
    {
        OsLock.Enter(&s_state->Lock);
        uint count = 0;
        for (HeapState* heap = s_state->First; heap != null; heap = heap->NextHeap)
        {
            if (count < capacity)
            {
                handles[count] = heap->Handle;
            }

            count++;
        }

        OsLock.Leave(&s_state->Lock);
        return count;
    }

    public static void EnterLock() => OsLock.Enter(&s_state->Lock);

    public static void LeaveLock() => OsLock.Leave(&s_state->Lock);

    private static HeapState* AddSlot()
    {
        if (s_state->SlotCount == SlotLimit)
        {
            return null;
        }

        HeapState* heap = (HeapState*)Metadata.Take(HeapState.StructureBytes);
        if (heap != null)
        {
            heap->Slot = s_state->SlotCount;
            s_slots[heap->Slot] = heap;

            // Partner: the read in Find, which must not see the slot before its structure.
            Shared.Write(&s_state->SlotCount, heap->Slot + 1);
        }

        return heap;
    }

    private struct State
    {
        public OsLock Lock;
        public uint SlotCount;
        public uint Count;
        public HeapState* First;
        public HeapState* Last;
        public HeapState* Free;
    }
}
