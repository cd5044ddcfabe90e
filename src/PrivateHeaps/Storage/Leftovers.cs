using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Storage;

/// <summary>
/// Ranges that the system refused to end: a process with as many mappings as it may have cannot even end one, if that would divide what the system has
/// joined. Their contents go back at once, and the address space with a later release that succeeds. Any thread may call; no lock.
/// </summary>
internal static unsafe class Leftovers
{
    // The first Leftover, or 0. Partner: the Exchange in TryAgain, by which a thread owns the whole list; one that forks meanwhile leaves its child none.
    private static nint s_first;

    /// <summary>Ends a range that <see cref="Os.Reserve"/> or a Map made, whole; of its bytes the first ones may have been accessible.</summary>
    public static void Release(void* address, nuint bytes, nuint accessibleBytes) => Release(address, bytes, address, accessibleBytes);

    /// <summary>As above, where what may have been accessible does not begin with the range.</summary>
    public static void Release(void* address, nuint bytes, void* accessible, nuint accessibleBytes)
    {
        if (Os.Release(address, bytes))
        {
            if (Shared.Read(ref s_first) != 0)
            {
                TryAgain();
            }

            return;
        }

        if (accessibleBytes != 0)
        {
            Os.Decommit(accessible, accessibleBytes);
        }

        Leftover* left = (Leftover*)Metadata.Take((nuint)sizeof(Leftover));
        if (left != null)
        {
            left->Address = address;
            left->Bytes = bytes;
            Push(left);
        }
    }

    private static void TryAgain()
    {
        Leftover* left = (Leftover*)Shared.Exchange(ref s_first, 0);
        while (left != null && Os.Release(left->Address, left->Bytes))
        {
            Leftover* next = left->Next;
            Metadata.Give(left, (nuint)sizeof(Leftover));
            left = next;
        }

        while (left != null)
        {
            Leftover* next = left->Next;
            Push(left);
            left = next;
        }
    }

    private static void Push(Leftover* left)
    {
        nint first;
        do
        {
            first = Shared.Read(ref s_first);
            left->Next = (Leftover*)first;
        }
        while (Shared.CompareExchange(ref s_first, (nint)left, first) != first);
    }

    private struct Leftover
    {
        public Leftover* Next;
        public void* Address;
        public nuint Bytes;
    }
}
