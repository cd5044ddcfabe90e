namespace PrivateHeaps.Explorer.Scheduling;

/// <summary>
/// The words by which threads can affect each other: those that two have touched and one has written, in any schedule so far. Only before an access to
/// such a word does it matter who runs next, so only there is a choice made; words that become such later are choice points from then on.
/// </summary>
internal static class Meetings
{
    private const int Slots = 1 << 14;
    private const int Writers = 8;

    private static readonly nint[] s_words = new nint[Slots];
    private static readonly uint[] s_users = new uint[Slots];

    /// <summary>How many there are.</summary>
    public static int Count { get; private set; }

    public static void Clear()
    {
        Array.Clear(s_words);
        Array.Clear(s_users);
        Count = 0;
    }

    /// <summary>The thread touches the word; whether that is one of them.</summary>
    public static bool Note(nint word, int thread, bool writes)
    {
        // A lock is four bytes that are also touched one by one.
        nint key = word >> 2;
        int slot = (int)((ulong)key * 0x9E37_79B9_7F4A_7C15 >> 50);
        while (s_words[slot] != key && s_words[slot] != 0)
        {
            slot = (slot + 1) % Slots;
        }

        s_words[slot] = key;
        uint before = s_users[slot];
        uint after = before | (1u << thread) | (writes ? 1u << (thread + Writers) : 0);
        s_users[slot] = after;
        bool meets = Meet(after);
        if (meets && !Meet(before))
        {
            Count++;
        }

        return meets;
    }

    private static bool Meet(uint users)
    {
        uint all = users & ((1u << Writers) - 1);
        return (users >> Writers) != 0 && (all & (all - 1)) != 0;
    }
}
