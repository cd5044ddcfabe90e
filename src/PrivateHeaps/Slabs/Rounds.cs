using PrivateHeaps.Storage;

namespace PrivateHeaps.Slabs;

/// <summary>
/// A free block in a magazine: its address, and where its state byte lies, so that who takes the block need not look that up.
/// </summary>
internal unsafe struct Round
{
    public byte* Block;
    public byte* State;
}

/// <summary>
/// What a magazine is loaded with: an array of free blocks, in metadata. Whoever holds it owns it: a magazine, or a depot under the
/// lock of its bin.
/// </summary>
internal unsafe struct Rounds
{
    public Rounds* Next;

    /// <summary>Blocks in it; kept while it is not loaded (a loaded one is counted by its magazine's Top).</summary>
    public uint Count;
    public ushort Capacity;

    /// <summary>The bias of who put it into a depot: he is the one to get it back, so that the blocks of one thread stay with it.</summary>
    public byte Bias;

    /// <summary>The node of the block that lay lowest in it then, and of the others too where blocks go one way from node to node.</summary>
    public byte Node;

    public static Round* Items(Rounds* rounds) => (Round*)(rounds + 1);

    public static Rounds* OfItems(Round* items) => (Rounds*)items - 1;

    public static Rounds* Create(uint capacity)
    {
        Rounds* rounds = (Rounds*)Metadata.TakeUncleared(StructureBytes(capacity));
        if (rounds != null)
        {
            rounds->Next = null;
            rounds->Count = 0;
            rounds->Bias = 0;
            rounds->Capacity = (ushort)capacity;
        }

        return rounds;
    }

    public static void Drop(Rounds* rounds) => Metadata.Give(rounds, StructureBytes(rounds->Capacity));

    public static void DropAll(Rounds* list)
    {
        while (list != null)
        {
            Rounds* next = list->Next;
            Drop(list);
            list = next;
        }
    }

    private static nuint StructureBytes(uint capacity) => (nuint)sizeof(Rounds) + capacity * (nuint)sizeof(Round);
}
