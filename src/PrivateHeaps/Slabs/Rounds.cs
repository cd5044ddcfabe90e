using PrivateHeaps.Storage;

namespace PrivateHeaps.Slabs;

/// <summary>
/// What a magazine is loaded with: an array of block addresses, in metadata. Whoever holds it owns it: a magazine, or a depot under the
/// lock of its bin.
/// </summary>
internal unsafe struct Rounds
{
    public Rounds* Next;

    /// <summary>Blocks in it; kept while it is not loaded (a loaded one is counted by its magazine's Top).</summary>
    public uint Count;
    public uint Capacity;

    public static nuint* Items(Rounds* rounds) => (nuint*)(rounds + 1);

    public static Rounds* OfItems(nuint* items) => (Rounds*)items - 1;

    public static Rounds* Create(uint capacity)
    {
        Rounds* rounds = (Rounds*)Metadata.Take(StructureBytes(capacity));
        if (rounds != null)
        {
            rounds->Capacity = capacity;
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

    private static nuint StructureBytes(uint capacity) => (nuint)sizeof(Rounds) + capacity * (nuint)sizeof(nuint);
}
