using System.Runtime.CompilerServices;
using PrivateHeaps.Foundation;
using PrivateHeaps.Platform;

namespace PrivateHeaps.Checks;

/// <summary>
/// One frame of a stack as text: <c>main+0x1C (/usr/bin/program+0x113C)</c>, without the function where the file does not name it, and as an address
/// alone where there is no file. The numbers belong to the call, not to the instruction behind it, so they are what a symbolizer wants. Nothing
/// is allocated or locked, and neither the dynamic linker nor the C library is asked: the process may be about to end.
/// </summary>
internal static unsafe class FrameText
{
    private const int NameBytes = 256;

    /// <summary>The address is the one that the call returns to.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Add(ref TextBuffer text, nuint returnAddress, bool isEscaped)
    {
        nuint address = returnAddress - 1;
        if (!LinuxModule.TryFind(address, out LinuxModule module))
        {
            text.AddHex(address);
            return;
        }

        byte* path = LinuxModule.Path(&module);
        ulong place = module.ImageOffset;
        ElfFile file = default;
        if (file.Open(path))
        {
            if (file.TryAddress(module.FileOffset, out ulong inFile))
            {
                place = inFile;
                if (file.TryFunction(inFile, out byte* name, out ulong offset))
                {
                    AddName(ref text, name, isEscaped);
                    text.Add("+"u8);
                    text.AddHex(offset);
                    text.Add(" "u8);
                }
            }

            file.Close();
        }

        text.Add("("u8);
        AddText(ref text, path, isEscaped);
        text.Add("+"u8);
        text.AddHex(place);
        text.Add(")"u8);
    }

    // As much of it as is enough to know it by: the names of C++ templates have thousands of letters.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void AddName(ref TextBuffer text, byte* name, bool isEscaped)
    {
        Unsafe.SkipInit(out NameText memory);
        byte* copy = (byte*)&memory;
        int length = 0;
        for (; length < NameBytes - 1 && name[length] != 0; length++)
        {
            copy[length] = name[length];
        }

        copy[length] = 0;
        AddText(ref text, copy, isEscaped);
    }

    private static void AddText(ref TextBuffer text, byte* characters, bool isEscaped)
    {
        if (isEscaped)
        {
            text.AddEscaped(characters);
        }
        else
        {
            text.Add(characters);
        }
    }

    [InlineArray(NameBytes)]
    private struct NameText
    {
        private byte _first;
    }
}
