namespace PrivateHeaps.Checks;

/// <summary>No heap of the models is checked.</summary>
internal static unsafe class FindingSink
{
    public const bool EndsProcess = true;

    public static bool Wants(bool isReported, bool ends) => isReported;

    public static void TellLimit(byte* text, nuint bytes)
    {
    }

    public static void Tell(Finding* finding, byte* text, nuint bytes, bool ends)
    {
    }

    public static void Stop()
    {
    }
}
