using System.Runtime.CompilerServices;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Checks;

/// <summary>The stacks of calls that records of blocks and findings name by number. The managed library has a file of the same name and shape.</summary>
internal static unsafe class Stacks
{
    private static bool s_isOn;

    /// <summary>Whether <see cref="Capture"/> records anything.</summary>
    public static bool IsOn
    {
        get => s_isOn;
        set => s_isOn = value && StackDepot.Initialize();
    }

    /// <summary>The number of the calling thread's stack, the engine's own frames left out; 0 for none.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static uint Capture()
    {
        if (!s_isOn)
        {
            return 0;
        }

        Unsafe.SkipInit(out FrameArray frames);
        int count = Unwinder.Capture((nuint*)&frames, StackDepot.FrameCapacity);
        return StackDepot.Add((nuint*)&frames, count);
    }

    /// <summary>One line for each frame, indented by four blanks.</summary>
    public static void Add(ref TextBuffer text, uint stack)
    {
        int count = StackDepot.Frames(stack, out nuint* frames);
        for (int index = 0; index < count; index++)
        {
            text.Add("    "u8);
            FrameText.Add(ref text, frames[index], false);
            text.Add("\n"u8);
        }
    }

    /// <summary>The frames as the elements of a JSON array, with commas between them.</summary>
    public static void AddJson(ref TextBuffer text, uint stack)
    {
        int count = StackDepot.Frames(stack, out nuint* frames);
        for (int index = 0; index < count; index++)
        {
            text.Add(index == 0 ? "\""u8 : ",\""u8);
            FrameText.Add(ref text, frames[index], true);
            text.Add("\""u8);
        }
    }

    [InlineArray(StackDepot.FrameCapacity)]
    private struct FrameArray
    {
        private nuint _first;
    }
}
