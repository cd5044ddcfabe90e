using PrivateHeaps.Foundation;

namespace PrivateHeaps.Checks;

/// <summary>No heap of the models is checked.</summary>
internal static class Stacks
{
    public static bool IsOn { get; set; }

    public static uint Capture() => 0;

    public static void Add(ref TextBuffer text, uint stack)
    {
    }

    public static void AddJson(ref TextBuffer text, uint stack)
    {
    }
}
