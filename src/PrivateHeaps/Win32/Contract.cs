using PrivateHeaps.Foundation;
using PrivateHeaps.Heaps;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Win32;

/// <summary>
/// The <see cref="HeapContract"/> in force. It is what the program chose, else what its surroundings say when it is first asked for; from
/// the first heap on that the program creates it stays as it is. Asked on slow paths only.
/// </summary>
internal static class Contract
{
    private static int s_value;

    public static HeapContract Current => (HeapContract)Shared.Read(ref s_value) is not 0 and var value ? value : Decide();

    public static bool IsObserved => Current == HeapContract.Observed;

    /// <summary>Chooses; false when heaps have been created under the other contract already.</summary>
    public static bool TrySet(HeapContract contract)
    {
        if (HeapRegistry.HasServedHeaps)
        {
            return contract == Current;
        }

        Shared.Write(ref s_value, (int)contract);
        return true;
    }

    // Two threads that come here at once decide the same; a choice that comes between is kept.
    private static HeapContract Decide()
    {
        HeapContract configured = Host.ConfiguredContract() == (int)HeapContract.Observed ? HeapContract.Observed : HeapContract.Documented;
        int before = Shared.CompareExchange(ref s_value, (int)configured, 0);
        return before == 0 ? configured : (HeapContract)before;
    }
}
