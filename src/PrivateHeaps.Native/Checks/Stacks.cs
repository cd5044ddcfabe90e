using PrivateHeaps.Foundation;

namespace PrivateHeaps.Checks;

/// <summary>The stacks of calls that records of blocks and findings name by number. The managed library has a file of the same name and shape.</summary>
internal static class Stacks
{
    /// <summary>Whether <see cref="Capture"/> records anything.</summary>
    public static bool IsOn { get; set; }

    /// <summary>The number of the calling thread's stack, the engine's own frames left out; 0 for none.</summary>
    public static uint Capture() => 0;

    /// <summary>One line for each frame, indented by four blanks.</summary>
    public static void Add(ref TextBuffer text, uint stack)
    {
    }

    /// <summary>The frames as the elements of a JSON array, with commas between them.</summary>
    public static void AddJson(ref TextBuffer text, uint stack)
    {
    }
}
